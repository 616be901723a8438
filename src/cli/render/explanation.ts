/** What Explain answered: the outcome first, then how it came about. Pure. */
import type { ExplainReply } from '../../api/generated/io-dynuser-allocator.ts';
import { renderExpectedHandovers } from './handovers.ts';
import { type Column, renderFields, renderTable, type TableLayout } from './table.ts';
import { printable } from './text.ts';

const COLUMNS: readonly Column[] = [
  { title: 'UID', numeric: true },
  { title: 'ORIGIN', detail: true },
  { title: 'FINDING' },
];

export function renderExplanation(explanation: ExplainReply, layout: TableLayout): string {
  const { uid, gid } = explanation;
  const fields: (readonly [string, string])[] = [
    ['Outcome', `${explanation.outcome}: ${printable(explanation.reason)}`],
    ['UID', uid === undefined ? '-' : String(uid)],
  ];
  // The group of a dynamic user has the number of the user; only a static user can differ.
  if (gid !== undefined && gid !== uid) {
    fields.push(['GID', String(gid)]);
  }
  for (const group of explanation.groups ?? []) {
    const gid = group.gid === undefined ? '' : ` (${group.gid})`;
    fields.push(['Group', `${printable(group.name)}${gid}: ${group.outcome}: ${printable(group.reason)}`]);
  }
  const { fleet } = explanation;
  if (fleet !== undefined) {
    const uid = fleet.uid === undefined ? '' : ` (${fleet.uid})`;
    fields.push(['Fleet', `${fleet.outcome}${uid}: ${printable(fleet.reason)}`]);
  }
  fields.push(['Name', printable(explanation.userName)], ['Origin', printable(explanation.nameOrigin)]);
  const rows = explanation.candidates.map(candidate => [
    String(candidate.uid),
    candidate.origin,
    printable(candidate.finding),
  ]);
  const parts = [
    renderFields(fields, layout.style),
    rows.length === 0 ? '' : renderTable(COLUMNS, rows, layout),
    renderExpectedHandovers(explanation.handovers, layout),
  ];
  return parts.filter(part => part !== '').join('\n');
}
