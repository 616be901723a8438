/**
 * What a test file declares of itself to the runner, each in a line of its own:
 *
 *     // runs alone: WHY       no other file runs meanwhile, since it looks at the host as a whole, or measures
 *     // time limit: 600 s     the bound on the whole file, instead of that of its tier
 */

export interface Declared {
  /** why it runs alone */
  readonly alone?: string;
  readonly limitSec?: number;
}

const ALONE = /^\/\/ runs alone: (\S.*)$/;
const LIMIT = /^\/\/ time limit: ([1-9]\d{0,3}) s$/;
/** What is meant as a declaration, however it is written. */
const ABOUT = /^\s*(?:\/\/|\/?\*+)\s*(?:runs?\s+alone\b|time\s*limit\b)/i;

/** @param text a test's source @param name what errors call it @throws Error if a line of it is meant as a declaration and is none */
export function parseDeclared(text: string, name: string): Declared {
  const lines = text.split('\n').filter(line => ABOUT.test(line));
  const alone = lines.map(line => ALONE.exec(line)?.[1]).filter(why => why !== undefined);
  const limits = lines.map(line => LIMIT.exec(line)?.[1]).filter(limit => limit !== undefined);
  if (alone.length + limits.length !== lines.length || alone.length > 1 || limits.length > 1) {
    throw new Error(
      `${name}: ${lines.join(' ')}: not understood; write "// runs alone: WHY" or "// time limit: N s", each at most once`,
    );
  }
  return {
    ...(alone[0] === undefined ? {} : { alone: alone[0] }),
    ...(limits[0] === undefined ? {} : { limitSec: Number(limits[0]) }),
  };
}
