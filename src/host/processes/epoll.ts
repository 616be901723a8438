/**
 * An epoll instance (epoll(7)) whose wait blocks a thread and not the event loop: what Node's own cannot wait for, such as
 * pidfds. While a wait is under way it occupies one of the four threads of libuv's pool (UV_THREADPOOL_SIZE), which the
 * asynchronous half of node:fs, dns.lookup and zlib share. It costs no time of the processor until something happens.
 */
import { closeSync, writeSync } from 'node:fs';
import { ForeignFunction } from '../libc/libc.ts';

/** Of sys/epoll.h and sys/eventfd.h, the same on every architecture that Node runs on. */
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLLIN = 1;
const CLOEXEC = 0o2000000;
const NONBLOCK = 0o4000;

/** struct epoll_event is packed on x86-64 alone: 32 bits of events, then 64 of data. */
const EVENT_BYTES = process.arch === 'x64' ? 12 : 16;
const DATA_OFFSET = EVENT_BYTES - 8;
/** Events that one wait takes; the rest come with the next. */
const EVENTS_MAX = 256;

const FOREVER = -1;
const AT_ONCE = 0;
const WAKE_TOKEN = 0;
/** eventfd(2): what is written is added to its counter, as a 64-bit integer in the host's order. */
const ONE = Buffer.from(new BigUint64Array([1n]).buffer);

export class Epoll {
  readonly #descriptor = new ForeignFunction('epoll_create1', ['int32']).call(CLOEXEC);
  readonly #wakeup = new ForeignFunction('eventfd', ['int32', 'int32']).call(0, CLOEXEC | NONBLOCK);
  readonly #control = new ForeignFunction('epoll_ctl', ['int32', 'int32', 'int32', 'pointer']);
  readonly #event = Buffer.alloc(EVENT_BYTES);
  readonly #wait = new ForeignFunction('epoll_wait', ['int32', 'pointer', 'int32', 'int32']);
  readonly #events = Buffer.alloc(EVENTS_MAX * EVENT_BYTES);
  /** a wait that is under way has the others on its thread */
  readonly #now = new ForeignFunction('epoll_wait', ['int32', 'pointer', 'int32', 'int32']);
  readonly #eventsNow = Buffer.alloc(EVENTS_MAX * EVENT_BYTES);

  /** @throws Error the system's, such as EMFILE; what was opened until then stays open */
  constructor() {
    this.#control.lay(3, this.#event);
    this.#wait.lay(0, this.#descriptor, this.#events, EVENTS_MAX);
    this.#now.lay(0, this.#descriptor, this.#eventsNow, EVENTS_MAX, AT_ONCE);
    this.#change(EPOLL_CTL_ADD, this.#wakeup, WAKE_TOKEN);
  }

  /**
   * Waits for a descriptor to be readable, from now on, also in a wait that is under way.
   * @param token what the wait calls it, 1 … 2^53−1: unlike a descriptor's number never another one's
   * @throws Error the system's, such as ENOSPC at /proc/sys/fs/epoll/max_user_watches
   */
  add(descriptor: number, token: number): void {
    this.#change(EPOLL_CTL_ADD, descriptor, token);
  }

  /** Waits for it no more. To be called before the descriptor is closed. A wait under way may still name it once. */
  remove(descriptor: number): void {
    this.#change(EPOLL_CTL_DEL, descriptor, WAKE_TOKEN);
  }

  /**
   * Waits until something is readable, or wake() is called. One wait at a time.
   * @returns the tokens of what is readable; none if a signal or wake() ended the wait
   * @throws Error the system's
   */
  async wait(): Promise<readonly number[]> {
    let count = await this.#wait.lay(3, FOREVER).callOnThread();
    if (count === -1) {
      // Its errno is on the other thread: EINTR goes away when asked again, and anything else fails again.
      count = this.#wait.lay(3, AT_ONCE).call();
    }
    return this.#tokens(count, this.#events);
  }

  /** What is readable now, also while a wait is under way. @returns the tokens, each of which a wait may name, too */
  readable(): readonly number[] {
    return this.#tokens(this.#now.call(), this.#eventsNow);
  }

  #tokens(count: number, events: Buffer): number[] {
    const tokens = Array.from({ length: count }, (_, index) =>
      Number(events.readBigUInt64LE(index * EVENT_BYTES + DATA_OFFSET)),
    );
    return tokens.filter(token => token !== WAKE_TOKEN);
  }

  /** Ends the wait that is under way, and every later one at once. */
  wake(): void {
    writeSync(this.#wakeup, ONE);
  }

  /** To be called while no wait is under way: its thread would wait for ever. */
  close(): void {
    closeSync(this.#wakeup);
    closeSync(this.#descriptor);
  }

  #change(operation: number, descriptor: number, token: number): void {
    this.#event.writeUInt32LE(EPOLLIN, 0);
    this.#event.writeBigUInt64LE(BigInt(token), DATA_OFFSET);
    this.#control.call(this.#descriptor, operation, descriptor);
  }
}
