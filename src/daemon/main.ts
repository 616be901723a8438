/**
 * The composition root: builds every module, hands each its ports, and knows the order of start and its reverse. Nothing is
 * decided about users here.
 */

import { Allocator } from '../allocator/allocate.ts';
import { CoolDown } from '../allocator/cool-down.ts';
import { IdleWatch } from '../allocator/idle.ts';
import { KeyedQueue } from '../allocator/keyed-queue.ts';
import { Lifetimes } from '../allocator/lifetimes.ts';
import { LockWatch } from '../allocator/lock-watch.ts';
import { Claims } from '../allocator/reclaim.ts';
import { recover } from '../allocator/recovery.ts';
import { releaseGone } from '../allocator/release.ts';
import { Reservations } from '../allocator/reservations.ts';
import { Teardown } from '../allocator/teardown.ts';
import { UserTable } from '../allocator/user-table.ts';
import { Acquisition } from '../api/acquire.ts';
import { allocatorInterface } from '../api/allocator.ts';
import { Authorization } from '../api/authorization.ts';
import { BusAllocator } from '../api/bus-allocator.ts';
import { ConnectionLeases } from '../api/connection-leases.ts';
import { limitsFor, Sockets, socketDescriptors } from '../api/sockets.ts';
import { userDatabaseInterface } from '../api/user-database.ts';
import { ROOT } from '../core/access.ts';
import { DynuserError } from '../core/errors.ts';
import type { LeaseId, UserName } from '../core/ids.ts';
import type { DynamicUser } from '../core/lease.ts';
import { VERSION } from '../core/version.ts';
import { systemBusSocket } from '../dbus/address.ts';
import { Bus } from '../dbus/bus.ts';
import { BusApi } from '../dbus/bus-api.ts';
import { UnitWatch } from '../dbus/unit-watch.ts';
import { openDirectories } from '../directories/open-directories.ts';
import { ACCOUNTS_LOCK, PasswordFileLock } from '../host/accounts-lock.ts';
import { CLOCK, freshName, RANDOMNESS } from '../host/clock-and-randomness.ts';
import { readGroupFile } from '../host/group-file.ts';
import { openHelpers } from '../host/helper/open-helpers.ts';
import { checkHelper } from '../host/helper/process.ts';
import { AcceptSocket } from '../host/libc/accept.ts';
import { leasesPastLimit, reserveDescriptors } from '../host/libc/descriptors.ts';
import { NSCD_SOCKET, Nscd } from '../host/nscd.ts';
import { HostOwnerHints } from '../host/owner-hints.ts';
import { PeerReader } from '../host/processes/peer.ts';
import { Standings } from '../host/processes/standing.ts';
import { ProcessWatch } from '../host/processes/watch.ts';
import { openRuntimeDirectory, takeRuntimeLock } from '../host/runtime-lock.ts';
import { activateSuccessor } from '../host/systemd/activate-successor.ts';
import type { PassedSocket } from '../host/systemd/listen-fds.ts';
import type { Notify } from '../host/systemd/notify.ts';
import { type KeptLocks, openUidLocks } from '../host/systemd/open-uid-locks.ts';
import { DAEMON_LOCK, LEASES, PUBLIC_MODE } from '../registry/layout.ts';
import { Store } from '../registry/store.ts';
import { Turns } from '../varlink/turns.ts';
import { linkDatabase, listening, openToAllowed } from './listening.ts';
import type { LiveConfig } from './live-config.ts';
import type { Logger } from './logger.ts';
import { reloadConfig } from './reload.ts';

/** How long calls in flight may take to end when the daemon stops, in milliseconds. */
const STOP_GRACE_MS = 2_000;

const INFO = {
  vendor: 'dynuser',
  product: 'dynuserd',
  version: VERSION,
  url: 'man:dynuserd(8)',
};

/** What the process gives the daemon, with its configuration. */
export interface DaemonOptions {
  readonly config: LiveConfig;
  readonly logger: Logger;
  /** the path of dynuser-helper */
  readonly helper: string;
  readonly notify: Notify;
  /** the sockets that a service manager opened for us */
  readonly sockets: readonly PassedSocket[];
  /** what the service manager keeps for us */
  readonly kept: KeptLocks;
  /** $DBUS_SYSTEM_BUS_ADDRESS */
  readonly busAddress: string | undefined;
}

export interface Daemon {
  /** Stops in reverse order; leases stay for the next start. May be called again. */
  stop(): Promise<void>;
  /** Reads the configuration again; what is wrong with it is said in the log, and changes nothing. */
  reload(): void;
  /** resolves when the daemon has stopped by itself, since it had nothing to do */
  readonly idle: Promise<void>;
}

/**
 * Starts everything; when it returns, the daemon answers.
 * @throws DynuserError what is wrong with the host, in words a person can act on
 */
export async function startDaemon(surroundings: DaemonOptions): Promise<Daemon> {
  const { config: live, logger, helper, notify, sockets, busAddress } = surroundings;
  const config = live.current;
  checkHelper(helper);
  const runtime = openRuntimeDirectory(config.runtimeDirectory, PUBLIC_MODE);
  const runtimeLock = takeRuntimeLock(runtime, DAEMON_LOCK);
  if (runtimeLock === undefined) {
    throw new DynuserError('HostFailed', `another dynuserd is running on ${config.runtimeDirectory}; stop it first`);
  }
  // Before locks are taken again: no lease must be lost for lack of a descriptor.
  const descriptors = reserveDescriptors(
    `${config.runtimeDirectory}/${LEASES}`,
    config.maxConnections,
    socketDescriptors,
  );
  if (descriptors.connections < config.maxConnections) {
    logger.warn(
      { ...descriptors },
      'the hard limit on descriptors is enough for fewer connections than MaxConnections=',
    );
  }
  const onFailure = (what: string, cause: unknown) => logger.error({ err: cause }, what);
  const { locks, lockStore } = openUidLocks({
    ...{ ...surroundings.kept, runtimeDirectory: config.runtimeDirectory, helper },
    report: (what, cause) => logger.warn({ err: cause }, what),
  });
  const registry = new Store(runtime, (file, reason) => logger.warn({ file, reason }, 'set aside in the registry'));
  const users = new UserTable();
  const report = recover({ registry, locks, users });
  const onLost = ({ name: user, uid, lost: reason }: DynamicUser, cause?: unknown) =>
    logger.error({ user, uid, reason, err: cause }, 'a user has lost its UID: nothing of that UID is touched any more');
  for (const user of report.lost) {
    onLost(user);
  }
  const probeSettings = {
    get deadlineMs() {
      return live.current.probeTimeoutMs;
    },
  };
  const { range } = config;
  const { reaper, probes, publicProbes, pathInspector } = openHelpers(helper, range, probeSettings, (uid, removed) =>
    logger.warn({ uid, ...removed }, 'IPC objects that others had given to a UID were removed'),
  );
  const nameCache = new Nscd(NSCD_SOCKET);
  const directories = openDirectories(helper, { hints: new HostOwnerHints(), inspector: pathInspector });
  const reservations = new Reservations();
  const coolDown = new CoolDown(CLOCK, {
    get durationMs() {
      return live.current.coolDownMs;
    },
  });
  const teardown = new Teardown({
    ...{ users, registry, locks, reaper, nameCache, directories, coolDown },
    get graceMs() {
      return live.current.killGraceMs;
    },
    onLost,
    onLeftovers: ({ name, uid }, left) =>
      logger.warn(
        { user: name, uid, left },
        'a user that ended has leftovers: its UID stays reserved until they are gone',
      ),
  });
  for (const user of report.ending) {
    void teardown.resume(user);
  }
  const release = { users, registry, directories, teardown };
  const choice = {
    ...{ range, users, reservations, coolDown, locks, directories, teardown, clock: CLOCK, randomness: RANDOMNESS },
  };
  const queue = new KeyedQueue<UserName>();
  const capacity = { leases: descriptors.leases, refusal: leasesPastLimit(descriptors.leases) };
  const waitMs = () => live.current.probeTimeoutMs;
  const accounts = new PasswordFileLock(ACCOUNTS_LOCK, waitMs, what => logger.warn(what));
  const allocator = new Allocator({ ...choice, probes, registry, accounts, nameCache, queue, onLost, capacity });
  const explain = { ...choice, allocator };
  const lockWatch = new LockWatch({ users, registry, locks, onLost, onFailure });
  const turns = new Turns();
  const bus = openBus(busAddress, turns, logger);
  const processes = new ProcessWatch(onFailure);
  const units = new UnitWatch(bus, onFailure);
  const watched = { users, processes, onFailure, release: (lease: LeaseId) => releaseGone(release, lease) };
  const lifetimes = new Lifetimes({ ...watched, units });
  const claims = new Claims({ ...watched, graceMs: config.connectionGraceMs });
  const connectionLeases = new ConnectionLeases(release, onFailure);
  const authorization = new Authorization(live, probes.for({ ...ROOT, isRoot: false }));
  const acquisition = new Acquisition({
    ...{ allocator, release, directories, lifetimes, claims, connectionLeases, authorization: authorization },
  });
  const standings = new Standings();
  const busAllocator = new BusAllocator(users, acquisition, directories, pid => standings.ofNumber(pid));
  const busApi = new BusApi(bus, busAllocator, onFailure);
  const peers = new PeerReader();
  const server = new Sockets({
    info: INFO,
    interfaces: [
      allocatorInterface({
        ...{
          users,
          acquisition,
          authorization: authorization,
          explain,
          teardown,
          directories,
          probes,
          publicProbes,
          freshName,
        },
        ...{ accounts: probes, groupFile: readGroupFile },
      }),
      userDatabaseInterface(users),
    ],
    identify: descriptor => {
      const peer = peers.read(descriptor);
      return {
        ...peer,
        pin: () => processes.fromPeer(descriptor),
        standing: () => standings.ofPeer(descriptor),
        sharesRoot: () => standings.sharesRoot(peer.pid),
      };
    },
    acceptCalls: new AcceptSocket(),
    turns,
    // What peers do wrong is theirs to see; what the daemon does wrong is ours.
    onFailure: ({ fault, what, cause }) => logger[fault === 'service' ? 'error' : 'debug']({ err: cause }, what),
    limits: {
      ...limitsFor(descriptors.connections),
      maxConnectionsPerPeer: config.maxConnectionsPerUser,
      idleTimeoutMs: config.idleTimeoutMs,
    },
  });
  live.onChange(({ logLevel, maxConnectionsPerUser, idleTimeoutMs }) => {
    logger.level = logLevel;
    server.adjust({ maxConnectionsPerPeer: maxConnectionsPerUser, idleTimeoutMs });
  });
  lifetimes.resume();
  const unclaimed = claims.resume();
  bus.start();
  const { path, stays, targets } = listening(config.runtimeDirectory, sockets);
  await server.listen(targets);
  const openSocket = () => openToAllowed(name => runtime.entry(name), authorization, logger);
  // One after the other, so that the last configuration is the one that stays.
  let opened = openSocket();
  live.onChange(() => {
    opened = opened.then(openSocket);
  });
  const unlink = linkDatabase(path, logger);
  notify({ state: 'ready', status: `${report.users} users` });
  logger.info({ version: VERSION, users: report.users, unclaimed, socket: path }, 'ready');

  let stopped: Promise<void> | undefined;
  const stop = async (isIdle: boolean): Promise<void> => {
    // First: a manager that knows has whoever asks for us wait, instead of taking us for running.
    notify({ state: 'stopping' });
    // A socket that the service manager opened stays when we go, and so does its name: the next lookup starts us.
    if (!stays) {
      unlink?.();
    }
    connectionLeases.stop();
    await Promise.all([server.close(STOP_GRACE_MS), busApi.retire(STOP_GRACE_MS)]);
    busApi.close();
    bus.close();
    teardown.stop();
    lockWatch.stop();
    await Promise.all([probes.close(), publicProbes.close(), reaper.close(), pathInspector.close(), processes.close()]);
    await lockStore?.close();
    standings.close();
    runtimeLock.release();
    if (isIdle && users.leaseCount > 0) {
      // A last call on the bus has acquired a user, and somebody has to see to its end.
      await activateSuccessor(path);
    }
    logger.info('stopped');
  };
  const stopOnce = (isIdle: boolean) => {
    stopped ??= stop(isIdle);
    return stopped;
  };
  const idle = new Promise<void>(resolve => {
    if (config.exitIdleMs > 0 && !stays) {
      logger.warn(
        'ExitIdleSec= is ignored: no socket was passed that could start the daemon again; enable dynuserd.socket',
      );
    } else if (config.exitIdleMs > 0) {
      new IdleWatch({
        ...{ clock: CLOCK, idleMs: config.exitIdleMs },
        busy: () =>
          server.connections + busApi.callsUnderWay + allocator.inFlight + users.leaseCount > 0 ||
          !teardown.underWay().next().done ||
          coolDown.isCooling,
        begun: () => server.accepted + busApi.calls,
        // In one tick with the last look: a connection is in the table then, or is never accepted.
        onIdle: () => {
          if (stopped === undefined) {
            logger.info('nothing to do');
            resolve(stopOnce(true));
          }
        },
      });
    }
  });
  const reload = (): void => {
    if (stopped === undefined) {
      reloadConfig(live, logger, notify);
    }
  };
  return { stop: () => stopOnce(false), reload, idle };
}

/** The bus is optional: without one, requests that need it are refused by name. */
function openBus(address: string | undefined, turns: Turns, logger: Logger): Bus {
  const socket = systemBusSocket(address);
  if ('reason' in socket) {
    throw new DynuserError('InvalidConfiguration', socket.reason);
  }
  const reports = {
    state: (connected: boolean, reason: string) => logger.info({ connected, reason }, 'message bus'),
    trouble: (what: string, cause: unknown) => logger.debug({ err: cause }, what),
  };
  return new Bus(socket.path, reports, turns);
}
