/** What check found: a line for each unit, then for each what is refused, ignored and left, with the reasons. Pure. */
import type { Judgement } from '../../launch/launch.ts';
import { type ColumnOf, renderRows, type TableLayout } from './table.ts';
import { countOf, printable, WRAP_COLUMNS, WRAP_NARROWEST, wrap } from './text.ts';

const INDENT = '  ';

/** Also the JSON of the command. */
export interface CheckedUnit extends Judgement {
  /** the path, as it was given */
  readonly unit: string;
  readonly verdict: 'accepted' | 'refused';
}

const COLUMNS_OF_UNITS: readonly ColumnOf<CheckedUnit>[] = [
  { title: 'UNIT', cell: ({ unit }) => unit },
  { title: 'VERDICT', whole: true, cell: ({ verdict }) => verdict },
  { title: 'REFUSED', numeric: true, cell: ({ refused }) => refused.length },
  { title: 'IGNORED', numeric: true, cell: ({ ignored }) => ignored.length },
  { title: 'LEFT', numeric: true, cell: ({ left }) => left.length },
];

export function renderChecks(units: readonly CheckedUnit[], layout: TableLayout): string {
  const accepted = units.filter(({ verdict }) => verdict === 'accepted').length;
  const totals = `\n${accepted} of ${countOf(units.length, 'unit')} accepted.\n`;
  return [
    renderRows(COLUMNS_OF_UNITS, units, layout),
    ...units.map(unit => details(unit, layout)),
    layout.legend ? totals : '',
  ].join('');
}

function details(
  { unit, refused, ignored, left, skipped }: CheckedUnit,
  { columns = WRAP_COLUMNS, style }: TableLayout,
): string {
  const lines: readonly (readonly [title: string, texts: readonly string[]])[] = [
    ['refused', refused],
    ['ignored', ignored],
    ['left to the supervisor', left.length === 0 ? [] : [left.map(name => `${name}=`).join(', ')]],
    ['on this host', skipped === undefined ? [] : [skipped]],
  ];
  // Of the unit's own file the line alone is said.
  const shown = lines.flatMap(([title, texts]) =>
    texts.map(text => `${title}: ${text.replaceAll(`${unit}:`, 'line ')}`),
  );
  const width = Math.max(columns, WRAP_NARROWEST) - 2 * INDENT.length;
  const wrapped = shown.flatMap(text => {
    const [first = '', ...rest] = wrap(printable(text), width);
    return [`${INDENT}${first}`, ...rest.map(line => INDENT + INDENT + line)];
  });
  return shown.length === 0 ? '' : `\n${style.strong(printable(unit))}\n${wrapped.map(line => `${line}\n`).join('')}`;
}
