/**
 * What a test file declares of itself to the runner, each in a line of its own:
 *
 *     // runs alone: WHY       no other file runs meanwhile, since it looks at the host as a whole, or measures
 *     // time limit: 600 s     the bound on the whole file, instead of that of its tier
 *     // starts early: WHY      it takes long, and is not to be waited for at the end; only needed until the runner knows how long
 */

export interface Declared {
  /** why it runs alone */
  readonly alone?: string;
  readonly limitSec?: number;
  /** why it takes long */
  readonly early?: string;
}

const ALONE = /^\/\/ runs alone: (\S.*)$/;
const LIMIT = /^\/\/ time limit: ([1-9]\d{0,3}) s$/;
const EARLY = /^\/\/ starts early: (\S.*)$/;
/** What is meant as a declaration, however it is written. */
const ABOUT = /^\s*(?:\/\/|\/?\*+)\s*(?:runs?\s+alone\b|time\s*limit\b|starts?\s+early\b)/i;

/** @param text a test's source @param name what errors call it @throws Error if a line of it is meant as a declaration and is not one */
export function parseDeclared(text: string, name: string): Declared {
  const lines = text.split('\n').filter(line => ABOUT.test(line));
  const alone = lines.map(line => ALONE.exec(line)?.[1]).filter(why => why !== undefined);
  const limits = lines.map(line => LIMIT.exec(line)?.[1]).filter(limit => limit !== undefined);
  const early = lines.map(line => EARLY.exec(line)?.[1]).filter(why => why !== undefined);
  const isTwice = [alone, limits, early].some(({ length }) => length > 1);
  if (alone.length + limits.length + early.length !== lines.length || isTwice) {
    throw new Error(
      `${name}: ${lines.join(' ')}: not understood; write "// runs alone: WHY", "// time limit: N s" or "// starts early: WHY", each at most once`,
    );
  }
  return {
    ...(alone[0] === undefined ? {} : { alone: alone[0] }),
    ...(limits[0] === undefined ? {} : { limitSec: Number(limits[0]) }),
    ...(early[0] === undefined ? {} : { early: early[0] }),
  };
}
