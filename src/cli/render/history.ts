/** Who had which UID, as a table. Pure. */
import { type Column, renderTable, type TableLayout } from './table.ts';
import { countOf, printable } from './text.ts';
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

const COLUMNS: readonly Column[] = [
  { title: 'UID', numeric: true },
  { title: 'NAME' },
  { title: 'UNIT' },
  { title: 'SINCE', whole: true },
  { title: 'UNTIL', whole: true },
  { title: 'BY', numeric: true, detail: true },
];

export function renderHistory(entries: readonly HistoryEntry[], layout: TableLayout): string {
  if (entries.length === 0) {
    return layout.legend ? 'The history has no such user.\n' : '';
  }
  const rows = entries.map(entry => [
    String(entry.uid),
    printable(entry.userName),
    printable(entry.unit),
    localTime(entry.since),
    untilCell(entry),
    String(entry.owner),
  ]);
  const table = renderTable(COLUMNS, rows, layout);
  return layout.legend ? `${table}\n${countOf(entries.length, 'user')}.\n` : table;
}

function untilCell({ until, end }: HistoryEntry): string {
  if (until === undefined) {
    return 'now';
  }
  const time = localTime(until);
  return end === undefined ? time : end === 'lost' ? `${time} (lost)` : `before ${time}`;
}
