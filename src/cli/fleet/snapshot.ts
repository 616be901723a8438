/** The users of the whole fleet as lookups on this host find them: in the snapshot that the daemon writes, also while daemon and store are away. */
import { decodeSnapshot, SNAPSHOT_BYTES_MAX } from '../../core/fleet-snapshot.ts';
import { FLEET_SNAPSHOT } from '../../core/paths.ts';
import { CommandFailure } from '../failure.ts';
import { type Host, Unreadable } from '../host.ts';
import type { DaemonFacts } from '../leases.ts';
import { printable } from '../render/text.ts';

/** Also the JSON of list --fleet. */
export interface UserOfFleet {
  readonly uid: number;
  readonly userName: string;
  /** whether it lives on this host; absent if the daemon does not say so */
  readonly live?: boolean;
}

/**
 * @param directory of the daemon, where the snapshot is
 * @returns ascending by UID
 * @throws CommandFailure if it is missing or broken
 */
export function usersOfFleet(host: Pick<Host, 'text'>, directory: string, daemon: DaemonFacts): UserOfFleet[] {
  const path = `${directory}/${FLEET_SNAPSHOT}`;
  const text = host.text(path, SNAPSHOT_BYTES_MAX);
  if (text === undefined) {
    throw new CommandFailure(
      `this host knows no users of a fleet (there is no ${printable(path)}); set Fleet= in dynuserd.conf, and start dynuserd`,
    );
  }
  const users = text instanceof Unreadable ? undefined : decodeSnapshot(text);
  if (users === undefined) {
    const why = text instanceof Unreadable ? printable(text.why) : 'it is not a snapshot of a fleet';
    throw new CommandFailure(`${printable(path)}: ${why}; restart dynuserd, which writes it anew`);
  }
  const living = daemon.reachable ? livingIn(daemon) : undefined;
  return users
    .map(({ name, uid }) => ({
      ...{ uid, userName: name },
      ...(living === undefined ? {} : { live: living.get(uid) === name }),
    }))
    .sort((one, other) => one.uid - other.uid);
}

function livingIn({ leases }: Extract<DaemonFacts, { reachable: true }>): ReadonlyMap<number, string> {
  const live = leases.filter(({ ending, lost }) => ending !== true && lost === undefined);
  return new Map(live.map(({ uid, userName }) => [uid, userName]));
}
