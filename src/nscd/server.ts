/**
 * Answers nscd's protocol on UNIX sockets: one question on a connection, one answer, and its end. Everybody may ask. Places, turns and
 * deadlines are those of the varlink server, with other limits, so that neither server can use up what the other needs.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { type AcceptCalls, Acceptor } from '../varlink/acceptor.ts';
import { ConnectionTable, type Placed } from '../varlink/connection-table.ts';
import type { OwnerKey } from '../varlink/fair-queue.ts';
import { SWEEP_INTERVAL_MS } from '../varlink/limits.ts';
import { type ListenTarget, listen } from '../varlink/listener.ts';
import type { AcceptedSocket } from '../varlink/socket-handle.ts';
import type { Rank, Task, Turns } from '../varlink/turns.ts';
import { type NscdLimits, QUESTION_MS } from './limits.ts';
import { HEADER_BYTES, KEY_BYTES_MAX, type Question, readQuestion } from './protocol.ts';

export interface NscdServerOptions {
  /** @returns the bytes that answer a question */
  answer(question: Question): Buffer;
  /** who is at the other end; the connection is closed if it throws */
  identify(descriptor: number): { readonly owner: OwnerKey; readonly isRoot: boolean };
  readonly limits: NscdLimits;
  readonly acceptCalls: AcceptCalls;
  /** shared with the other servers */
  readonly turns: Turns;
  /** milliseconds that only ever grow */
  now(): number;
  onFailure(what: string, cause: unknown): void;
}

interface Newcomer extends Placed {
  readonly rank: Rank;
}

/** What the connections of a server share. */
interface Host {
  readonly options: NscdServerOptions;
  readonly table: ConnectionTable<Connection>;
  /** what peers send is read into it */
  readonly input: Buffer;
}

export class NscdServer {
  readonly #host: Host;
  readonly #server: Server = createServer();
  readonly #acceptor: Acceptor<Newcomer>;
  #sweeper: NodeJS.Timeout | undefined;

  constructor(options: NscdServerOptions) {
    this.#host = {
      options,
      table: new ConnectionTable(options.limits),
      input: Buffer.alloc(HEADER_BYTES + KEY_BYTES_MAX),
    };
    this.#acceptor = new Acceptor({
      turns: options.turns,
      limits: options.limits,
      calls: options.acceptCalls,
      now: options.now,
      identify: descriptor => this.#identify(descriptor),
      admit: (accepted, newcomer) => this.#admit(accepted, newcomer),
      // A client whose connection is closed asks elsewhere.
      refused: () => {},
      failed: cause => options.onFailure('cannot accept connections on the socket of nscd', cause),
    });
  }

  /** @throws Error if it cannot listen on the socket; it says which and why */
  async listen(target: ListenTarget): Promise<void> {
    await listen(this.#server, target, () => this.#acceptor.start(this.#server));
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_INTERVAL_MS).unref();
  }

  get connections(): number {
    return this.#host.table.size + this.#acceptor.waiting;
  }

  /** how many there have been */
  get accepted(): number {
    return this.#acceptor.accepted;
  }

  /** Takes no new connections, and closes those that there are: a question without its answer is asked elsewhere. */
  async close(): Promise<void> {
    if (!this.#server.listening) {
      return;
    }
    const closed = new Promise<void>(resolve => this.#server.close(() => resolve()));
    clearInterval(this.#sweeper);
    this.#acceptor.close();
    for (const connection of this.#host.table.all()) {
      connection.destroy();
    }
    await closed;
  }

  #identify(descriptor: number): Newcomer | undefined {
    const { identify, onFailure } = this.#host.options;
    try {
      const { owner, isRoot } = identify(descriptor);
      return { owner, privileged: isRoot, rank: isRoot ? 'first' : 'others' };
    } catch (cause) {
      onFailure('a client of the socket of nscd could not be identified', cause);
      return undefined;
    }
  }

  #admit(accepted: AcceptedSocket, newcomer: Newcomer): void {
    const { table, options } = this.#host;
    if (table.refusal(newcomer) !== undefined) {
      accepted.close();
      return;
    }
    const connection = new Connection(accepted, newcomer, this.#host);
    const now = options.now();
    table.admit(connection, now)?.destroy();
    // The deadline is that of its question and its answer together.
    table.frameBegun(connection, now);
  }

  #sweep(): void {
    const { table, options } = this.#host;
    for (const connection of table.frameBegunBefore(options.now() - QUESTION_MS)) {
      connection.destroy();
    }
  }
}

class Connection implements Placed, Task {
  readonly owner: OwnerKey;
  readonly privileged: boolean;
  readonly level: Rank;
  readonly #socket: Socket;
  readonly #host: Host;
  #input: Buffer = Buffer.alloc(0);
  #isAnswered = false;

  constructor(accepted: AcceptedSocket, { owner, privileged, rank }: Newcomer, host: Host) {
    this.owner = owner;
    this.privileged = privileged;
    this.level = rank;
    this.#host = host;
    this.#socket = accepted.open({ buffer: host.input, read: length => this.#receive(host.input.subarray(0, length)) });
    this.#socket.on('end', () => {
      if (!this.#isAnswered && !host.options.turns.waits(this)) {
        this.destroy();
      }
    });
    // Whatever it is, the client has gone.
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => this.destroy());
  }

  #receive(bytes: Buffer): void {
    // What comes after a question has no meaning, and is not kept.
    if (this.#isAnswered || this.#input.length >= HEADER_BYTES + KEY_BYTES_MAX) {
      return;
    }
    this.#input = Buffer.concat([this.#input, bytes]);
    this.#host.options.turns.run(this);
  }

  step(): boolean {
    const question = this.#isAnswered ? undefined : readQuestion(this.#input);
    if (question === 'refused') {
      this.destroy();
    } else if (question !== undefined) {
      this.#isAnswered = true;
      this.#socket.end(this.#host.options.answer(question));
      this.#socket.destroySoon();
    }
    return false;
  }

  destroy(): void {
    this.#host.options.turns.cancel(this);
    this.#host.table.remove(this);
    this.#socket.destroy();
  }
}
