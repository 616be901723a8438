/** Files of former users, as a table. Pure. */
import type { Orphan } from '../orphans/judge.ts';
import { type ColumnOf, renderList, type TableLayout } from './table.ts';
import { countOf } from './text.ts';

export interface FormerOrphan extends Orphan {
  /** whose it was, if the history says so */
  readonly formerUser?: string;
}

const COLUMNS: readonly ColumnOf<FormerOrphan>[] = [
  { title: 'UID', numeric: true, cell: ({ uid }) => uid },
  { title: 'FORMER USER', cell: ({ formerUser }) => formerUser },
  { title: 'FILES', numeric: true, cell: ({ files }) => files },
  { title: 'PATH', cell: ({ path }) => path },
];

export function renderOrphans(orphans: readonly FormerOrphan[], layout: TableLayout): string {
  const totals = (): string => {
    const files = orphans.reduce((sum, orphan) => sum + orphan.files, 0);
    const owners = new Set(orphans.map(({ uid }) => uid)).size;
    return `${countOf(files, 'file')} of ${countOf(owners, 'former UID')}`;
  };
  return renderList(COLUMNS, orphans, layout, { none: 'No file of a former user', totals });
}
