/**
 * Runs inside a machine with systemd: many leases of all lifetimes, of which the program knows what it was answered. This
 * process holds those of connections, a few sleeping ones those of processes, one unit those of units.
 */
import { strict as assert } from 'node:assert';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { connect, type VarlinkClient } from '../../../src/varlink/client.ts';
import type { JsonObject } from '../../../src/varlink/json.ts';
import { callOnce, SOCKET } from './daemon-process.ts';

export interface Lease {
  readonly lease: string;
  readonly uid: number;
  readonly userName: string;
}

const LIFETIMES = ['explicit', 'connection', 'process', 'unit'] as const;
const SLEEPERS = 20;
const UNIT = 'population';
/** One lease in so many joins the user of another. */
const JOIN_EVERY = 10;

export class Population {
  readonly #sleepers: ChildProcess[] = [];
  readonly #leases = new Map<string, Lease>();
  readonly #claimed: string[] = [];
  #connection: VarlinkClient | undefined;

  /** Acquires them. @param count of leases */
  async fill(count: number): Promise<void> {
    execFileSync('systemd-run', ['--quiet', `--unit=${UNIT}`, 'sleep', 'infinity']);
    for (let index = 0; index < SLEEPERS; index++) {
      this.#sleepers.push(spawn('sleep', ['infinity'], { stdio: 'ignore' }));
    }
    const client = await connect(SOCKET);
    this.#connection = client;
    for (let index = 0; index < count; index++) {
      const lifetime = LIFETIMES[index % LIFETIMES.length] ?? 'explicit';
      const named = index % JOIN_EVERY === JOIN_EVERY - 1 ? index - 1 : index;
      const lease = await acquire(client, {
        unit: `${UNIT}.service`,
        userName: `p${named}`,
        lifetime,
        ...(lifetime === 'process' ? { pid: this.#sleepers[index % SLEEPERS]?.pid ?? null } : {}),
      });
      assert.ok(!this.#leases.has(lease.lease), 'a lease was given twice');
      this.#leases.set(lease.lease, lease);
      if (lifetime === 'connection') {
        this.#claimed.push(lease.lease);
      }
    }
  }

  /** After a restart of the daemon: what hung on the connection is taken back on a new one. */
  async claim(): Promise<void> {
    this.#connection?.close();
    const client = await connect(SOCKET);
    this.#connection = client;
    await Promise.all(this.#claimed.map(lease => client.call('io.dynuser.Allocator.Claim', { lease })));
  }

  /**
   * Every lease is there, as it was answered.
   * @returns those that are not of the population, without memberships of each other
   */
  async check(): Promise<readonly Lease[]> {
    const { leases } = await callOnce('io.dynuser.Allocator.List');
    assert.ok(Array.isArray(leases));
    const others: Lease[] = [];
    const ids = new Set(leases.map(({ lease }) => String(lease)));
    let found = 0;
    for (const each of leases) {
      if (ids.has(String(each['memberLease']))) {
        continue;
      }
      const lease = toLease(each);
      const known = this.#leases.get(lease.lease);
      if (known === undefined) {
        others.push(lease);
      } else {
        assert.deepEqual(lease, known);
        found++;
      }
    }
    assert.equal(found, this.#leases.size, 'leases that were answered are not there');
    return others;
  }

  /** Ends all: by release, with the connection, with the processes, with the unit. */
  async end(): Promise<void> {
    const { leases } = await callOnce('io.dynuser.Allocator.List');
    assert.ok(Array.isArray(leases));
    this.#connection?.close();
    for (const sleeper of this.#sleepers) {
      sleeper.kill('SIGKILL');
    }
    execFileSync('systemctl', ['stop', UNIT]);
    for (const { lease, lifetime } of leases) {
      if (lifetime === 'explicit') {
        await callOnce('io.dynuser.Allocator.Release', { lease: String(lease) });
      }
    }
  }
}

export async function acquire(client: VarlinkClient, request: JsonObject): Promise<Lease> {
  return toLease(await client.call('io.dynuser.Allocator.Acquire', request));
}

function toLease({ lease, uid, userName }: Readonly<Record<string, unknown>>): Lease {
  return { lease: String(lease), uid: Number(uid), userName: String(userName) };
}
