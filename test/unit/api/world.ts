/** io.dynuser.Allocator over the use cases on their fakes, joined as daemon/main.ts joins them; calls are made by hand. */
import assert from 'node:assert/strict';
import { Lifetimes } from '../../../src/allocator/lifetimes.ts';
import type { FleetOperations, PeerPinOutcome, PinnedProcess, UnitCheck } from '../../../src/allocator/ports.ts';
import { releaseGone } from '../../../src/allocator/release.ts';
import { Acquisition } from '../../../src/api/acquire.ts';
import { type AllocatorApiDeps, allocatorInterface, type Reloaded } from '../../../src/api/allocator.ts';
import { type AccessLists, Authorization } from '../../../src/api/authorization.ts';
import { ConnectionLeases } from '../../../src/api/connection-leases.ts';
import type { Peer } from '../../../src/api/peer.ts';
import type { Standing } from '../../../src/core/access.ts';
import { DynuserError } from '../../../src/core/errors.ts';
import type { Pid } from '../../../src/core/ids.ts';
import { VarlinkError } from '../../../src/varlink/errors.ts';
import type { Call } from '../../../src/varlink/handler.ts';
import type { JsonObject } from '../../../src/varlink/json.ts';
import { FakeProbe, gid, uid } from '../allocator/fakes.ts';
import { buildUseCases } from '../allocator/use-cases.ts';

export class FakeConnection {
  readonly id = 1;
  closed = false;
  holds = 0;
  readonly listeners = new Set<() => void>();

  onClose(listener: () => void): () => void {
    if (this.closed) {
      listener();
    } else {
      this.listeners.add(listener);
    }
    return () => this.listeners.delete(listener);
  }

  hold(): () => void {
    this.holds++;
    return () => void this.holds--;
  }

  close(): void {
    this.closed = true;
    for (const listener of this.listeners) {
      listener();
    }
  }
}

export const HOST: Standing = { kind: 'host', mayChown: true };

/** A process as the kernel shows it, and how many of them are held open. */
export class Processes {
  open = 0;
  readonly exits = new Map<number, () => void>();
  /** by number: whose it is */
  readonly owners = new Map<number, number>([[7, 0]]);

  pin(number: number): PeerPinOutcome & { readonly kind: 'running' | 'gone' } {
    const owner = this.owners.get(number);
    if (owner === undefined) {
      return { kind: 'gone' };
    }
    this.open++;
    const process: PinnedProcess = {
      identity: { boot: 'b', pid: number as Pid, startTime: 1, inode: String(number) },
      owner: () => uid(owner),
      runsAs: asked => asked === owner,
      onExit: callback => void this.exits.set(number, callback),
      signal: () => undefined,
      close: () => void this.open--,
    };
    return { kind: 'running', process };
  }
}

export interface Asked {
  readonly more?: boolean;
  readonly oneway?: boolean;
  readonly connection?: FakeConnection;
  readonly peer?: Partial<Peer>;
}

/** What a call was answered: the replies, the final one last; or the last part of the error's name, its field and its text. */
export interface Answer {
  readonly replies: readonly JsonObject[];
  readonly error?: string;
  readonly field?: unknown;
  readonly reason?: unknown;
}

export function worldOf(lists: Partial<AccessLists> = {}, range?: string, fleet?: FleetOperations) {
  const built = buildUseCases(range);
  const { events, users, probe } = built;
  const processes = new Processes();
  const publicProbe = new FakeProbe();
  const host = {
    unit: { kind: 'active' } as UnitCheck,
    checked: [] as string[],
    configuration: undefined as Reloaded | undefined,
    /** the names that are of the fleet, and whether their users are */
    ofFleet: new Map<string, boolean>(),
  };
  const failed: string[] = [];
  const onFailure = (what: string) => failed.push(what);
  const lifetimes = new Lifetimes({
    ...{ events, users, graceMs: 60_000, onFailure, clock: { now: () => 0, sinceBoot: () => 0 } },
    processes: { open: number => processes.pin(number), adopt: ({ pid }) => processes.pin(pid) },
    units: {
      check: async unit => {
        host.checked.push(unit);
        return host.unit;
      },
      watch: () => () => {},
    },
    userProcesses: { findProcess: async () => undefined },
    release: lease => releaseGone(built, lease),
  });
  const connectionLeases = new ConnectionLeases(built, events, onFailure);
  const current = { allowUsers: [], allowGroups: [], directoryUsers: [], ...lists };
  const authorization = new Authorization({ current }, probe);
  const { sharedGroups } = built;
  const acquisition = new Acquisition({
    ...{ sharedGroups, release: built, events, directories: built.directories },
    ...{ lifetimes, connectionLeases, authorization },
  });
  const deps: AllocatorApiDeps = {
    ...{ users, events, acquisition, authorization, teardown: built.teardown, directories: built.directories },
    ...{ explain: built.explainDeps, probes: probe, publicProbes: publicProbe },
    accounts: { group: async () => undefined, memberships: async (_, group) => [group], login: async () => undefined },
    reload: () => {
      if (host.configuration === undefined) {
        throw new DynuserError('InvalidConfiguration', 'file:1: wrong', {});
      }
      return host.configuration;
    },
    isFleets: ({ name }) => host.ofFleet.get(name),
    ...{ groupFile: () => '', freshName: () => 'fresh', kernel: { processor: 'x64', deniesWriteExecute: true } },
    packetFilter: built.packetFilter,
    fleet,
  };
  const { methods } = allocatorInterface(deps);
  const peerOf = (more: Partial<Peer> = {}): Peer => ({
    ...{ uid: uid(0), gid: gid(0), pid: 7 as Pid, groups: () => [], pin: () => processes.pin(7) },
    ...{ standing: () => HOST, sharesRoot: () => true, sharesNetwork: () => true, numberOf: number => number, ...more },
  });
  const ask = async (method: string, parameters: JsonObject = {}, asked: Asked = {}): Promise<Answer> => {
    const replies: JsonObject[] = [];
    const call: Call<Peer> = {
      method: `io.dynuser.Allocator.${method}`,
      parameters,
      more: asked.more ?? false,
      oneway: asked.oneway ?? false,
      peer: peerOf(asked.peer),
      connection: asked.connection ?? new FakeConnection(),
      send: reply => replies.push(reply) > 0,
      sendAll: async all => void replies.push(...all),
    };
    try {
      const handler = methods[method] ?? assert.fail(method);
      replies.push(await handler(call));
      return { replies };
    } catch (error) {
      assert.ok(error instanceof VarlinkError, String(error));
      const { field, reason } = error.parameters;
      return { replies, error: error.error.slice(error.error.lastIndexOf('.') + 1), field, reason };
    }
  };
  return {
    ...{ ask, built, events, users, probe, publicProbe, processes, host, failed, lifetimes, connectionLeases },
    ...{ authorization, acquisition, current, peerOf, methods, deps },
  };
}

/** A peer that is not root. */
export function user(number: number, groups: readonly number[] = []): Partial<Peer> {
  return {
    uid: uid(number),
    gid: gid(number),
    groups: () => groups.map(gid),
    standing: () => assert.fail('it is not 0'),
  };
}

export const nextTurn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));
