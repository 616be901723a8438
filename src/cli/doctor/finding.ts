/** What a check found, in words, and what to do about it. */
import { FINDINGS_OF_A_KIND_MAX } from '../limits.ts';

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

/** @param check its name: these make its findings, with the advice for what is wrong, or why it could not be seen */
export function findingsOf(check: string) {
  const ok = (finding: string): Finding => ({ check, level: 'ok', finding });
  return {
    ok,
    warning: (finding: string, advice: string): Finding => ({ check, level: 'warning', finding, advice }),
    problem: (finding: string, advice: string): Finding => ({ check, level: 'problem', finding, advice }),
    unknown: (why: string): Finding => ({ check, level: 'unknown', finding: why }),
    /** @returns the findings; if there are none, that all is well */
    orOk: (findings: readonly Finding[], well: string) => (findings.length > 0 ? findings : [ok(well)]),
  };
}

export type Findings = ReturnType<typeof findingsOf>;

/** @returns the first findings of a kind, and one for how many more there are */
export function shorten(findings: readonly Finding[], more: (count: number) => Finding): readonly Finding[] {
  const left = findings.length - FINDINGS_OF_A_KIND_MAX;
  return left > 0 ? [...findings.slice(0, FINDINGS_OF_A_KIND_MAX), more(left)] : findings;
}
