/** Aligned columns without boxes, and two emphases. Pure. */
import { cut, printable, widthOf } from './text.ts';

/** Emphases as ECMA-48 SGR sequences, or nothing if the output takes no colour. */
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

interface Column {
  readonly title: string;
  /** aligned to the right, and whole like the next */
  readonly numeric?: true;
  /** never shortened */
  readonly whole?: true;
  /** shown faint on a terminal, and shortened before all others */
  readonly detail?: true;
  /** left out if the terminal is too narrow for all that must not be shortened: the greatest number goes first */
  readonly dispensable?: number;
}

/** A column that knows what a row has in it, whatever that is: it is made printable. undefined: nothing, shown as "-". */
export interface ColumnOf<Row> extends Column {
  readonly cell: (row: Row) => string | number | undefined;
}

export interface TableLayout {
  /** whether the titles are shown */
  readonly legend: boolean;
  /** the width of the terminal; without it nothing is shortened */
  readonly columns?: number | undefined;
  readonly style: Style;
}

const GAP = 2;
/** A column is not made narrower than this for the sake of others, so that names stay distinguishable. */
const NARROWEST = 8;

/**
 * @param none what is missing if there are no rows, such as "No users"
 * @param totals the lines below the table
 * @returns the table with these two, if there is a legend
 */
export function renderList<Row>(
  columns: readonly ColumnOf<Row>[],
  rows: readonly Row[],
  layout: TableLayout,
  { none, totals }: { readonly none: string; readonly totals: () => string },
): string {
  if (rows.length === 0) {
    return layout.legend ? `${none}.\n` : '';
  }
  const table = renderRows(columns, rows, layout);
  return layout.legend ? `${table}\n${totals()}.\n` : table;
}

/** @returns the rows as lines of a table, each with its line end; '' for no rows and no legend */
export function renderRows<Row>(columns: readonly ColumnOf<Row>[], rows: readonly Row[], layout: TableLayout): string {
  const titles = columns.map(column => column.title);
  const cells = rows.map(row => columns.map(({ cell }) => printable(String(cell(row) ?? '-'))));
  const all = layout.legend ? [titles, ...cells] : cells;
  const natural = columns.map((_, index) => all.reduce((most, row) => Math.max(most, widthOf(row[index] ?? '')), 0));
  const kept = layout.columns === undefined ? [...columns.keys()] : keptOf(columns, natural, layout.columns);
  const keptColumns = pick(columns, kept);
  const keptWidths = pick(natural, kept);
  const widths = layout.columns === undefined ? keptWidths : fit(keptColumns, keptWidths, layout.columns);
  const lines = all.map((row, position) => {
    const title = layout.legend && position === 0;
    return renderLine(keptColumns, pick(row, kept), widths, layout, title);
  });
  return lines.map(line => `${line}\n`).join('');
}

function pick<T>(values: readonly T[], indexes: readonly number[]): readonly T[] {
  // A list may have a hundred thousand rows, most of which keep all columns.
  return indexes.length === values.length ? values : values.filter((_, index) => indexes.includes(index));
}

/** @returns the indexes of the columns that stay: as many as fit, with nothing but details shortened */
function keptOf(columns: readonly Column[], natural: readonly number[], available: number): readonly number[] {
  const kept = [...columns.keys()];
  const least = (index: number): number => {
    const width = natural[index] ?? 0;
    return columns[index]?.detail === true && mayShrink(columns[index]) ? Math.min(width, NARROWEST) : width;
  };
  const leastWidth = (): number => kept.reduce((sum, index) => sum + least(index), GAP * (kept.length - 1));
  const goes = (index: number): number => columns[index]?.dispensable ?? 0;
  while (leastWidth() > available) {
    const next = kept.reduce((most, index) => (goes(index) > goes(most) ? index : most), kept[0] ?? 0);
    if (goes(next) === 0) {
      break;
    }
    kept.splice(kept.indexOf(next), 1);
  }
  return kept;
}

/** Takes columns off the widest cells, details first, one by one until the line fits or nothing can be taken any more. */
function fit(columns: readonly Column[], natural: readonly number[], available: number): number[] {
  const widths = natural.map(width => Math.min(width, available));
  let excess = widths.reduce((sum, width) => sum + width, GAP * (widths.length - 1)) - available;
  while (excess > 0) {
    const widest =
      widestOf(widths, index => mayShrink(columns[index]) && columns[index]?.detail === true) ??
      widestOf(widths, index => mayShrink(columns[index]));
    if (widest === undefined) {
      break;
    }
    widths[widest] = (widths[widest] ?? 0) - 1;
    excess--;
  }
  return widths;
}

function mayShrink(column: Column | undefined): boolean {
  return column?.numeric !== true && column?.whole !== true;
}

/** @returns the index of the widest that is asked about and not yet the narrowest it may be */
function widestOf(widths: readonly number[], asked: (index: number) => boolean): number | undefined {
  let widest: number | undefined;
  let most = NARROWEST;
  for (const [index, width] of widths.entries()) {
    if (width > most && asked(index)) {
      widest = index;
      most = width;
    }
  }
  return widest;
}

function renderLine(
  columns: readonly Column[],
  row: readonly string[],
  widths: readonly number[],
  layout: TableLayout,
  title: boolean,
): string {
  let line = '';
  let used = 0;
  for (const [index, column] of columns.entries()) {
    const width = widths[index] ?? 0;
    const before = index === 0 ? 0 : GAP;
    // A terminal too narrow even for the narrowest columns: the line is cut.
    const available = layout.columns === undefined ? width : Math.min(width, layout.columns - used - before);
    // An empty column has no width, and does not end the line.
    if (available < Math.min(width, 1)) {
      break;
    }
    const whole = row[index] ?? '';
    const excess = widthOf(whole) - available;
    const cell = excess > 0 ? cut(whole, available) : whole;
    const padding = ' '.repeat(Math.max(-excess, 0));
    const styled = title ? layout.style.strong(cell) : column.detail ? layout.style.dim(cell) : cell;
    line += ' '.repeat(before) + (column.numeric ? padding + styled : styled + padding);
    used += before + available;
  }
  return line.trimEnd();
}

/** A label with its value, whatever that is: it is made printable. undefined: there is nothing to say. */
export type Field = readonly [label: string, value: string | number | undefined];

/** @returns the fields that have a value, the labels aligned to the right, one a line */
export function renderFields(fields: readonly Field[], style: Style): string {
  const shown = fields.flatMap(([label, value]) =>
    value === undefined ? [] : [[printable(label), printable(String(value))] as const],
  );
  const width = Math.max(0, ...shown.map(([label]) => widthOf(label)));
  return shown.map(([label, value]) => `${style.strong(`${label.padStart(width)}:`)} ${value}\n`).join('');
}
