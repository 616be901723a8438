/**
 * One connection of a server: it joins a socket to a session. It reports to the tables of the server what it uses of the things that all
 * connections share (places, queued output, turns), and it decides nothing about other connections.
 */
import type { Socket } from 'node:net';
import { CloseListeners } from './close-listeners.ts';
import type { ConnectionTable, Placed } from './connection-table.ts';
import { type Answer, type CallOrigin, dispatch, refusal } from './dispatch.ts';
import type { OwnerKey } from './fair-queue.ts';
import { OUTPUT_HIGH_WATER_BYTES, READ_AHEAD_BYTES_MAX, REPLIES_A_PIECE, type ServerLimits } from './limits.ts';
import type { MethodTable } from './method-table.ts';
import { ServerSession } from './session.ts';
import { type AcceptedSocket, isPeerGone } from './socket-handle.ts';
import type { Rank, Task, Turns } from './turns.ts';

/** Errors that show that a peer has left and did not wait for all of its replies. */
const DEPARTURES: ReadonlySet<unknown> = new Set(['EPIPE', 'ECONNRESET']);

/** Something that went wrong, and that nobody can be told of on the wire. */
export interface Failure {
  /** the connection that it happened on, Connection.id */
  readonly connection?: number;
  /** a peer's faults are its own, and it can cause any number of them; the service's are for its operators to repair */
  readonly fault: 'peer' | 'service';
  readonly what: string;
  readonly cause?: unknown;
}

/** What the connections of a server share. */
export interface ConnectionHost<P> {
  readonly methods: MethodTable<P>;
  readonly limits: ServerLimits;
  readonly table: ConnectionTable<ServerConnection<P>>;
  /** when requests are answered */
  readonly turns: Turns;
  /** what peers send is read into one of these, of privileged peers and of others */
  readonly input: { readonly privileged: Buffer; readonly others: Buffer };
  /** whether connections are to end as soon as they have nothing under way */
  readonly draining: boolean;
  /** milliseconds that only ever grow */
  now(): number;
  onFailure(failure: Failure): void;
}

/** Whose connection it is. */
export interface Identity<P> extends Placed {
  readonly peer: P;
  readonly rank: Rank;
}

/** Replies that are sent one after the other. */
interface Sending {
  readonly texts: Iterator<string>;
  resolve(): void;
  reject(cause: unknown): void;
}

export class ServerConnection<P> implements CallOrigin<P>, Task {
  readonly id: number;
  readonly owner: OwnerKey;
  readonly privileged: boolean;
  readonly level: Rank;
  readonly peer: P;
  readonly #socket: Socket;
  readonly #host: ConnectionHost<P>;
  readonly #session: ServerSession;
  readonly #listeners = new CloseListeners(cause =>
    this.#fail('service', 'what was to happen at its end failed', cause),
  );
  #holds = 0;
  closed = false;
  #sending: Sending | undefined;
  #isStepping = false;
  /** no further input is taken: the replies that wait go out, then the socket closes */
  #ending = false;
  #inputEnded = false;

  /** Begins to read; nothing is answered before the caller has given it its place in the table, in the same tick. */
  constructor(id: number, accepted: AcceptedSocket, identity: Identity<P>, host: ConnectionHost<P>) {
    this.id = id;
    this.peer = identity.peer;
    this.owner = identity.owner;
    this.privileged = identity.privileged;
    this.level = identity.rank;
    this.#host = host;
    const { maxFrameBytes, maxFrameBytesPrivileged } = host.limits;
    this.#session = new ServerSession(identity.privileged ? maxFrameBytesPrivileged : maxFrameBytes);
    const buffer = identity.privileged ? host.input.privileged : host.input.others;
    this.#socket = accepted.open({
      buffer,
      read: length => {
        this.#session.receive(Buffer.from(buffer.subarray(0, length)));
        this.#advance();
      },
    });
    this.#listen(this.#socket);
  }

  #listen(socket: Socket): void {
    socket.on('end', () => {
      this.#inputEnded = true;
      this.#advance();
    });
    socket.on('drain', () => {
      this.#host.table.accountOutput(this, 0);
      this.#advance();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (!DEPARTURES.has(error.code)) {
        this.#fail('service', 'the socket failed', error);
      }
    });
    socket.on('close', () => {
      this.#leave();
      this.#listeners.tell();
    });
  }

  get busy(): boolean {
    return this.#session.busy;
  }

  onClose(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  hold(): () => void {
    let held = true;
    this.#holds += 1;
    this.#host.table.markBusy(this);
    return () => {
      if (held) {
        held = false;
        this.#holds -= 1;
        this.#markWhetherIdle();
      }
    };
  }

  /** Takes no more requests, sends what waits, and closes. */
  end(): void {
    if (this.#socket.writableLength === 0) {
      this.destroy();
      return;
    }
    this.#ending = true;
    this.#socket.pause();
    this.#socket.destroySoon();
    this.#markWhetherIdle();
  }

  /** Closes at once; what waits to be sent is lost. */
  destroy(): void {
    this.#ending = true;
    this.#socket.destroy();
    this.#leave();
  }

  /** Destroys it for what its peer did, and reports that. */
  expel(what: string): void {
    this.#fail('peer', what);
    this.destroy();
  }

  /** Closes if the peer has left. */
  probe(): void {
    if (isPeerGone(this.#socket)) {
      this.destroy();
    }
  }

  sendContinuing(parameters: string): boolean {
    if (this.closed) {
      return false;
    }
    this.#write(this.#session.continuing(parameters));
    return !this.closed && !this.#socket.writableNeedDrain;
  }

  sendEach(texts: Iterator<string>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#sending = { texts, resolve, reject };
      if (this.closed) {
        this.#endSending();
      } else if (!this.#isStepping) {
        this.#advance();
      }
    });
  }

  #endSending(): void {
    const sending = this.#sending;
    this.#sending = undefined;
    sending?.resolve();
  }

  /**
   * In one write: a write for each reply would take the kernel and the reader longer than all else.
   * @returns whether there is more to send now
   */
  #sendSome({ texts, reject }: Sending): boolean {
    if (this.#socket.writableNeedDrain) {
      return false;
    }
    let together = '';
    let isAll = false;
    try {
      for (let count = 0; count < REPLIES_A_PIECE && together.length < OUTPUT_HIGH_WATER_BYTES; count++) {
        const next = texts.next();
        if (next.done === true) {
          isAll = true;
          break;
        }
        together += this.#session.continuing(next.value);
      }
    } catch (error) {
      this.#sending = undefined;
      reject(error);
    }
    if (together !== '') {
      this.#write(together);
    }
    if (isAll) {
      this.#endSending();
    }
    return this.#sending !== undefined && !this.#socket.writableNeedDrain;
  }

  /** Answers the requests that are there: now, or when it is its turn; until then nothing more is read. */
  #advance(): void {
    if (this.#host.turns.run(this) && !this.#ending) {
      this.#socket.pause();
    }
  }

  /** Answers one request, or sends some of the replies to one, as Task.step(). */
  step(): boolean {
    this.#isStepping = true;
    try {
      if (this.#sending === undefined) {
        return this.#answerOne();
      }
      const isMore = this.#sendSome(this.#sending);
      if (!isMore && !this.#ending) {
        // It is read again, so that its end is seen.
        this.#settle();
      }
      return isMore;
    } finally {
      this.#isStepping = false;
    }
  }

  #answerOne(): boolean {
    const consumed = !this.#ending && !this.#host.draining && !this.#isBlocked() && this.#answerNext();
    if (this.#ending) {
      return false;
    }
    if (consumed) {
      this.#host.table.frameEnded(this);
      this.#markWhetherIdle();
      if (this.#sending !== undefined) {
        return true;
      }
      if (this.#session.buffered > 0 && !this.#isBlocked()) {
        return true;
      }
    }
    this.#settle();
    return false;
  }

  /** @returns whether there was a request */
  #answerNext(): boolean {
    const step = this.#session.next();
    if (step === undefined) {
      return false;
    }
    if (step.kind === 'broken') {
      this.#fail('peer', `closed, since a request ${step.reason}`);
      this.end();
      return true;
    }
    const { methods } = this.#host;
    const answer = step.kind === 'call' ? dispatch(methods, this, step.call) : refusal(methods, step.error);
    if (answer instanceof Promise) {
      this.#host.table.markBusy(this);
      void answer.then(late => {
        this.#reply(late);
        this.#markWhetherIdle();
        this.#advance();
      });
    } else {
      this.#reply(answer);
    }
    return true;
  }

  /** Whether requests that are there have to wait for the end of another, or for the peer to read. */
  #isBlocked(): boolean {
    return this.#session.busy || this.#socket.writableNeedDrain;
  }

  #reply({ error, parameters, failure }: Answer): void {
    if (failure !== undefined) {
      this.#fail('service', failure.what, failure.cause);
    }
    const text = this.#session.final(parameters, error);
    if (text !== undefined) {
      this.#write(text);
    }
  }

  #write(text: string): void {
    if (this.closed) {
      return;
    }
    if (this.#socket.write(text) || this.#socket.writableLength === 0) {
      return;
    }
    if (this.#socket.writableLength > this.#host.limits.maxQueuedBytes) {
      this.expel('closed, since too many replies wait for a peer that does not read them');
      return;
    }
    const greatest = this.#host.table.accountOutput(this, this.#socket.writableLength);
    greatest?.expel('closed, since replies that peers do not read fill the memory for all of them');
  }

  /** Brings what depends on the state of the session up to date with it. */
  #settle(): void {
    const { table, draining } = this.#host;
    const { buffered } = this.#session;
    if (this.#isBlocked()) {
      if (this.#inputEnded) {
        table.markUnread(this);
        this.probe();
      } else if (buffered > READ_AHEAD_BYTES_MAX) {
        table.markUnread(this);
        this.#socket.pause();
      } else {
        this.#resume();
      }
      return;
    }
    table.markRead(this);
    if (draining || this.#inputEnded) {
      // What is buffered now has no end, and none will come.
      this.end();
      return;
    }
    if (buffered > 0) {
      table.frameBegun(this, this.#host.now());
    }
    this.#resume();
  }

  #resume(): void {
    if (this.#socket.isPaused()) {
      this.#socket.resume();
    }
  }

  #markWhetherIdle(): void {
    if (this.#ending || (this.#holds === 0 && !this.#session.busy)) {
      this.#host.table.markIdle(this, this.#host.now());
    }
  }

  #leave(): void {
    this.closed = true;
    this.#ending = true;
    this.#host.turns.cancel(this);
    this.#host.table.remove(this);
    this.#endSending();
  }

  #fail(fault: Failure['fault'], what: string, cause?: unknown): void {
    this.#host.onFailure({ connection: this.id, fault, what, ...(cause === undefined ? {} : { cause }) });
  }
}
