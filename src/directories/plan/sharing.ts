/**
 * Decides whether two live leases may have one directory: if it is mapped for both, or the user is the same and it is
 * mapped for neither. Without this, the second would take the first's files away (systemd issue 7090). An exposed directory
 * is so for all that have it, and whole: another lease would move it away, or a part of it. Pure.
 */
import { type DirectoriesInUse, type HandoverKind, isPart, type LeasedDirectory } from '../../core/directory.ts';
import { DIRECTORY_CLASSES } from '../../core/directory-classes.ts';
import type { DynuserError } from '../../core/errors.ts';
import type { UserName } from '../../core/ids.ts';
import { directoryFailed } from '../errors.ts';

export type Place = Pick<LeasedDirectory, 'kind' | 'source'>;

type Wanted = Place & { readonly handover?: HandoverKind | undefined; readonly exposed: boolean };

/**
 * Called twice: before anything is moved, and with what the handover would be, before it.
 * @param wanted the directories of a request, each with the handover that was decided, if it was
 * @param live the live leases
 * @returns why one of them cannot be had, or undefined if all can
 */
export function refuseSharing(
  user: UserName,
  wanted: readonly Wanted[],
  makesMounts: boolean,
  live: readonly DirectoriesInUse[],
): DynuserError | undefined {
  for (const directory of wanted) {
    for (const holder of live) {
      const rival = holder.directories.find(held => overlap(held, directory));
      const reason =
        rival &&
        (refusal(user === holder.user, directory.handover, makesMounts, rival.handover) ??
          exposureRefusal(directory, wanted, holder.directories));
      if (reason !== undefined) {
        const { base, field } = DIRECTORY_CLASSES[directory.kind];
        return directoryFailed(field, `${base}/${directory.source} is in use by ${holder.user}, ${reason}`);
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
    return 'which owns its files: it cannot be mapped meanwhile';
  }
  return sameUser ? undefined : 'another user: release that first, or use the same user for both';
}

/** A part of a tree comes and goes with its top, so that the tops alone are compared. */
function exposureRefusal(
  wanted: Wanted,
  ofRequest: readonly Place[],
  held: readonly LeasedDirectory[],
): string | undefined {
  if (!isTop(wanted, ofRequest)) {
    return undefined;
  }
  for (const rival of held.filter(other => isTop(other, held) && overlap(other, wanted))) {
    if (rival.exposed !== wanted.exposed) {
      return rival.exposed
        ? 'for which it is exposed at its public path: only a lease that exposes it too can share it'
        : 'for which it is private: it cannot be exposed meanwhile';
    }
    if (rival.exposed && rival.source !== wanted.source) {
      return `for which ${rival.source} is exposed: a lease can share that whole, and no other part of it`;
    }
  }
  return undefined;
}

function isTop(place: Place, all: readonly Place[]): boolean {
  return !all.some(other => isPart(place, other));
}

/** @returns whether a live lease has the directory, or the one that it is a part of, at its public path */
export function isExposed(place: Place, live: readonly DirectoriesInUse[]): boolean {
  return live.some(({ directories }) =>
    directories.some(held => held.exposed && (isSame(place, held) || isPart(place, held))),
  );
}

/** @returns whether no other live lease has the directory, or one above or below it */
export function isUnshared(directory: Place, others: readonly DirectoriesInUse[]): boolean {
  return !others.some(holder => holder.directories.some(held => overlap(held, directory)));
}

/** @returns those that are not a part of another one of them */
export function outermost<Directory extends Place>(directories: readonly Directory[]): readonly Directory[] {
  return directories.filter(directory => isTop(directory, directories));
}

/** @returns whether the two are one tree, or one is a part of the other */
export function overlap(one: Place, other: Place): boolean {
  return isSame(one, other) || isPart(one, other) || isPart(other, one);
}

function isSame(one: Place, other: Place): boolean {
  return one.kind === other.kind && one.source === other.source;
}
