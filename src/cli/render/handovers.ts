/** How directories were handed over to a user, what of them was left alone, and what would be done. Pure. */
import type { Directory, ExpectedHandover } from '../../api/generated/io-dynuser-allocator.ts';
import { LEFT_PATHS_SHOWN_MAX } from '../limits.ts';
import { type ColumnOf, renderFields, renderRows, type Style, type TableLayout } from './table.ts';
import { countOf, printable } from './text.ts';

/** @returns a line for each directory: its path, and how it was handed over */
export function renderHandovers(directories: readonly Directory[], style: Style): string {
  return renderFields(
    directories.map(directory => [directory.publicPath, handoverWords(directory)]),
    style,
  );
}

function handoverWords({ handover, changed, diskUid, diskGid }: Directory): string {
  const inodes = countOf(changed, 'inode');
  switch (handover) {
    case 'none':
      // Nothing below a directory with the right owner is inspected, except with --verify.
      return changed === 0 ? "none, it was the user's already" : `none, but ${inodes} below it repaired`;
    case 'chown':
      return `chown, ${inodes} changed`;
    case 'map':
      return `map, it needs a mount that shows ${diskUid}:${diskGid} as the user`;
  }
}

/** @returns warnings, each a line, of what keeps its owner below a directory; '' for none */
export function renderLeftAlone(directories: readonly Directory[]): string {
  return directories
    .flatMap(({ publicPath, leftPaths, mountPaths }) => [
      ...warning(publicPath, leftPaths, "it has other names too, and is not the former owner's"),
      ...warning(publicPath, mountPaths, 'something is mounted there'),
    ])
    .map(line => `dynuserctl: left alone: ${line}\n`)
    .join('');
}

function warning(top: string, paths: readonly string[], why: string): string[] {
  if (paths.length === 0) {
    return [];
  }
  const shown = paths.slice(0, LEFT_PATHS_SHOWN_MAX).map(path => printable(`${top}/${path}`));
  const more = paths.length - shown.length;
  // The daemon names the first ones alone.
  return [`${shown.join(', ')}${more > 0 ? ` and at least ${more} more` : ''}: ${why}`];
}

const EXPECTED_COLUMNS: readonly ColumnOf<ExpectedHandover>[] = [
  { title: 'DIRECTORY', cell: ({ publicPath }) => publicPath },
  { title: 'HANDOVER', whole: true, cell: ({ handover }) => handover },
  { title: 'OWNER', numeric: true, cell: ({ owner }) => owner },
  { title: 'INODES', numeric: true, cell: ({ inodes, counted }) => atLeast(inodes, counted) },
  { title: 'CHANGES', numeric: true, cell: ({ changes, counted }) => atLeast(changes, counted) },
];

function atLeast(count: number, counted: ExpectedHandover['counted']): string {
  return counted === 'all' ? String(count) : `at least ${count}`;
}

/** @returns a table of what would become of each directory; nothing, not even titles, for none */
export function renderExpectedHandovers(handovers: readonly ExpectedHandover[], layout: TableLayout): string {
  return handovers.length === 0 ? '' : renderRows(EXPECTED_COLUMNS, handovers, layout);
}
