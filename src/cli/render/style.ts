/** The two emphases that tables use, as ECMA-48 SGR sequences, or nothing if the output takes no colour. */

export interface Style {
  /** for a title: bold */
  readonly strong: (text: string) => string;
  /** for a detail: faint */
  readonly dim: (text: string) => string;
}

const PLAIN: Style = { strong: text => text, dim: text => text };
const COLOURED: Style = { strong: text => `\x1b[1m${text}\x1b[0m`, dim: text => `\x1b[2m${text}\x1b[0m` };

/**
 * @param terminal whether the output is one
 * @param environment NO_COLOR switches colour off if it is set at all; so does TERM=dumb
 */
export function chooseStyle(terminal: boolean, environment: Readonly<Record<string, string | undefined>>): Style {
  const coloured = terminal && environment['NO_COLOR'] === undefined && environment['TERM'] !== 'dumb';
  return coloured ? COLOURED : PLAIN;
}
