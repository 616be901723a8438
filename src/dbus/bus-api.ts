/**
 * io.dynuser.Allocator1 on the bus: takes calls, checks their types, hands them to the port, and answers. Everybody may look up, and is
 * answered at once. The port decides who may acquire and release, by the identity that the bus tells. No caller can take the places of all.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isLookupName } from '../core/name.ts';
import { readAcquire } from './acquire-options.ts';
import type { BusAccess, BusClient } from './bus.ts';
import { Callers } from './callers.ts';
import { askDriver, type BusConnection } from './connection.ts';
import {
  ALLOCATOR,
  ALLOCATOR_PATH,
  INTROSPECTABLE,
  introspect,
  isMethodName,
  METHODS,
  type MethodName,
  PEER,
  refuse,
  refuseOwn,
  SIGNALS,
  signatureOf,
  tooManyCalls,
  toRefusal,
} from './interface.ts';
import { CALLS_MAX, SIGNAL_DELAY_MS } from './limits.ts';
import { DRIVER, type IncomingCall, type Signal } from './message.ts';
import type { BusAllocator, BusCaller, BusUserChange } from './port.ts';

/** RequestName (D-Bus specification): what it answers if another process has the name and we wait for it. */
const IN_QUEUE = 2;
/** The numbers that mean "no id" in 16 and 32 bits: systemd's uid_is_valid() refuses both. */
const NO_UIDS: readonly unknown[] = [0xffff, 0xffff_ffff];

export class BusApi implements BusClient {
  readonly #port: BusAllocator;
  readonly #onTrouble: (what: string, cause: unknown) => void;
  readonly #callers: Callers;
  readonly #endChanges: () => void;
  #connection: BusConnection | undefined;
  /** changes that have no signal yet, in the order in which they came */
  readonly #changes: BusUserChange[] = [];
  #sending: NodeJS.Timeout | undefined;
  /** calls under way of all callers but root */
  #ofOthers = 0;
  readonly #tasks = new Set<Promise<void>>();
  #calls = 0;
  #retired = false;

  /**
   * Attaches itself to the bus, and from then on sends a signal for each change.
   * @param onTrouble told of what failed with nobody left to answer, and of faults of the daemon behind an answer
   */
  constructor(bus: BusAccess, port: BusAllocator, onTrouble: (what: string, cause: unknown) => void) {
    this.#port = port;
    this.#onTrouble = onTrouble;
    this.#callers = new Callers(onTrouble);
    this.#endChanges = port.onChange(change => {
      // Whoever caused it waits for its answer, and need not wait for the bus.
      this.#sending ??= setTimeout(() => this.#sendChanges(), SIGNAL_DELAY_MS);
      this.#changes.push(change);
    });
    bus.attach(this);
  }

  #sendChanges(): void {
    clearTimeout(this.#sending);
    this.#sending = undefined;
    const signals = this.#changes.splice(0).map(({ kind, uid, name }) => ({
      ...{ path: ALLOCATOR_PATH, interface: ALLOCATOR, member: SIGNALS[kind] },
      ...{ signature: 'us', body: [uid, name] },
    }));
    if (signals.length > 0) {
      this.#connection?.emit(signals);
    }
  }

  async connected(connection: BusConnection): Promise<void> {
    this.#connection = connection;
    if (this.#retired) {
      return;
    }
    await this.#callers.connected(connection);
    // Whoever has the name now may be our predecessor, still on its way out: we are next in the queue.
    const [result] = await askDriver(connection, 'RequestName', 'su', ALLOCATOR, 0);
    if (result === IN_QUEUE) {
      this.#onTrouble('another process has the name on the bus', new Error(ALLOCATOR));
    }
    await this.#callers.verify(connection);
  }

  lost(): void {
    this.#connection = undefined;
    this.#callers.lost();
  }

  signal(signal: Signal): void {
    this.#callers.signal(signal);
  }

  /** how many calls there have been, and how many that take time are under way */
  get calls(): number {
    return this.#calls;
  }

  get callsUnderWay(): number {
    return this.#tasks.size;
  }

  /**
   * Gives the name back: who calls it from now on has the next daemon started. Calls that the bus delivered before are here
   * when it answers, and are waited for.
   * @param graceMs how long to wait for them
   */
  async retire(graceMs: number): Promise<void> {
    this.#retired = true;
    const connection = this.#connection;
    if (connection !== undefined) {
      await askDriver(connection, 'ReleaseName', 's', ALLOCATOR).catch((error: unknown) => {
        this.#onTrouble('the name on the bus could not be given back', error);
      });
      connection.flush();
    }
    const grace = sleep(graceMs, undefined, { ref: false });
    await Promise.race([Promise.all(this.#tasks), grace]);
  }

  /** Ends the signals and the waits for callers; the leases of those are left alone. Before Bus.close(). */
  close(): void {
    this.#endChanges();
    this.#sendChanges();
    this.#callers.close();
    this.#connection = undefined;
  }

  call(call: IncomingCall): void {
    this.#calls++;
    try {
      this.#dispatch(call);
    } catch (error) {
      this.#fail(call, error);
    }
  }

  #dispatch(call: IncomingCall): void {
    const { interface: name, member, path, body } = call;
    if (name === INTROSPECTABLE && member === 'Introspect') {
      const description = introspect(path);
      if (description !== undefined) {
        call.reply('s', [description]);
        return;
      }
    }
    if (name === PEER && member === 'Ping') {
      call.reply('', []);
      return;
    }
    if (path !== ALLOCATOR_PATH) {
      throw refuse('UnknownObject', `there is no object ${path.slice(0, 256)}; the one here is ${ALLOCATOR_PATH}`);
    }
    if (name !== undefined && name !== ALLOCATOR) {
      throw refuse('UnknownInterface', `the object ${path} has no method ${member} of an interface ${name}`);
    }
    if (!isMethodName(member)) {
      const known = Object.keys(METHODS).join(', ');
      throw refuse('UnknownMethod', `${ALLOCATOR} has no method ${member}; there are ${known}`);
    }
    const signature = signatureOf(METHODS[member].in);
    if (call.signature !== signature) {
      throw refuse('InvalidArgs', `${member} takes arguments of type "${signature}", not "${call.signature}"`);
    }
    this.#perform(member, call, body);
  }

  #perform(method: MethodName, call: IncomingCall, body: readonly unknown[]): void {
    const answer = (...values: readonly unknown[]): boolean => call.reply(signatureOf(METHODS[method].out), values);
    switch (method) {
      case 'Acquire':
        // Without an answer nobody can know the lease, so nobody could release it.
        if (call.answerWanted) {
          const parameters = readAcquire(body[0], body[1]);
          this.#begin(call, async caller => {
            const { uid, gid, userName, dynamic, lease } = await this.#port.acquire(parameters, caller);
            if (!answer(uid, gid, userName, dynamic, lease)) {
              // The bus went away meanwhile: the caller was told so, and does not know of the lease.
              await this.#port.release(lease, caller);
            }
          });
        }
        return;
      case 'Release':
        this.#begin(call, async caller => {
          await this.#port.release(String(body[0]), caller);
          answer();
        });
        return;
      case 'LookupDynamicUserByName':
        answer(this.#uidOf(String(body[0])));
        return;
      case 'LookupDynamicUserByUID':
        answer(this.#nameOf(Number(body[0])));
        return;
      case 'GetDynamicUsers':
        answer(Array.from(this.#port.users(), ({ uid, name }) => [uid, name]));
        return;
    }
  }

  #uidOf(name: string): number {
    const shown = JSON.stringify(name.slice(0, 64));
    if (!isLookupName(name)) {
      throw refuse('InvalidArgs', `${shown} cannot be the name of a user`);
    }
    const uid = this.#port.uidOf(name);
    if (uid === undefined) {
      throw refuseOwn('NoSuchDynamicUser', `there is no dynamic user ${shown}`);
    }
    return uid;
  }

  #nameOf(uid: number): string {
    if (NO_UIDS.includes(uid)) {
      throw refuse('InvalidArgs', `${uid} is not a UID`);
    }
    const name = this.#port.nameOf(uid);
    if (name === undefined) {
      throw refuseOwn('NoSuchDynamicUser', `there is no dynamic user with the UID ${uid}`);
    }
    return name;
  }

  /** Runs a task that takes time, on behalf of whoever calls. */
  #begin(call: IncomingCall, task: (caller: BusCaller) => Promise<void>): void {
    const answered = this.#callers
      .during(call.sender, caller => this.#inPlace(caller, task))
      .catch((error: unknown) => this.#fail(call, error))
      .finally(() => this.#tasks.delete(answered));
    this.#tasks.add(answered);
  }

  /** Runs a task within the number that all callers but root may have under way: one user can have many names. */
  async #inPlace(caller: BusCaller, task: (caller: BusCaller) => Promise<void>): Promise<void> {
    if (caller.uid === 0) {
      return task(caller);
    }
    if (this.#ofOthers >= CALLS_MAX) {
      throw tooManyCalls();
    }
    this.#ofOthers++;
    try {
      await task(caller);
    } finally {
      this.#ofOthers--;
    }
  }

  #fail(call: IncomingCall, error: unknown): void {
    const refusal = toRefusal(error);
    if (refusal === undefined) {
      this.#onTrouble(`the call ${call.member} on the bus failed`, error);
    }
    call.fail(
      refusal?.errorName ?? `${DRIVER}.Error.Failed`,
      refusal?.message ?? 'the daemon failed; its log says why',
    );
  }
}
