/** Who had which UID, as a table. Pure. */
import { type ColumnOf, renderList, type TableLayout } from './table.ts';
import { countOf } from './text.ts';
import { localTime } from './time.ts';

/** A user that had a UID, as JSON has it. Times are in microseconds since the epoch, as everywhere. */
export interface HistoryEntry {
  readonly uid: number;
  readonly userName: string;
  /** the unit that it was made for */
  readonly unit: string;
  /** the UID that asked for it */
  readonly owner: number;
  readonly since: number;
  /** absent: it lives */
  readonly until?: number;
  /** it has lost its UID then; or nobody saw its end, which was before */
  readonly end?: 'lost' | 'unseen';
}

const COLUMNS: readonly ColumnOf<HistoryEntry>[] = [
  { title: 'UID', numeric: true, cell: ({ uid }) => uid },
  { title: 'NAME', cell: ({ userName }) => userName },
  { title: 'UNIT', cell: ({ unit }) => unit },
  { title: 'SINCE', whole: true, cell: ({ since }) => localTime(since) },
  { title: 'UNTIL', whole: true, cell: untilCell },
  { title: 'BY', numeric: true, detail: true, cell: ({ owner }) => owner },
];

export function renderHistory(entries: readonly HistoryEntry[], layout: TableLayout): string {
  const totals = () => countOf(entries.length, 'user');
  return renderList(COLUMNS, entries, layout, { none: 'The history has no such user', totals });
}

function untilCell({ until, end }: HistoryEntry): string {
  if (until === undefined) {
    return 'now';
  }
  const time = localTime(until);
  return end === undefined ? time : end === 'lost' ? `${time} (lost)` : `before ${time}`;
}
