/** What Explain answered: the outcome first, then how it came about. Pure. */
import type { Candidate, ExplainReply } from '../../api/generated/io-dynuser-allocator.ts';
import { renderExpectedHandovers } from './handovers.ts';
import { type ColumnOf, type Field, renderFields, renderRows, type TableLayout } from './table.ts';

const COLUMNS: readonly ColumnOf<Candidate>[] = [
  { title: 'UID', numeric: true, cell: ({ uid }) => uid },
  { title: 'ORIGIN', detail: true, cell: ({ origin }) => origin },
  { title: 'FINDING', cell: ({ finding }) => finding },
];

export function renderExplanation(explanation: ExplainReply, layout: TableLayout): string {
  const { outcome, reason, uid, gid, groups = [], fleet, userName, nameOrigin, candidates, handovers } = explanation;
  const fields: readonly Field[] = [
    ['Outcome', `${outcome}: ${reason}`],
    ['UID', uid ?? '-'],
    // The group of a dynamic user has the number of the user; only a static user can differ.
    ['GID', gid === uid ? undefined : gid],
    ...groups.map((group): Field => ['Group', `${numbered(group.name, group.gid)}: ${group.outcome}: ${group.reason}`]),
    ['Fleet', fleet && `${numbered(fleet.outcome, fleet.uid)}: ${fleet.reason}`],
    ['Name', userName],
    ['Origin', nameOrigin],
  ];
  const parts = [
    renderFields(fields, layout.style),
    candidates.length === 0 ? '' : renderRows(COLUMNS, candidates, layout),
    renderExpectedHandovers(handovers, layout),
  ];
  return parts.filter(part => part !== '').join('\n');
}

function numbered(words: string, number: number | undefined): string {
  return number === undefined ? words : `${words} (${number})`;
}
