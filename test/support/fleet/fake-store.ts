/** The store of a fleet in memory, and companions that serve it by a real socket: obedient ones, dead ones, and ones that lie. */
import { FLEET_INTERFACE } from '../../../src/api/generated/io-dynuser-fleet.ts';
import { VarlinkError } from '../../../src/varlink/errors.ts';
import type { JsonObject } from '../../../src/varlink/json.ts';
import { type Call, VarlinkServer } from '../../../src/varlink/server.ts';

export interface Event extends JsonObject {
  readonly name: string;
  readonly uid: number;
  readonly state: 'bound' | 'cooling' | 'free';
}

/** What the keys of the store say; every change is at once, as a transaction is. */
export class FakeStore {
  cluster = 'cluster-1';
  revision = 1;
  ranges: string | undefined = '70000-70003';
  restoring = false;
  readonly incarnations = new Map<string, string>();
  /** hosts that are alive, with the incarnation that is */
  readonly alive = new Map<string, string>();
  readonly names = new Map<string, number>();
  readonly uids = new Map<number, { name: string; cools: boolean }>();
  /** "name host" → incarnation */
  readonly holds = new Map<string, string>();
  /** the same → the revision of that */
  readonly heldAt = new Map<string, number>();
  readonly directories = new Map<string, string>();
  /** what each host has put again after a restore so far */
  readonly putAgain = new Map<string, Set<string>>();
  readonly watchers = new Set<(events: readonly Event[]) => void>();

  change(events: readonly Event[] = []): void {
    this.revision++;
    for (const watcher of events.length > 0 ? this.watchers : []) {
      watcher(events);
    }
  }

  bind(name: string, uid: number): void {
    this.names.set(name, uid);
    this.uids.set(uid, { name, cools: false });
    this.change([{ name, uid, state: 'bound' }]);
  }

  /** Ends a binding that nobody holds, as gc does. */
  collect(name: string): void {
    const uid = this.names.get(name);
    if (uid === undefined || [...this.holds.keys()].some(key => key.startsWith(`${name} `))) {
      return;
    }
    this.names.delete(name);
    this.uids.set(uid, { name, cools: true });
    this.change([{ name, uid, state: 'cooling' }]);
  }

  cooled(uid: number): void {
    const name = this.uids.get(uid)?.name ?? '';
    this.uids.delete(uid);
    this.change([{ name, uid, state: 'free' }]);
  }

  fence(host: string): void {
    this.incarnations.set(host, `fenced.${this.revision}`);
    this.alive.delete(host);
    for (const key of [...this.holds.keys()].filter(one => one.endsWith(` ${host}`))) {
      this.holds.delete(key);
    }
    this.change();
  }

  hold(name: string, host: string, incarnation: string): void {
    this.holds.set(`${name} ${host}`, incarnation);
    this.heldAt.set(`${name} ${host}`, this.revision + 1);
  }

  holdsOf(host: string): { name: string; uid: number }[] {
    const mine = [...this.holds.keys()].filter(key => key.endsWith(` ${host}`)).map(key => key.split(' ')[0] ?? '');
    return mine.map(name => ({ name, uid: this.names.get(name) ?? 0 }));
  }
}

function refuse(code: string, parameters: JsonObject = {}): never {
  throw new VarlinkError(`io.dynuser.Fleet.${code}`, parameters);
}

type Handler = (parameters: JsonObject) => JsonObject;

function methodsOf(store: FakeStore): Record<string, Handler> {
  const member = ({ host, incarnation }: JsonObject) => {
    const present = store.incarnations.get(String(host));
    if (present !== incarnation) {
      refuse('NotMember', present === undefined ? {} : { incarnation: present });
    }
    return String(host);
  };
  const position = () => ({ cluster: store.cluster, revision: store.revision });
  return {
    Status: () => ({
      ...{ fleet: 'test', store: 'etcd', location: 'memory', reachable: true, restoring: store.restoring },
      position: position(),
    }),
    Join(parameters) {
      const [host, next] = [String(parameters['host']), String(parameters['next'])];
      const { incarnation, renew, ranges } = parameters;
      const seen = parameters['seen'] as { cluster: string; revision: number } | undefined;
      if (store.ranges === undefined) {
        refuse('NoFleet', { fleet: 'test' });
      }
      if (store.ranges !== ranges) {
        refuse('RangesDiffer', { ranges: store.ranges });
      }
      if (seen !== undefined && (seen.cluster !== store.cluster || seen.revision > store.revision)) {
        store.restoring = true;
      }
      const present = store.incarnations.get(host);
      const answer = (state: string, mine: string) => {
        if (state !== 'fenced') {
          store.incarnations.set(host, mine);
          store.alive.set(host, mine);
        }
        return { state, incarnation: mine, position: position(), restoring: store.restoring };
      };
      if (present === undefined) {
        return answer('joined', next);
      }
      if (present === incarnation || present === next) {
        const isFence = present.startsWith('fenced.');
        return answer('member', renew === true || isFence ? next : present);
      }
      if (present.startsWith('fenced.')) {
        return answer('fenced', present);
      }
      if (store.alive.has(host)) {
        refuse('HostAlive', { hostName: 'twin' });
      }
      return answer('replaced', next);
    },
    Hold(parameters) {
      const host = member(parameters);
      const name = String(parameters['name']);
      const candidates = parameters['candidates'] as number[];
      if (store.restoring) {
        refuse('Restoring');
      }
      const bound = store.names.get(name);
      if (bound !== undefined) {
        if (!candidates.includes(bound)) {
          refuse('NameBound', { uid: bound });
        }
        store.hold(name, host, String(parameters['incarnation']));
        store.change();
        return { uid: bound, fresh: false };
      }
      const uid = candidates.find(one => (store.uids.get(one)?.name ?? name) === name);
      if (uid === undefined) {
        return refuse('NoneFree');
      }
      store.hold(name, host, String(parameters['incarnation']));
      store.bind(name, uid);
      return { uid, fresh: true };
    },
    HoldAgain(parameters) {
      const host = member(parameters);
      const name = String(parameters['name']);
      if (store.restoring) {
        refuse('Restoring');
      }
      const held = store.names.get(name) === parameters['uid'];
      if (held) {
        store.hold(name, host, String(parameters['incarnation']));
        store.change();
      }
      return { held };
    },
    Forget(parameters) {
      const key = `${String(parameters['name'])} ${member(parameters)}`;
      const seen = parameters['seen'] as { cluster: string; revision: number };
      // What a backup has was put before it was made.
      const heldAt = Math.min(store.heldAt.get(key) ?? 0, store.revision);
      if (seen.cluster !== store.cluster || heldAt > seen.revision) {
        refuse('StoreUnavailable', { reason: 'it was held again meanwhile' });
      }
      store.holds.delete(key);
      store.change();
      return {};
    },
    HoldsOf: parameters => ({ holds: store.holdsOf(String(parameters['host'])) }),
    TakeDirectory(parameters) {
      member(parameters);
      const key = `${String(parameters['storage'])} ${String(parameters['path'])}`;
      const name = store.directories.get(key) ?? String(parameters['name']);
      if (name !== parameters['name']) {
        refuse('DirectoryOfAnother', { name });
      }
      store.directories.set(key, name);
      return {};
    },
    Restore(parameters) {
      const host = member(parameters);
      const conflicts: JsonObject[] = [];
      const put = store.putAgain.get(host) ?? new Set();
      store.putAgain.set(host, put);
      for (const { name, uid } of parameters['bindings'] as unknown as { name: string; uid: number }[]) {
        const [boundUid, bound] = [store.names.get(name), store.uids.get(uid)];
        if (boundUid !== undefined && boundUid !== uid) {
          conflicts.push({ name, uid, boundUid });
        } else if (bound !== undefined && bound.name !== name && !bound.cools) {
          conflicts.push({ name, uid, boundName: bound.name });
        } else {
          store.hold(name, host, String(parameters['incarnation']));
          put.add(name);
          store.bind(name, uid);
        }
      }
      if (parameters['last'] === true) {
        // What the host has no record of is held by it no longer.
        store.putAgain.delete(host);
        for (const { name } of store.holdsOf(host).filter(one => !put.has(one.name))) {
          store.holds.delete(`${name} ${host}`);
        }
      }
      return { conflicts };
    },
    Leave(parameters) {
      store.incarnations.delete(member(parameters));
      return {};
    },
  };
}

/** A companion at a path. */
export class FakeCompanion {
  readonly store: FakeStore;
  /** what it was asked, in order */
  readonly asked: string[] = [];
  /** how many it has had */
  connections = 0;
  /** instead of what the store says, for methods that are lied about or fail */
  readonly instead: Record<string, (parameters: JsonObject, honest: Handler) => JsonObject | Promise<JsonObject>> = {};
  /** changes that it tells besides those of the store, with the first batch */
  lies: readonly Event[] = [];
  #server: VarlinkServer<null> | undefined;
  readonly #path: string;

  constructor(path: string, store: FakeStore = new FakeStore()) {
    this.#path = path;
    this.store = store;
  }

  async start(): Promise<void> {
    const served = Object.entries(methodsOf(this.store)).map(([name, honest]) => {
      const handler = ({ parameters }: Call<null>) => {
        this.asked.push(name);
        return this.instead[name]?.(parameters, honest) ?? honest(parameters);
      };
      return [name, handler] as const;
    });
    const none = () => refuse('StoreUnavailable', { reason: 'the fake does not have it' });
    const others = ['Create', 'FreeDirectory', 'Hosts', 'Name', 'Collect', 'ForgetHost', 'Resume'].map(
      name => [name, none] as const,
    );
    this.#server = new VarlinkServer<null>({
      info: { vendor: 'test', product: 'fleet', version: '0', url: '' },
      interfaces: [
        {
          description: FLEET_INTERFACE,
          methods: { ...Object.fromEntries([...served, ...others]), Bindings: call => this.#bindings(call) },
        },
      ],
      identify: () => {
        this.connections++;
        return null;
      },
      ...{ quotaKey: () => 'one', privileged: () => true, onFailure: () => undefined },
    });
    await this.#server.listen({ path: this.#path, mode: 0o600 });
  }

  async stop(): Promise<void> {
    await this.#server?.close(0);
    this.#server = undefined;
  }

  async #bindings(call: Call<null>): Promise<JsonObject> {
    const { store } = this;
    this.asked.push('Bindings');
    const position = () => ({ cluster: store.cluster, revision: store.revision });
    const all = [...store.uids].map(([uid, { name, cools }]) => {
      return { name, uid, state: cools ? 'cooling' : 'bound' };
    });
    const first = { position: position(), reset: true, complete: true, changes: [...all, ...this.lies] };
    if (call.parameters['once'] === true) {
      return first;
    }
    await call.send(first);
    const watch = (events: readonly Event[]) => {
      void call.send({ position: position(), reset: false, complete: true, changes: [...events] });
    };
    store.watchers.add(watch);
    await new Promise<void>(resolve => call.connection.onClose(resolve));
    store.watchers.delete(watch);
    return {};
  }
}
