/** The findings of doctor, one a line, with what to do below. Pure. */
import { type Finding, LEVELS, type Level } from '../doctor/finding.ts';
import type { TableLayout } from './table.ts';
import { countOf, printable, WRAP_COLUMNS, WRAP_NARROWEST, widthOf, wrap } from './text.ts';

const GAP = '  ';

export function renderFindings(findings: readonly Finding[], layout: TableLayout): string {
  const { style, columns = WRAP_COLUMNS } = layout;
  const levels = Math.max(...LEVELS.map(widthOf));
  const checks = Math.max(0, ...findings.map(({ check }) => widthOf(check)));
  const indent = ' '.repeat(levels + checks + 2 * GAP.length);
  const width = Math.max(columns, WRAP_NARROWEST + indent.length) - indent.length;
  const lines = findings.flatMap(({ check, level, finding, advice }) => {
    const [first = '', ...rest] = wrap(printable(finding), width);
    const plain = level.padEnd(levels);
    const shown = level === 'problem' || level === 'warning' ? style.strong(plain) : style.dim(plain);
    return [
      `${shown}${GAP}${check.padEnd(checks)}${GAP}${first}`,
      ...rest.map(line => indent + line),
      ...(advice === undefined ? [] : wrap(`To do: ${printable(advice)}`, width).map(line => indent + line)),
    ];
  });
  const text = lines.map(line => `${line}\n`).join('');
  return layout.legend ? `${text}\n${verdict(findings)}.\n` : text;
}

function verdict(findings: readonly Finding[]): string {
  const count = (level: Level): number => findings.filter(finding => finding.level === level).length;
  const bad = [countOf(count('problem'), 'problem'), countOf(count('warning'), 'warning')].join(', ');
  const unseen = count('unknown');
  return unseen === 0 ? bad : `${bad}; ${unseen} unknown`;
}
