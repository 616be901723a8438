/** io.dynuser.Fleet: calls of root → transactions of the fleet. Parameters are checked here, and behind it nobody checks them again. */
import {
  type BindingsParameters,
  type BindingsReply,
  type CollectParameters,
  type CreateParameters,
  FLEET_INTERFACE,
  type ForgetHostParameters,
  type ForgetHostReply,
  type ForgetParameters,
  type FreeDirectoryParameters,
  type HoldAgainParameters,
  type HoldAgainReply,
  type HoldParameters,
  type HoldReply,
  type HoldsOfParameters,
  type JoinParameters,
  type JoinReply,
  type LeaveParameters,
  type NameParameters,
  type RestoreParameters,
  type RestoreReply,
  type StatusReply,
  type TakeDirectoryParameters,
} from '../api/generated/io-dynuser-fleet.ts';
import { HOST_ID, INCARNATION } from '../core/fleet.ts';
import { asUid } from '../core/ids.ts';
import { parseUserName } from '../core/name.ts';
import { parseRange } from '../core/range.ts';
import { expectedMore, VarlinkError } from '../varlink/errors.ts';
import type { Call, InterfaceImplementation } from '../varlink/handler.ts';
import type { JsonObject } from '../varlink/json.ts';
import { FleetError } from './errors.ts';
import { type Fleet, PRESENCE_SEC } from './fleet.ts';
import { type KeyStore, StoreUnavailable, within } from './key-store.ts';
import { fencedFrom, isFenced } from './keys.ts';
import { bindingIn, type Mirror, type MirrorChanges } from './mirror.ts';
import type { Presence } from './presence.ts';
import type { Member } from './seen-store.ts';

const INTERFACE = 'io.dynuser.Fleet';
/** Changes, holds and bindings in one message, as the interface says. */
const BATCH_MAX = 500;
const CANDIDATES_MAX = 64;
/** How long a call that somebody waits for may take with all its transactions, in milliseconds: less than dynuserd waits. */
const CALL_MS = 4_000;
/** Methods without that bound: an operator asks for them, or they take long. */
const UNBOUNDED: ReadonlySet<string> = new Set([
  'Bindings',
  'Collect',
  'ForgetHost',
  'HoldsOf',
  'Hosts',
  'Leave',
  'Restore',
]);
/** Hosts and directories of a name that are told. */
const TOLD_MAX = 500;
/** PATH_MAX, limits.h, and as much for what names a storage. */
const PATH_BYTES_MAX = 4_096;

export interface FleetPeer {
  readonly uid: number;
}

export interface ServiceDeps {
  readonly fleet: Fleet;
  readonly keys: KeyStore;
  readonly mirror: Mirror;
  readonly presence: Presence;
  /** Fleet= and where its store is */
  readonly fleetName: string;
  readonly location: string;
}

type FleetCall = Call<FleetPeer>;

/** @returns what a varlink server serves */
export function fleetInterface(deps: ServiceDeps): InterfaceImplementation<FleetPeer> {
  const { fleet } = deps;
  const handlers: Readonly<Record<string, (call: FleetCall) => Promise<JsonObject>>> = {
    Status: () => status(deps),
    Create: taking<CreateParameters>(async ({ ranges }) => {
      const range = parseRange(ranges);
      if (typeof range === 'string') {
        throw invalid('ranges', range);
      }
      await fleet.create(ranges);
      return {};
    }),
    Join: taking<JoinParameters>(parameters => join(deps, parameters)),
    Hold: taking<HoldParameters>(async ({ candidates, ...parameters }): Promise<HoldReply> => {
      if (candidates.length === 0 || candidates.length > CANDIDATES_MAX || !candidates.every(isUid)) {
        throw invalid('candidates', `it must have 1 to ${CANDIDATES_MAX} UIDs`);
      }
      const { uid, isFresh } = await fleet.hold(memberOf(parameters), checkName(parameters.name), candidates);
      return { uid, fresh: isFresh };
    }),
    HoldAgain: taking<HoldAgainParameters>(async parameters => {
      const { uid } = parameters;
      if (!isUid(uid)) {
        throw invalid('uid', 'it must be a UID');
      }
      const held = await fleet.holdAgain(memberOf(parameters), { name: checkName(parameters.name), uid });
      return { held } satisfies HoldAgainReply;
    }),
    Forget: taking<ForgetParameters>(async parameters => {
      await fleet.forget(memberOf(parameters), checkName(parameters.name), parameters.seen);
      return {};
    }),
    HoldsOf: async call => {
      const { host } = call.parameters as HoldsOfParameters;
      const holds = await fleet.holdsOf(checkHost(host));
      return call.more
        ? lastOf(
            call,
            batches(holds).map(batch => ({ holds: batch })),
          )
        : { holds };
    },
    Bindings: call => bindings(deps, call),
    TakeDirectory: taking<TakeDirectoryParameters>(async parameters => {
      await fleet.takeDirectory(memberOf(parameters), checkDirectory(parameters), checkName(parameters.name));
      return {};
    }),
    FreeDirectory: taking<FreeDirectoryParameters>(async parameters => {
      await fleet.freeDirectory(checkDirectory(parameters));
      return {};
    }),
    Hosts: async call => {
      const hosts = await fleet.hosts();
      return call.more
        ? lastOf(
            call,
            hosts.map(host => ({ host })),
          )
        : { hosts };
    },
    Name: taking<NameParameters>(async ({ name }) => {
      const { hosts, directories, ...found } = await fleet.name(checkName(name));
      return { ...found, hosts: hosts.slice(0, TOLD_MAX), directories: directories.slice(0, TOLD_MAX) };
    }),
    Collect: async call => {
      const { name } = call.parameters as CollectParameters;
      if (!call.more) {
        throw expectedMore();
      }
      for await (const freed of fleet.collect(name === undefined ? undefined : checkName(name))) {
        call.send({ ...freed });
      }
      return {};
    },
    ForgetHost: taking<ForgetHostParameters>(async ({ host, evenAlive }): Promise<ForgetHostReply> => {
      return { names: await fleet.forgetHost(checkHost(host), evenAlive === true) };
    }),
    Leave: taking<LeaveParameters>(async parameters => {
      deps.presence.drop(checkHost(parameters.host));
      await fleet.leave(memberOf(parameters));
      return {};
    }),
    Restore: taking<RestoreParameters>(async ({ bindings: records, last, ...who }): Promise<RestoreReply> => {
      if (records.length > BATCH_MAX || !records.every(({ uid }) => isUid(uid))) {
        throw invalid('bindings', `it must have at most ${BATCH_MAX} names with UIDs`);
      }
      const checked = records.map(({ name, uid }) => ({ name: checkName(name), uid }));
      return { conflicts: await fleet.restoring.restore(memberOf(who), checked, last) };
    }),
    Resume: async () => {
      await fleet.restoring.resume();
      return {};
    },
  };
  const methods = Object.entries(handlers).map(
    ([name, handler]) => [name, ofRoot(deps, UNBOUNDED.has(name) ? handler : bounded(handler))] as const,
  );
  return { description: FLEET_INTERFACE, methods: Object.fromEntries(methods) };
}

/** The parameters are as the interface declares them: the library has checked that. */
function taking<Parameters>(handler: (parameters: Parameters) => Promise<JsonObject>) {
  return (call: FleetCall) => handler(call.parameters as Parameters);
}

/** A call that is late may be done or not, as with every StoreUnavailable. */
function bounded(handler: (call: FleetCall) => Promise<JsonObject>) {
  const late = `the store has not answered within ${CALL_MS / 1_000} s; check it and the network`;
  return (call: FleetCall) => within(CALL_MS, late, handler(call));
}

function ofRoot({ fleetName }: ServiceDeps, handler: (call: FleetCall) => Promise<JsonObject>) {
  return async (call: FleetCall): Promise<JsonObject> => {
    if (call.peer.uid !== 0) {
      throw new VarlinkError(`${INTERFACE}.NotPermitted`, { reason: 'only root may ask for this; run it as root' });
    }
    try {
      return await handler(call);
    } catch (error) {
      if (error instanceof StoreUnavailable) {
        throw new VarlinkError(`${INTERFACE}.StoreUnavailable`, { reason: error.message });
      }
      if (error instanceof FleetError) {
        const detail = error.code === 'NoFleet' ? { fleet: fleetName } : error.detail;
        throw new VarlinkError(`${INTERFACE}.${error.code}`, { ...detail });
      }
      throw error;
    }
  };
}

async function status({ fleet, keys, mirror, fleetName, location }: ServiceDeps): Promise<StatusReply> {
  const known = { fleet: fleetName, store: keys.kind, location };
  try {
    const { ranges, isRestoring, cluster, revision } = await fleet.status();
    const reason = mirror.trouble === undefined ? {} : { reason: mirror.trouble };
    return { ...known, reachable: true, ranges, position: { cluster, revision }, restoring: isRestoring, ...reason };
  } catch (error) {
    if (error instanceof FleetError && error.code === 'NoFleet') {
      const reason = `the store has no fleet ${fleetName}; make it with "dynuserctl fleet create", or check Fleet= and Store=`;
      return { ...known, reachable: true, restoring: false, reason };
    }
    if (error instanceof StoreUnavailable) {
      return { ...known, reachable: false, restoring: false, reason: error.message };
    }
    throw error;
  }
}

async function join({ fleet, keys, presence }: ServiceDeps, parameters: JoinParameters): Promise<JoinReply> {
  const { host, hostName, version, incarnation: recorded, next, renew, ranges, seen } = parameters;
  checkHost(host);
  checkIncarnation('next', next);
  if (isFenced(next)) {
    throw invalid('next', 'it is a fence; choose another text');
  }
  for (const [field, text] of Object.entries({ hostName, version, ranges })) {
    if (text === '' || Buffer.byteLength(text) > 1_024) {
      throw invalid(field, 'it must have 1 to 1024 bytes');
    }
  }
  const expiry = await keys.expiry(PRESENCE_SEC);
  const joined = await fleet.join({ host, hostName, version, recorded, next, renew, ranges, seen }, expiry);
  const { state, incarnation } = joined;
  if (state === 'fenced') {
    presence.drop(host);
  } else {
    presence.keep({ host, incarnation }, { hostName, version }, expiry);
  }
  return joined;
}

/**
 * First everything, or what has changed since the caller was here, as the store has it now; then each change.
 * @throws FleetError NotMember when this host is given up, Restoring when somebody sees that the store went back
 */
async function bindings({ fleet, mirror, presence }: ServiceDeps, call: FleetCall): Promise<JsonObject> {
  const { since, once } = call.parameters as BindingsParameters;
  if (!call.more) {
    throw expectedMore();
  }
  /** what the mirror hears before everything is read */
  const early: MirrorChanges[] = [];
  let hear = (changes: MirrorChanges) => {
    early.push(changes);
  };
  let endWith: (error: FleetError) => void = () => undefined;
  const ended = new Promise<never>((_, reject) => {
    endWith = reject;
  });
  ended.catch(() => undefined);
  const unlisten = mirror.listen({
    changed: changes => hear(changes),
    suspended: () => endWith(new FleetError('Restoring', {})),
    fenced(member) {
      if (presence.has(member)) {
        presence.drop(member.host);
        endWith(new FleetError('NotMember', { incarnation: fencedFrom(member.incarnation) }));
      }
    },
  });
  try {
    const { entries, cluster, revision } = await fleet.uids();
    const all = entries.flatMap(entry => bindingIn(entry) ?? []);
    const former = since !== undefined && since.cluster === cluster ? mirror.since(since) : undefined;
    const isThere = new Set(all.map(({ uid }) => uid));
    const first =
      since === undefined || former === undefined
        ? all
        : [
            ...former.filter(({ uid, state }) => state === 'free' && !isThere.has(uid)),
            ...all.filter(change => change.revision > since.revision),
          ];
    const replies = batched({ cluster, revision, reset: former === undefined, changes: first });
    if (once === true) {
      return lastOf(call, replies);
    }
    for (const reply of replies) {
      call.send(reply);
    }
    let last = revision;
    hear = changes => {
      // The mirror may be behind what was read; a name that was freed in between is not in it.
      const fresh = changes.reset
        ? changes.changes
        : changes.changes.filter(
            change => change.revision > last || (change.state === 'free' && !isThere.has(change.uid)),
          );
      if (changes.reset || fresh.length > 0) {
        last = changes.reset ? changes.revision : Math.max(last, changes.revision);
        for (const reply of batched({ ...changes, revision: last, changes: fresh })) {
          call.send(reply);
        }
      }
      for (const { uid, state } of fresh) {
        if (state === 'free') {
          isThere.delete(uid);
        } else {
          isThere.add(uid);
        }
      }
    };
    for (const changes of early.splice(0)) {
      // A reset that came meanwhile is older than what was read.
      if (!changes.reset || changes.cluster !== cluster || changes.revision > revision) {
        hear(changes);
      }
    }
    await Promise.race([new Promise<void>(resolve => call.connection.onClose(resolve)), ended]);
    // Nobody reads it: the connection is gone.
    return { position: { cluster, revision: last }, reset: false, complete: true, changes: [] };
  } finally {
    unlisten();
  }
}

/** @returns at least one message; the last one says that it is complete */
function batched({ cluster, revision, reset, changes }: MirrorChanges): BindingsReply[] {
  const parts = batches(changes);
  return parts.map((part, index) => ({
    position: { cluster, revision },
    reset: reset && index === 0,
    complete: index === parts.length - 1,
    changes: part.map(({ name, uid, state }) => ({ name, uid, state })),
  }));
}

/** @returns at least one */
function batches<Value>(values: readonly Value[]): Value[][] {
  const count = Math.max(1, Math.ceil(values.length / BATCH_MAX));
  return Array.from({ length: count }, (_, index) => values.slice(index * BATCH_MAX, (index + 1) * BATCH_MAX));
}

/** Sends all but the last. @returns that, for the final reply */
async function lastOf(call: FleetCall, replies: readonly JsonObject[]): Promise<JsonObject> {
  await call.sendAll(replies.slice(0, -1));
  return replies.at(-1) ?? {};
}

function invalid(field: string, reason: string): FleetError {
  return new FleetError('InvalidParameter', { field, reason });
}

function checkHost(host: string): string {
  if (!HOST_ID.test(host)) {
    throw invalid('host', 'it must be 16 hexadecimal digits');
  }
  return host;
}

function checkIncarnation(field: string, text: string): string {
  if (!INCARNATION.test(text)) {
    throw invalid(field, 'it must have 1 to 128 letters, digits, ".", "_" and "-"');
  }
  return text;
}

function memberOf({ host, incarnation }: { readonly host: string; readonly incarnation: string }): Member {
  return { host: checkHost(host), incarnation: checkIncarnation('incarnation', incarnation) };
}

function checkName(name: string): string {
  const parsed = parseUserName(name);
  if ('reason' in parsed) {
    throw invalid('name', parsed.reason);
  }
  return parsed.name;
}

function checkDirectory({ storage, path }: { readonly storage: string; readonly path: string }) {
  if (storage === '' || Buffer.byteLength(storage) > PATH_BYTES_MAX || storage.includes('\0')) {
    throw invalid('storage', `it must have 1 to ${PATH_BYTES_MAX} bytes`);
  }
  if (!path.startsWith('/') || Buffer.byteLength(path) > PATH_BYTES_MAX || path.includes('\0')) {
    throw invalid('path', `it must begin with "/" and have at most ${PATH_BYTES_MAX} bytes`);
  }
  return { storage, path };
}

function isUid(uid: number): boolean {
  return uid !== 0 && asUid(uid) !== undefined;
}
