/** Files of former users, as a table. Pure. */
import type { Orphan } from '../orphans/judge.ts';
import { type Column, renderTable, type TableLayout } from './table.ts';
import { countOf, cut, printable, widthOf } from './text.ts';

export interface FormerOrphan extends Orphan {
  /** whose it was, if the history says so */
  readonly formerUser?: string;
}

const COLUMNS: readonly Column[] = [
  { title: 'UID', numeric: true },
  { title: 'FORMER USER' },
  { title: 'FILES', numeric: true },
  { title: 'PATH' },
];

export function renderOrphans(orphans: readonly FormerOrphan[], layout: TableLayout): string {
  if (orphans.length === 0) {
    return layout.legend ? 'No file of a former user.\n' : '';
  }
  const rows = orphans.map(({ uid, formerUser, files, path }) => [
    String(uid),
    formerUser === undefined ? '-' : printable(formerUser),
    String(files),
    printable(path),
  ]);
  const table = renderTable(COLUMNS, rows, layout);
  const files = orphans.reduce((sum, orphan) => sum + orphan.files, 0);
  const owners = new Set(orphans.map(({ uid }) => uid)).size;
  return layout.legend ? `${table}\n${countOf(files, 'file')} of ${countOf(owners, 'former UID')}.\n` : table;
}

/** How far a search is. @param columns the width of the terminal; the path is shortened, the numbers are not */
export function renderSearch(root: string, inodes: number, found: number, columns: number): string {
  const numbers = `: ${inodes} inodes inspected, ${found} of former users`;
  return cut(cut(printable(root), Math.max(1, columns - widthOf(numbers))) + numbers, columns);
}
