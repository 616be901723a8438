/** Aligned columns without boxes. Cells must be printable already; nothing is read and nothing is written here. */
import type { Style } from './style.ts';
import { cut, widthOf } from './text.ts';

export interface Column {
  readonly title: string;
  /** aligned to the right, and whole like the next */
  readonly numeric?: true;
  /** never shortened */
  readonly whole?: true;
  /** shown faint on a terminal, and shortened before all others */
  readonly detail?: true;
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

/** @returns the table as lines, each with its line end; '' for no rows and no legend */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  layout: TableLayout,
): string {
  const titles = columns.map(column => column.title);
  const shown = layout.legend ? [titles, ...rows] : rows;
  const natural = columns.map((_, index) => Math.max(0, ...shown.map(row => widthOf(row[index] ?? ''))));
  const widths = layout.columns === undefined ? natural : fit(columns, natural, layout.columns);
  const lines = shown.map((row, position) => {
    const title = layout.legend && position === 0;
    return renderLine(columns, row, widths, layout, title);
  });
  return lines.map(line => `${line}\n`).join('');
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
    if (available < 1) {
      break;
    }
    const cell = cut(row[index] ?? '', available);
    const padding = ' '.repeat(available - widthOf(cell));
    const styled = title ? layout.style.strong(cell) : column.detail ? layout.style.dim(cell) : cell;
    line += ' '.repeat(before) + (column.numeric ? padding + styled : styled + padding);
    used += before + available;
  }
  return line.trimEnd();
}

/** @returns pairs of label and value, the labels aligned to the right, one a line */
export function renderFields(fields: readonly (readonly [label: string, value: string])[], style: Style): string {
  const width = Math.max(0, ...fields.map(([label]) => widthOf(label)));
  return fields.map(([label, value]) => `${style.strong(`${label.padStart(width)}:`)} ${value}\n`).join('');
}
