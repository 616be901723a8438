/**
 * The composition root: builds every module, hands each its ports, and knows the order of start and its reverse. Nothing is
 * decided about users here.
 */

import { Allocator } from '../allocator/allocate.ts';
import { CoolDown } from '../allocator/cool-down.ts';
import { LeaseEvents } from '../allocator/events.ts';
import { IdleWatch } from '../allocator/idle.ts';
import { Lifetimes } from '../allocator/lifetimes.ts';
import { LockWatch } from '../allocator/losses.ts';
import { compareLinks, recover } from '../allocator/recovery.ts';
import { releaseGone } from '../allocator/release.ts';
import { Reservations } from '../allocator/search.ts';
import { SharedGroups } from '../allocator/shared-groups.ts';
import { Teardown } from '../allocator/teardown.ts';
import { UserTable } from '../allocator/user-table.ts';
import { Acquisition } from '../api/acquire.ts';
import { allocatorInterface } from '../api/allocator.ts';
import { Authorization } from '../api/authorization.ts';
import { busAllocator } from '../api/bus-allocator.ts';
import { ConnectionLeases } from '../api/connection-leases.ts';
import { metricsInterface } from '../api/metrics.ts';
import { nameServiceAnswer } from '../api/name-service.ts';
import { rehearse } from '../api/rehearsal.ts';
import { isRoot, limitsFor, Sockets, socketDescriptors } from '../api/sockets.ts';
import { userDatabaseInterface } from '../api/user-database.ts';
import { ROOT } from '../core/access.ts';
import { DynuserError } from '../core/errors.ts';
import type { UnitName } from '../core/ids.ts';
import { restrictsPackets } from '../core/packet-rules.ts';
import { ALLOCATOR_SOCKET, FLEET_SNAPSHOT, NSCD_DIRECTORY, SOCKET } from '../core/paths.ts';
import { mergeIntervals, rangeOfUnit } from '../core/range.ts';
import { VERSION, versionWords } from '../core/version.ts';
import { Bus, systemBusSocket } from '../dbus/bus.ts';
import { BusApi } from '../dbus/bus-api.ts';
import { UnitWatch } from '../dbus/unit-watch.ts';
import { openDirectories, sweepTreeLocks } from '../directories/open-directories.ts';
import { HISTORY_RETRY_MS, HistoryWriter } from '../history/writer.ts';
import { ACCOUNTS_LOCK, PasswordFileLock } from '../host/accounts-lock.ts';
import { AuditSocket } from '../host/audit-socket.ts';
import { bootId, CLOCK, freshName, RANDOMNESS, uptime } from '../host/clock-and-randomness.ts';
import { readGroupFile } from '../host/group-file.ts';
import { HelperPathInspector } from '../host/helper/path-inspector.ts';
import { ACQUIRING_LIMITS, PUBLIC_LIMITS } from '../host/helper/pool.ts';
import { HelperProbe } from '../host/helper/probe.ts';
import { checkHelper, type HelperCommand } from '../host/helper/process.ts';
import { HelperReaper } from '../host/helper/reaper.ts';
import { KERNEL } from '../host/kernel.ts';
import { AcceptSocket } from '../host/libc/accept.ts';
import { DESCRIPTORS_PER_LEASE, leasesPastLimit, reserveDescriptors } from '../host/libc/descriptors.ts';
import { AcceptVarlinkSocket, markEntryPoint } from '../host/libc/varlink-socket.ts';
import { NO_CACHE, NSCD_SOCKET, Nscd } from '../host/nscd.ts';
import { HostOwnerHints } from '../host/owner-hints.ts';
import { NFT_PROGRAMS, NftPacketFilter, PACKET_WATCH_MS } from '../host/packet-filter.ts';
import { numberFor } from '../host/processes/numbers.ts';
import { PeerReader } from '../host/processes/peer.ts';
import { Standings } from '../host/processes/standing.ts';
import { ProcessWatch } from '../host/processes/watch.ts';
import { openRuntimeDirectory, takeRuntimeLock } from '../host/runtime-lock.ts';
import { activateSuccessor } from '../host/systemd/activate-successor.ts';
import type { PassedSocket } from '../host/systemd/listen-fds.ts';
import { type KeptLocks, openLockStore } from '../host/systemd/lock-store.ts';
import type { Notify } from '../host/systemd/notify.ts';
import { hasLockFile, SYSTEMD_LOCK_DIRECTORY, SystemdUidLocks } from '../host/systemd/uid-lock.ts';
import { nscdDescriptors, nscdLimits } from '../nscd/limits.ts';
import { DAEMON_LOCK, PUBLIC_MODE, Store } from '../registry/store.ts';
import { Turns } from '../varlink/turns.ts';
import { auditUsers } from './audit.ts';
import type { Config } from './config.ts';
import { isFleets, openFleet } from './fleet.ts';
import { logLeases } from './lease-log.ts';
import { linkSocket, listening, openToAllowed } from './listening.ts';
import type { LiveConfig } from './live-config.ts';
import type { Logger } from './logger.ts';
import { counted, DaemonMetrics } from './metrics.ts';
import { openNameService } from './name-service.ts';

/** How long calls in flight may take to end when the daemon stops, in milliseconds. */
const STOP_GRACE_MS = 2_000;

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
  /** where the history is kept; undefined: a second daemon, whose users are not those of the history */
  readonly historyDirectory: string | undefined;
  /** where it is kept what this host holds of a fleet; undefined: a second daemon, whose users are this host's alone */
  readonly fleetDirectory: string | undefined;
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
  const { runtimeDirectory } = config;
  checkHelper(helper);
  const runtime = openRuntimeDirectory(runtimeDirectory, PUBLIC_MODE);
  const releaseRuntimeLock = takeRuntimeLock(runtime, DAEMON_LOCK);
  if (releaseRuntimeLock === undefined) {
    throw new DynuserError('HostFailed', `another dynuserd is running on ${runtimeDirectory}; stop it first`);
  }
  const registry = new Store(runtime, (file, reason) => logger.warn({ file, reason }, 'set aside in the registry'));
  const found = registry.load();
  // Before locks are taken again: no lease must be lost for lack of a descriptor.
  const locked = [...found.users, ...found.ending].filter(({ dynamic, uid }) => dynamic && hasLockFile(uid));
  const descriptors = reserveDescriptors(
    locked.length,
    config,
    connections => socketDescriptors(connections) + nscdDescriptors(connections),
  );
  if (descriptors.connections < config.maxConnections) {
    logger.warn(
      { ...descriptors },
      'the hard limit on descriptors is enough for fewer connections than MaxConnections=',
    );
  }
  const onFailure = (what: string, cause: unknown) => logger.error({ err: cause }, what);
  const warn = (what: string, cause?: unknown) => logger.warn({ err: cause }, what);
  const lockStore = openLockStore({ ...surroundings.kept, runtimeDirectory, helper, onFailure: warn });
  const locks = new SystemdUidLocks(SYSTEMD_LOCK_DIRECTORY, warn, lockStore);
  const events = new LeaseEvents(onFailure);
  const adjustLeaseLog = logLeases(events, logger, CLOCK);
  const users = new UserTable(events);
  const flushAudit = auditUsers(
    events,
    () => live.current.audit === 'auto',
    () => new AuditSocket(),
    logger,
  );
  const history = openHistory(surroundings, events, users);
  const report = recover({ registry, locks, users, events }, found);
  const probeTimeoutMs = () => live.current.probeTimeoutMs;
  let searching = searchCommand(helper, config);
  const reaper = new HelperReaper(searching, (uid, removed) =>
    logger.warn({ uid, ...removed }, 'IPC objects that others had given to a UID were removed'),
  );
  // Only the reaper's helpers have the rights that it takes to remove anything.
  const probes = new HelperProbe(searching, probeTimeoutMs, ACQUIRING_LIMITS, uid => reaper.removeGifts(uid));
  probes.warm();
  const publicProbes = new HelperProbe(searching, probeTimeoutMs, PUBLIC_LIMITS);
  const pathInspector = new HelperPathInspector([helper]);
  const packetFilter = new NftPacketFilter({ runtime, warn, programs: NFT_PROGRAMS, watchMs: PACKET_WATCH_MS });
  // Ending users have theirs until their processes are gone.
  const restricted = [...users.live(), ...report.ending].flatMap(({ uid, packetRules }) =>
    restrictsPackets(packetRules) ? [[uid, packetRules] as const] : [],
  );
  // The kernel has them still unless the host has lost its rules, too.
  await packetFilter.restore(new Map(restricted)).catch(error => warn('cannot renew the rules for packets', error));
  const { path, stays, targets } = listening(runtimeDirectory, sockets);
  const turns = new Turns();
  const peers = new PeerReader();
  const standings = new Standings();
  runtime.subdirectory(NSCD_DIRECTORY, PUBLIC_MODE).close();
  const processes = new ProcessWatch(onFailure);
  const metrics: DaemonMetrics = new DaemonMetrics({
    ...{ events, users },
    cooling: () => coolDown.count,
    range: () => live.current.range,
    connections: () => ({ open: server.connections, accepted: server.accepted }),
    helpersEnded: () => [probes, publicProbes, reaper].reduce((sum, { endedCount }) => sum + endedCount, 0),
  });
  const nameService = await openNameService({
    answer(question, unknown) {
      // Who asks may know of the end of a process before we do.
      processes.notice();
      metrics.countLookup();
      return nameServiceAnswer(users, question, unknown);
    },
    identify(descriptor) {
      const { uid } = peers.read(descriptor);
      return { owner: uid, isRoot: isRoot({ uid, standing: () => standings.ofPeer(descriptor) }) };
    },
    target: targets.nscd,
    servesHost: config.nscdSocket,
    limits: nscdLimits(descriptors.connections),
    ...{ acceptCalls: new AcceptSocket(), turns, logger, now: () => performance.now() },
  });
  // Whatever answers there does not remember: it is ourselves.
  const nameCache = nameService.isHosts ? NO_CACHE : new Nscd(NSCD_SOCKET);
  const directories = openDirectories(helper, {
    ...{ hints: new HostOwnerHints(), inspector: pathInspector },
    sharedStorages: () => (live.current.fleet === 'off' ? [] : live.current.sharedStorages),
  });
  const coolDown = new CoolDown(CLOCK, {
    get durationMs() {
      return live.current.coolDownMs;
    },
  });
  const base = { events, users, registry, locks, directories, nameCache, packetFilter, coolDown, onFailure };
  const teardown = new Teardown({
    ...base,
    reaper,
    get graceMs() {
      return live.current.killGraceMs;
    },
  });
  const release = { ...base, teardown };
  if (config.fleet === 'off') {
    // It may have been in a fleet before, whose users are not looked up here any more.
    runtime.remove(FLEET_SNAPSHOT);
  }
  // A host without a fleet does not even read the code.
  const fleet =
    config.fleet === 'off' ? undefined : await openFleet({ ...surroundings, peers, runtime, users, release });
  const choice = {
    ...release,
    rangeOf: (unit: UnitName) => rangeOfUnit(unit, live.current.range, live.current.unitRanges),
    reservations: new Reservations(),
    clock: CLOCK,
    randomness: RANDOMNESS,
  };
  const capacity = {
    hasRoom: (underWay: number) =>
      locks.fileCount + processes.pinnedCount + DESCRIPTORS_PER_LEASE * (underWay + 1) <= descriptors.ofLeases,
    refusal: leasesPastLimit(descriptors.ofLeases),
  };
  const accounts = new PasswordFileLock(ACCOUNTS_LOCK, probeTimeoutMs, what => logger.warn(what));
  const allocator = new Allocator({
    ...{ ...choice, probes, accounts, capacity },
    ...(fleet === undefined ? {} : { fleet }),
    get limits() {
      return live.current;
    },
  });
  const sharedGroups = new SharedGroups({ ...base, allocator, release, probes, randomness: RANDOMNESS });
  sharedGroups.resume(report.ending);
  for (const user of report.ending) {
    void teardown.resume(user);
  }
  history?.start();
  const lockWatch = new LockWatch(base);
  const bus = openBus(busAddress, turns, logger);
  const units = new UnitWatch(bus, onFailure);
  const lifetimes = new Lifetimes({
    ...base,
    clock: CLOCK,
    processes,
    units,
    userProcesses: reaper,
    graceMs: config.connectionGraceMs,
    release: lease => releaseGone(release, lease),
  });
  const connectionLeases = new ConnectionLeases(release, events, onFailure);
  const authorization = new Authorization(live, probes.for({ ...ROOT, isRoot: false }));
  const acquisition = new Acquisition({
    ...{ sharedGroups, release, events, directories, lifetimes, connectionLeases, authorization },
  });
  const busPort = busAllocator(users, events, acquisition, pid => standings.ofNumber(pid));
  const busApi = new BusApi(bus, busPort, onFailure);
  const server = new Sockets({
    info: { vendor: 'dynuser', product: 'dynuserd', version: versionWords(), url: 'man:dynuserd(8)' },
    interfaces: [
      allocatorInterface({
        ...release,
        acquisition,
        authorization,
        explain: { ...choice, allocator, ...(fleet === undefined ? {} : { fleet }) },
        probes,
        publicProbes,
        freshName,
        accounts: probes,
        groupFile: readGroupFile,
        kernel: KERNEL,
        packetFilter,
        isFleets: user => isFleets(fleet, user),
        fleet,
        reload: () => live.reload(logger, notify),
      }),
      counted(
        userDatabaseInterface(users, () => processes.notice(), fleet?.bindings),
        () => metrics.countLookup(),
      ),
      metricsInterface(() => metrics.families()),
    ],
    identify: descriptor => {
      const peer = peers.read(descriptor);
      return {
        ...peer,
        pin: () => processes.fromPeer(descriptor),
        standing: () => standings.ofPeer(descriptor),
        sharesRoot: () => standings.sharesRoot(peer.pid),
        sharesNetwork: () => standings.sharesNetwork(peer.pid),
        numberOf: pid => numberFor(peer.pid, pid),
      };
    },
    acceptCalls: new AcceptVarlinkSocket(),
    turns,
    // What peers do wrong is theirs to see; what the daemon does wrong is ours.
    onFailure: ({ fault, what, cause }) => logger[fault === 'service' ? 'error' : 'debug']({ err: cause }, what),
    limits: {
      ...limitsFor(descriptors.connections),
      maxConnectionsPerPeer: config.maxConnectionsPerUser,
      idleTimeoutMs: config.idleTimeoutMs,
    },
  });
  live.onChange(changed => {
    const wanted = searchCommand(helper, changed);
    if (wanted.join() !== searching.join()) {
      searching = wanted;
      for (const helpers of [probes, publicProbes, reaper]) {
        helpers.renew(wanted);
      }
    }
  });
  live.onChange(({ logLevel, maxConnectionsPerUser, idleTimeoutMs }) => {
    logger.level = logLevel;
    adjustLeaseLog();
    history?.adjust();
    server.adjust({ maxConnectionsPerPeer: maxConnectionsPerUser, idleTimeoutMs });
  });
  const unclaimed = lifetimes.resume();
  const stopSweep = sweepTreeLocks();
  bus.start();
  await server.listen(targets);
  const openSocket = () => openToAllowed(name => runtime.entry(name), authorization, logger);
  // One after the other, so that the last configuration is the one that stays.
  let opened = openSocket();
  live.onChange(() => {
    opened = opened.then(openSocket);
  });
  const unlink = linkSocket(path, logger);
  fleet?.start();
  for (const name of [SOCKET, ALLOCATOR_SOCKET]) {
    markEntryPoint(runtime.entry(name));
  }
  notify({ state: 'ready', status: `${report.users} users` });
  logger.info({ version: versionWords(), users: report.users, unclaimed, socket: path }, 'ready');
  rehearse(KERNEL).catch(error => warn('no launch could be rehearsed', error));
  compareLinks({ registry, users }).catch(error => warn('cannot compare the links of users', error));

  let stopped: Promise<void> | undefined;
  const stop = async (isIdle: boolean): Promise<void> => {
    // First: a manager that knows has whoever asks for us wait, instead of taking us for running.
    notify({ state: 'stopping' });
    // A socket that the service manager opened stays when we go, and so does its name: the next lookup starts us.
    if (!stays) {
      unlink();
    }
    connectionLeases.stop();
    await Promise.all([server.close(STOP_GRACE_MS), busApi.retire(STOP_GRACE_MS), nameService.close()]);
    busApi.close();
    bus.close();
    await fleet?.stop();
    teardown.stop();
    stopSweep();
    lockWatch.stop();
    await history?.stop(STOP_GRACE_MS);
    await flushAudit(STOP_GRACE_MS);
    await Promise.all([probes.close(), publicProbes.close(), reaper.close(), pathInspector.close(), processes.close()]);
    await packetFilter.close();
    await lockStore?.close();
    standings.close();
    releaseRuntimeLock();
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
        clock: CLOCK,
        idleMs: config.exitIdleMs,
        busy: () =>
          server.connections + nameService.connections + busApi.callsUnderWay + allocator.inFlight + users.leaseCount >
            0 ||
          !teardown.underWay().next().done ||
          coolDown.isCooling,
        begun: () => server.accepted + nameService.accepted + busApi.calls,
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
      try {
        live.reload(logger, notify);
      } catch {
        // It was said in the log.
      }
    }
  };
  return { stop: () => stopOnce(false), reload, idle };
}

/** The helpers that search for what a UID is used by: they are told which UIDs dynamic users have. */
function searchCommand(helper: string, { range, unitRanges, fleet, fleetRange }: Config): HelperCommand {
  const ofFleet = fleet === 'off' ? [] : [fleetRange];
  const intervals = mergeIntervals([range, ...unitRanges.map(unit => unit.range), ...ofFleet]);
  return [helper, intervals.map(({ first, last }) => `${first}-${last}`).join(',')];
}

/** Listens at once, and writes nothing before it is started. */
function openHistory(
  { historyDirectory: directory, config: live, logger }: DaemonOptions,
  events: LeaseEvents,
  users: UserTable,
): HistoryWriter | undefined {
  if (directory === undefined) {
    return undefined;
  }
  return new HistoryWriter({
    ...{ directory, events, origin: `boot=${bootId()} version=${VERSION}` },
    users: () => [...users.dynamic(), ...users.ending()],
    clock: { ...CLOCK, uptime },
    limits: () => live.current.historyLimits,
    onTrouble: reason =>
      logger.error(
        { directory, reason },
        `the history cannot be written, and users are allocated all the same: ${reason}; it is tried again every ${HISTORY_RETRY_MS / 1_000} s`,
      ),
    onRecovery: () => logger.info({ directory }, 'the history is written again'),
  });
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
