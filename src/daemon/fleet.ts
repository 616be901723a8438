/** Puts the fleet together, for a host that is in one. */
import { closeSync, constants, openSync, writeFileSync } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { type ReleaseDeps, releaseGone } from '../allocator/release.ts';
import type { UserTable } from '../allocator/user-table.ts';
import { DynuserError, reasonOf } from '../core/errors.ts';
import type { Uid, UserName } from '../core/ids.ts';
import type { DynamicUser } from '../core/lease.ts';
import { COMPANION_SOCKET, COMPANION_USER, FLEET_SNAPSHOT } from '../core/paths.ts';
import { inRange } from '../core/range.ts';
import { VERSION } from '../core/version.ts';
import { hasCode, type PinnedDirectory } from '../files/pinned-directory.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { bootId, CLOCK, freshName } from '../host/clock-and-randomness.ts';
import { fleetHostId } from '../host/fleet-host.ts';
import type { PeerReader } from '../host/processes/peer.ts';
import type { LiveConfig } from './live-config.ts';
import type { Logger } from './logger.ts';

const PUBLIC_FILE = 0o644;

export interface FleetSurroundings {
  readonly config: LiveConfig;
  readonly logger: Logger;
  readonly fleetDirectory: string | undefined;
  readonly runtime: PinnedDirectory;
  readonly peers: PeerReader;
  readonly users: UserTable;
  readonly release: ReleaseDeps;
}

/** @throws DynuserError if this host cannot be in a fleet */
export async function openFleet(surroundings: FleetSurroundings): Promise<Fleet> {
  const { config: live, logger, fleetDirectory, runtime, peers, users, release } = surroundings;
  if (fleetDirectory === undefined) {
    throw new DynuserError(
      'InvalidConfiguration',
      'a daemon with another runtime directory cannot be in a fleet; set Fleet=off',
    );
  }
  const [{ Fleet }, { FLEET_WAITS }, { Companion }, { RecordFiles }] = await Promise.all([
    import('../fleet/fleet.ts'),
    import('../fleet/deps.ts'),
    import('../fleet/companion.ts'),
    import('../fleet/records.ts'),
  ]);
  const host = fleetHostId();
  const records = new RecordFiles(fleetDirectory, host, (file, reason) =>
    logger.warn({ file, reason }, 'a record of the fleet'),
  );
  const companion = new Companion({
    path: COMPANION_SOCKET,
    problemOf(descriptor) {
      const { uid } = peers.read(descriptor);
      return uid === 0 || users.byName(COMPANION_USER as UserName)?.uid === uid
        ? undefined
        : `UID ${uid} listens there`;
    },
  });
  return new Fleet({
    ...{ records, companion, exists, waits: FLEET_WAITS },
    settings() {
      const { fleet, fleetNames, fleetRange, sharedStorages, fleetForgetMs, fleetTrustsBoot } = live.current;
      return {
        ...{ mode: fleet === 'required' ? fleet : 'preferred', names: fleetNames, range: fleetRange },
        ...{ storages: sharedStorages, forgetMs: fleetForgetMs, trustsBoot: fleetTrustsBoot },
      };
    },
    identity: { host, hostName: hostname(), boot: bootId(), version: VERSION },
    publish: text => publish(runtime, text),
    isLive: name => users.byName(name)?.dynamic === true || [...users.ending()].some(user => user.name === name),
    endUser: (name, uid) => endUser(users, release, name, uid),
    monotonic: () => CLOCK.monotonic(),
    random: () => Math.random(),
    nonce: freshName,
    log: {
      info: what => logger.info(what),
      warn: (what, cause) => logger.warn({ err: cause }, what),
      error: (what, cause) => logger.error({ err: cause }, what),
    },
  });
}

/** Whether a user has its UID on all hosts of the fleet; undefined if the fleet does not have its name. */
export function isFleets(fleet: Fleet | undefined, { name, uid, dynamic }: DynamicUser): boolean | undefined {
  if (fleet === undefined || !dynamic) {
    return undefined;
  }
  return inRange(fleet.range, uid) ? true : fleet.concerns(name, undefined) === undefined ? undefined : false;
}

/** Whoever looks up a user sees one of the two snapshots, whole. */
function publish(runtime: PinnedDirectory, text: string): void {
  const fresh = `${FLEET_SNAPSHOT}.new`;
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
  const descriptor = openSync(runtime.entry(fresh), flags, PUBLIC_FILE);
  try {
    writeFileSync(descriptor, text);
  } finally {
    closeSync(descriptor);
  }
  runtime.rename(fresh, FLEET_SNAPSHOT);
}

/** Ends all leases of a user, and with the last of them the user. @returns what is left of it, in words */
async function endUser(users: UserTable, release: ReleaseDeps, name: UserName, uid: Uid): Promise<string | undefined> {
  const user = users.dynamicByName(name);
  if (user?.uid === uid) {
    for (const { id } of user.leases) {
      try {
        await releaseGone(release, id);
      } catch (error) {
        return reasonOf(error);
      }
    }
  }
  const left = users.holding(uid);
  return left === undefined ? undefined : (release.teardown.leftoversOf(left) ?? 'it is ending');
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    // If it cannot be looked at, it exists.
    return !hasCode(error, 'ENOENT') && !hasCode(error, 'ENOTDIR');
  }
}
