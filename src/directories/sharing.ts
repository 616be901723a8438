/**
 * Decides whether two live leases may have one directory: where it is mapped for both, or the user is the same and it is
 * mapped for neither. Without this, the second would take the first's files away (systemd issue 7090). Pure.
 */
import type { DirectoryHolder, HandoverKind, LeasedDirectory } from '../core/directory.ts';
import type { UserName } from '../core/ids.ts';
import { DIRECTORY_CLASSES } from './classes.ts';
import { isBelow } from './requested.ts';

type Place = Pick<LeasedDirectory, 'kind' | 'source'>;

export interface SharingRefusal {
  /** the parameter of the request */
  readonly field: string;
  readonly reason: string;
}

/**
 * Called twice: before a UID is looked for, with the user's name alone; and with what the handover would be, before it.
 * @param wanted the directories of a request, each with the handover that was decided, if it was
 * @param live the live leases
 * @returns why one of them cannot be had, or undefined where all can
 */
export function refuseSharing(
  user: UserName,
  wanted: readonly (Place & { readonly handover?: HandoverKind })[],
  makesMounts: boolean,
  live: readonly DirectoryHolder[],
): SharingRefusal | undefined {
  for (const directory of wanted) {
    for (const holder of live) {
      const rival = holder.directories.find(held => overlap(held, directory));
      const reason = rival && refusal(user === holder.user, directory.handover, makesMounts, rival.handover);
      if (reason !== undefined) {
        const { base, field } = DIRECTORY_CLASSES[directory.kind];
        return { field, reason: `${base}/${directory.source} is in use by ${holder.user}, ${reason}` };
      }
    }
  }
  return undefined;
}

function refusal(
  sameUser: boolean,
  wanted: HandoverKind | undefined,
  makesMounts: boolean,
  held: HandoverKind,
): string | undefined {
  if (held === 'map') {
    const maps = wanted === undefined ? makesMounts : wanted === 'map';
    return maps ? undefined : 'for which it is mapped: only a caller that makes mounts can share it';
  }
  if (wanted === 'map') {
    return 'whose files it has: it cannot be mapped meanwhile';
  }
  return sameUser ? undefined : 'another user: release that first, or use the same user for both';
}

/** @returns whether no other live lease has the directory, or one above or below it */
export function isUnshared(directory: Place, others: readonly DirectoryHolder[]): boolean {
  return !others.some(holder => holder.directories.some(held => overlap(held, directory)));
}

function overlap(one: Place, other: Place): boolean {
  const { source } = other;
  return (
    one.kind === other.kind && (one.source === source || isBelow(one.source, source) || isBelow(source, one.source))
  );
}
