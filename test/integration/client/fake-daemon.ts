/**
 * A daemon that keeps its leases in a table: it can end like one that was killed, and come back on the same socket with
 * the leases it had, waiting for their claims.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ALLOCATOR_INTERFACE } from '../../../src/api/generated/io-dynuser-allocator.ts';
import { VarlinkError } from '../../../src/varlink/errors.ts';
import type { JsonObject } from '../../../src/varlink/json.ts';
import { type Call, type Connection, VarlinkServer } from '../../../src/varlink/server.ts';

const ALLOCATOR = 'io.dynuser.Allocator';
const FIRST_UID = 61_184;

interface FakeLease {
  readonly uid: number;
  readonly unit: string;
  readonly lifetime: string;
}

export class FakeDaemon {
  readonly directory = mkdtempSync(join(tmpdir(), 'dynuser-client-'));
  readonly socket = join(this.directory, 'io.dynuser.DynamicUser');
  /** by id */
  readonly leases = new Map<string, FakeLease>();
  /** the qualified methods in their order, each with its parameters */
  readonly calls: (readonly [method: string, parameters: JsonObject])[] = [];
  /** connections that are open */
  readonly connections = new Set<Connection>();
  /** what Acquire and Release wait for before they answer */
  gate: Promise<void> = Promise.resolve();
  /** what the next calls of a method answer, by the method's short name */
  readonly refusals = new Map<string, VarlinkError[]>();
  /** fields that the replies to Acquire have beside their own, as those of a newer daemon */
  extra: JsonObject = {};
  #server: VarlinkServer<null> | undefined;
  #isDying = false;

  async start(): Promise<void> {
    this.#isDying = false;
    this.#server = new VarlinkServer<null>({
      info: { vendor: 'dynuser', product: 'dynuserd', version: '9.9.9', url: 'https://example.org' },
      identify: () => null,
      quotaKey: () => 0,
      privileged: () => true,
      onFailure: () => {},
      interfaces: [{ description: this.#description(), methods: this.#methods() }],
    });
    await this.#server.listen({ path: this.socket });
  }

  /** Ends as if killed: the connections go, the leases stay. */
  async kill(): Promise<void> {
    this.#isDying = true;
    await this.#server?.close(0);
    this.#server = undefined;
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.directory, { recursive: true, force: true });
  }

  refuse(method: string, error: string, parameters: JsonObject): void {
    const errors = this.refusals.get(method) ?? [];
    this.refusals.set(method, [...errors, new VarlinkError(`${ALLOCATOR}.${error}`, parameters)]);
  }

  /** How often a method was called, by its short name. */
  count(method: string): number {
    return this.calls.filter(([name]) => name === `${ALLOCATOR}.${method}`).length;
  }

  #methods(): Record<string, (call: Call<null>) => JsonObject | Promise<JsonObject>> {
    const noted = (handler: (call: Call<null>) => JsonObject | Promise<JsonObject>) => {
      return (call: Call<null>): JsonObject | Promise<JsonObject> => {
        this.calls.push([call.method, call.parameters]);
        if (!this.connections.has(call.connection)) {
          this.connections.add(call.connection);
          call.connection.onClose(() => this.connections.delete(call.connection));
        }
        const refusal = this.refusals.get(call.method.slice(ALLOCATOR.length + 1))?.shift();
        if (refusal !== undefined) {
          throw refusal;
        }
        return handler(call);
      };
    };
    return {
      Acquire: noted(call => this.#acquire(call)),
      Claim: noted(call => this.#claim(call)),
      Release: noted(call => this.#release(call)),
      List: noted(call => {
        for (const lease of this.#list()) {
          call.send({ lease });
        }
        return {};
      }),
      Explain: noted(() => {
        const names = { userName: 'web', nameOrigin: 'the unit', outcome: 'exhausted', reason: 'none is free' };
        return { ...names, candidates: [], handovers: [] };
      }),
      Watch: noted(call => {
        call.send({ event: 'ready' });
        return new Promise(() => {});
      }),
    };
  }

  async #acquire(call: Call<null>): Promise<JsonObject> {
    const { unit, lifetime = 'connection' } = call.parameters;
    call.send({ progress: { publicPath: '/var/lib/web', inodes: 2, changed: 1 } });
    await this.gate;
    const uid = FIRST_UID + this.leases.size;
    const lease = uid.toString(16).padStart(32, '0');
    this.leases.set(lease, { uid, unit: String(unit), lifetime: String(lifetime) });
    if (lifetime === 'connection') {
      this.#bind(lease, call.connection);
    }
    const environment = { STATE_DIRECTORY: '/var/lib/web' };
    const user = { uid, gid: uid, userName: 'web', unit: String(unit), dynamic: true };
    return { ...user, lease, directories: [], environment, ...this.extra };
  }

  #claim({ parameters, connection }: Call<null>): JsonObject {
    const id = String(parameters['lease']);
    const lease = this.leases.get(id);
    if (lease === undefined) {
      throw new VarlinkError(`${ALLOCATOR}.NoSuchLease`, { field: 'lease', reason: `no live lease has the id ${id}` });
    }
    this.#bind(id, connection);
    const { uid, unit } = lease;
    return { uid, gid: uid, userName: 'web', unit, dynamic: true, lease: id };
  }

  async #release({ parameters }: Call<null>): Promise<JsonObject> {
    await this.gate;
    if (!this.leases.delete(String(parameters['lease']))) {
      throw new VarlinkError(`${ALLOCATOR}.NoSuchLease`, { field: 'lease', reason: 'no live lease has this id' });
    }
    return {};
  }

  #bind(lease: string, connection: Connection): void {
    connection.onClose(() => {
      if (!this.#isDying) {
        this.leases.delete(lease);
      }
    });
  }

  #list(): JsonObject[] {
    return Array.from(this.leases, ([lease, { uid, unit, lifetime }]) => {
      return { lease, uid, gid: uid, userName: 'web', unit, dynamic: true, lifetime, since: 1, directories: [] };
    });
  }

  /** A server checks its own replies: what a newer one says more has to be declared. */
  #description(): string {
    const added = Object.keys(this.extra).map(name => `  ${name}: ?string,\n`);
    return ALLOCATOR_INTERFACE.replace('environment: ?[string]string,\n', match => `${match}${added.join('')}`);
  }
}
