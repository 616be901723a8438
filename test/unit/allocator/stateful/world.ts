/** Carries the actions out, keeps a journal of what was answered, and compares host and daemon with it after each. */
import assert from 'node:assert/strict';
import type { Acquired } from '../../../../src/allocator/lease.ts';
import { DynuserError } from '../../../../src/core/errors.ts';
import type { Gid, LeaseId, Pid, Uid, UserName } from '../../../../src/core/ids.ts';
import { LEASE_ID_BYTES, leaseIdOf } from '../../../../src/core/ids.ts';
import type { ProcessIdentity } from '../../../../src/core/process-identity.ts';
import { parseRange, type UidRange } from '../../../../src/core/range.ts';
import { type Action, UIDS } from './actions.ts';
import { isOurs, requester } from './answers.ts';
import { Cooling, heldUids } from './cooling.ts';
import { Daemon } from './daemon.ts';
import { Host, Killed } from './host.ts';
import { checkAll } from './invariants.ts';

/** A lease that was answered. */
export interface Answered {
  readonly lease: LeaseId;
  readonly name: string;
  readonly uid: Uid;
  readonly by: Uid;
  readonly process: ProcessIdentity | undefined;
}

type Asking = Extract<Action, { do: 'race' }>['asked'][number];

/** Turns of the event loop until nothing of a request is left under way. */
const QUIET_TURNS = 3;

export class World {
  readonly host = new Host();
  readonly journal = new Map<LeaseId, Answered>();
  /** leases of a connection that wait to be claimed */
  readonly waiting = new Set<LeaseId>();
  daemon: Daemon;
  readonly #range: UidRange;
  readonly #processes = new Set<number>();
  readonly #cooling = new Cooling(this.host);
  #leases = 0;
  #pids = 1_000;

  constructor() {
    const range = parseRange(`${UIDS[0]}-${UIDS[UIDS.length - 1]}`);
    assert.ok(typeof range !== 'string');
    this.#range = range;
    this.daemon = this.#start();
  }

  async carryOut(action: Action): Promise<void> {
    this.host.turns = action.do === 'race' ? action.turns : [0];
    const before = heldUids(this.daemon.users);
    await this.#do(action);
    await this.#quiet();
    if (action.do !== 'kill' && action.do !== 'die') {
      this.#cooling.note(before, this.daemon.users);
    }
    checkAll(this);
  }

  stop(): void {
    this.daemon.stop();
  }

  #start(): Daemon {
    const leaseId = () => {
      const bytes = Buffer.alloc(LEASE_ID_BYTES);
      bytes.writeUInt32BE(this.#leases++);
      return leaseIdOf(bytes);
    };
    return new Daemon(this.host, this.#range, ({ pid }) => this.#processes.has(pid), leaseId);
  }

  async #do(action: Action): Promise<void> {
    const { host, daemon } = this;
    switch (action.do) {
      case 'acquire':
        return this.#acquire(action, action.gone);
      case 'race':
        return this.#race(action.asked, action.releases);
      case 'release': {
        const chosen = this.#choose(action.lease);
        return chosen === undefined
          ? undefined
          : this.#release(chosen, action.by === 'its owner' ? chosen.by : (action.by as Uid));
      }
      case 'close': {
        const chosen = this.#choose(action.lease);
        if (chosen !== undefined) {
          // It goes from the table even if it cannot be written down: the next daemon would find it again.
          host.full = undefined;
          await daemon.releaseGone(chosen.lease).catch(isOurs);
          this.#forget(chosen.lease, 'always');
        }
        return;
      }
      case 'claim':
        return this.#claim(action);
      case 'exit': {
        const chosen = this.#choose(action.lease);
        if (chosen?.process !== undefined) {
          // As for a connection that closes.
          host.full = undefined;
          this.#processes.delete(chosen.process.pid);
          daemon.exited(chosen.process);
          if (this.waiting.has(chosen.lease)) {
            await this.#quiet();
            this.#forget(chosen.lease, 'always');
          }
        }
        return;
      }
      case 'take':
        return host.take(action.uid as Uid);
      case 'leave':
        return host.leave(action.uid as Uid, action.processesStay);
      case 'stubborn':
        return void (action.is ? host.stubborn.add(action.uid as Uid) : host.stubborn.delete(action.uid as Uid));
      case 'account': {
        const account = { user: { uid: 1_234 as Uid, gid: 1_234 as Gid }, group: { gid: 1_234 as Gid } };
        return void (action.is ? host.accounts.set(action.name, account) : host.accounts.delete(action.name));
      }
      case 'number':
        return void (action.is ? host.numbers.add(action.uid as Uid) : host.numbers.delete(action.uid as Uid));
      case 'clock':
        host.now += action.ms;
        return;
      case 'full':
        host.full = action.step;
        return;
      case 'kill':
        return this.#restart(action.taken, action.storeIsLost);
      case 'die':
        return this.#die(action);
    }
  }

  #asked(
    { name, by, lifetime }: Asking,
    signal: AbortSignal,
  ): { answer: Promise<Acquired>; process: ProcessIdentity | undefined } {
    const pid = this.#pids++;
    const process =
      lifetime === 'connection' ? { boot: 'b', pid: pid as Pid, startTime: 1, inode: String(pid) } : undefined;
    this.#processes.add(pid);
    const more = { lifetime, signal, ...(process === undefined ? {} : { process }) };
    return { answer: this.daemon.acquire(name, requester(by as Uid), more), process };
  }

  async #acquire(asking: Asking, gone: boolean): Promise<void> {
    const { host, daemon } = this;
    const live = daemon.users.byName(asking.name as UserName);
    const owners = live?.leases.map(lease => lease.owner) ?? [];
    const isRefused = asking.by !== 0 && owners.some(owner => owner !== asking.by);
    const free = UIDS.filter(uid => host.isFree(uid as Uid) && daemon.users.holding(uid as Uid) === undefined);
    const wasFull = host.full !== undefined;
    const { answer, process } = this.#asked(asking, gone ? AbortSignal.abort() : new AbortController().signal);
    const outcome = await answer.catch(isOurs);
    if (outcome instanceof DynuserError) {
      const mayBe = gone || wasFull || isRefused || live?.lost !== undefined || host.accounts.has(asking.name);
      assert.ok(mayBe || free.length === 0, `refused, though ${free} are free: ${outcome.message}`);
      return;
    }
    assert.ok(!gone && !isRefused, 'it should have been refused');
    this.#answered(outcome, asking, process);
    if (live !== undefined) {
      assert.equal(outcome.user.uid, live.uid);
    } else if (outcome.user.dynamic) {
      assert.ok(free.includes(outcome.user.uid as number as (typeof UIDS)[number]), `${outcome.user.uid} was not free`);
      this.#cooling.check(outcome.user, free);
    }
  }

  async #race(asked: readonly Asking[], releases: readonly number[]): Promise<void> {
    const leaving = new Set(releases.map(number => this.#choose(number)).filter(chosen => chosen !== undefined));
    const requests = asked.map(asking => ({ asking, ...this.#asked(asking, new AbortController().signal) }));
    const ends = [...leaving].map(chosen => this.#release(chosen, chosen.by));
    for (const { asking, answer, process } of requests) {
      const outcome = await answer.catch(isOurs);
      if (!(outcome instanceof DynuserError)) {
        this.#answered(outcome, asking, process);
      }
    }
    await Promise.all(ends);
  }

  async #release(chosen: Answered, by: Uid): Promise<void> {
    const wasFull = this.host.full !== undefined;
    const outcome = await this.daemon.release(chosen.lease, requester(by)).catch(isOurs);
    if (by !== 0 && by !== chosen.by) {
      assert.ok(outcome instanceof DynuserError && outcome.code === 'NotPermitted', String(outcome));
      return;
    }
    assert.ok(!(outcome instanceof DynuserError) || wasFull || outcome.code === 'LimitReached', String(outcome));
    this.#forget(chosen.lease, outcome instanceof DynuserError ? 'never' : 'always');
  }

  #claim({ lease, by }: Extract<Action, { do: 'claim' }>): void {
    const chosen = this.#choose(lease);
    if (chosen?.process === undefined) {
      return;
    }
    const other = { ...chosen.process, inode: '1' };
    const isLost = this.daemon.users.byLease(chosen.lease)?.lost !== undefined;
    const isRight = by === 'its process' && this.waiting.has(chosen.lease) && !isLost;
    try {
      this.daemon.lifetimes.claim(
        ...([chosen.lease, by === 'another user' ? ((chosen.by + 1) as Uid) : chosen.by] as const),
        by === 'another process' ? other : chosen.process,
      );
      assert.ok(isRight, `claimed by ${by}`);
      this.waiting.delete(chosen.lease);
    } catch (error) {
      assert.ok(isOurs(error).code === 'NoSuchLease' && !isRight);
    }
  }

  async #die({ step, after, during, taken }: Extract<Action, { do: 'die' }>): Promise<void> {
    const { host } = this;
    const chosen = typeof during === 'number' ? this.#choose(during) : undefined;
    host.death = { step, after };
    const asked = typeof during === 'number' ? undefined : this.#asked(during, new AbortController().signal);
    const request =
      asked?.answer ?? (chosen === undefined ? undefined : this.daemon.release(chosen.lease, requester(chosen.by)));
    const outcome = await request?.catch((error: unknown) => (error instanceof Killed ? error : isOurs(error)));
    if (typeof during !== 'number' && outcome !== undefined && typeof outcome === 'object' && 'user' in outcome) {
      this.#answered(outcome, during, asked?.process);
    }
    await this.#restart(taken, false);
    // Whoever was not answered may have a lease, or have it still.
    for (const user of this.daemon.users.live()) {
      for (const { id: lease, owner, process } of user.leases) {
        if (!this.journal.has(lease) && typeof during !== 'number' && user.name === during.name) {
          this.journal.set(lease, { lease, name: user.name, uid: user.uid, by: owner, process });
          this.waiting.add(lease);
        }
      }
    }
    if (chosen !== undefined) {
      this.#forget(chosen.lease, this.daemon.users.byLease(chosen.lease) === undefined ? 'always' : 'never');
    }
  }

  async #restart(taken: readonly number[], storeIsLost: boolean): Promise<void> {
    const { host } = this;
    this.daemon.stop();
    if (storeIsLost) {
      host.kept.clear();
    }
    host.kill();
    await this.#quiet();
    for (const uid of taken) {
      host.take(uid as Uid);
    }
    this.#cooling.forget();
    this.waiting.clear();
    const files = [...host.files.leases.values(), ...host.files.ending.values()];
    const before = new Map(files.map(({ uid, name }) => [uid, name] as const));
    this.daemon = this.#start();
    await this.#quiet();
    // What ends as this one starts is freed by it, and remembered.
    this.#cooling.note(before, this.daemon.users);
    for (const { lease, process } of [...this.journal.values()]) {
      if (process !== undefined && !this.#processes.has(process.pid)) {
        this.#forget(lease, 'always');
      } else if (process !== undefined) {
        this.waiting.add(lease);
      }
    }
  }

  #answered({ user, lease }: Acquired, { by }: Asking, process: ProcessIdentity | undefined): void {
    this.journal.set(lease.id, { lease: lease.id, name: user.name, uid: user.uid, by: by as Uid, process });
  }

  #forget(lease: LeaseId, when: 'always' | 'never'): void {
    if (when === 'always') {
      this.journal.delete(lease);
      this.waiting.delete(lease);
    }
  }

  #choose(number: number): Answered | undefined {
    return [...this.journal.values()][number % Math.max(this.journal.size, 1)];
  }

  async #quiet(): Promise<void> {
    for (let turn = 0; turn < QUIET_TURNS; turn++) {
      await new Promise(resolve => setImmediate(resolve));
    }
  }
}
