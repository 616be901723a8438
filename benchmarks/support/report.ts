/** How figures are printed: as the tables of benchmarks/README.md, and whether each target is reached. */

/** Prints a table in Markdown, its columns aligned. @param rows the first one is the heading */
export function printTable(rows: readonly (readonly string[])[]): void {
  const columns = rows[0]?.length ?? 0;
  const widths = Array.from({ length: columns }, (_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${widths.map((width, column) => (row[column] ?? '').padEnd(width)).join(' | ')} |`;
  const [heading = [], ...body] = rows;
  const rule = `| ${widths.map(width => '-'.repeat(width)).join(' | ')} |`;
  process.stdout.write(`\n${[line(heading), rule, ...body.map(line)].join('\n')}\n`);
}

export interface Target {
  readonly what: string;
  readonly wanted: string;
  readonly measured: string;
  readonly reached: boolean;
}

/** Prints each target with what was measured, and lets the process fail if one is missed. */
export function printTargets(targets: readonly Target[]): void {
  printTable([
    ['to reach', '', 'measured', ''],
    ...targets.map(({ what, wanted, measured, reached }) => [what, wanted, measured, reached ? 'reached' : 'MISSED']),
  ]);
  if (targets.some(({ reached }) => !reached)) {
    process.exitCode = 1;
  }
}

/** @param nanoseconds as microseconds, with three digits that count */
export function microseconds(nanoseconds: number): string {
  return `${Number((nanoseconds / 1_000).toPrecision(3))} µs`;
}
