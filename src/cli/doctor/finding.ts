/** What a check found, in words, and what to do about it. */

/** unknown: it could not be seen, by this user or on this host */
export const LEVELS = ['ok', 'warning', 'problem', 'unknown'] as const;
export type Level = (typeof LEVELS)[number];

/** Also the JSON of the command. Texts may have parts from outside: they are made printable when they are shown. */
export interface Finding {
  readonly check: string;
  readonly level: Level;
  readonly finding: string;
  /** what to do */
  readonly advice?: string;
}

/** The findings of one check, by its name. */
export interface Findings {
  ok(finding: string): Finding;
  warning(finding: string, advice: string): Finding;
  problem(finding: string, advice: string): Finding;
  /** @param why it could not be seen */
  unknown(why: string): Finding;
}

export function findingsOf(check: string): Findings {
  return {
    ok: finding => ({ check, level: 'ok', finding }),
    warning: (finding, advice) => ({ check, level: 'warning', finding, advice }),
    problem: (finding, advice) => ({ check, level: 'problem', finding, advice }),
    unknown: why => ({ check, level: 'unknown', finding: why }),
  };
}
