/**
 * The message bus for as long as the daemon runs: one connection, which its clients share, and which is opened again when it is lost. A host
 * without a bus is not an error: attempts become rarer, and whoever asks is told the reason.
 */
import { reasonOf } from '../core/errors.ts';
import { type BusConnection, openConnection } from './connection.ts';
import { RETRY_FIRST_MS, RETRY_LAST_MS } from './limits.ts';
import { DRIVER, type IncomingCall, type Signal } from './message.ts';
import type { BusTurns } from './port.ts';

/** A user of the bus. None of its methods may throw, except connected(). */
export interface BusClient {
  /** A connection was opened: asks the bus for what the client needs. A failure is reported, and costs this client alone. */
  connected(connection: BusConnection): Promise<void>;
  lost(): void;
  signal(signal: Signal): void;
  call?(call: IncomingCall): void;
}

/** The bus as its clients see it. */
export type BusAccess = Pick<Bus, 'attach' | 'connection' | 'reason' | 'ready'>;

/** What becomes of the bus, for the log. */
export interface BusReports {
  /** the bus is there, or went, or is not there: told at every change */
  state(connected: boolean, reason: string): void;
  /** something that costs one message or one client; whoever may send to the daemon can make it happen at will */
  trouble(what: string, cause: unknown): void;
}

export class Bus {
  readonly #socket: string;
  readonly #reports: BusReports;
  readonly #turns: BusTurns | undefined;
  readonly #clients: BusClient[] = [];
  #connection: BusConnection | undefined;
  #attempt: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;
  #delay = RETRY_FIRST_MS;
  #reason = 'the message bus was not tried yet';
  #told: boolean | undefined;
  #closed = false;

  /**
   * @param socket the path of the bus's socket, from systemBusSocket()
   * @param turns when calls and signals are told to the clients: at once unless given
   */
  constructor(socket: string, reports: BusReports, turns?: BusTurns) {
    this.#socket = socket;
    this.#reports = reports;
    this.#turns = turns;
  }

  /** Adds a client; before start() alone. */
  attach(client: BusClient): void {
    this.#clients.push(client);
  }

  /** Tries to reach the bus until close(); waits for nothing, and never throws. */
  start(): void {
    void this.ready();
  }

  get connection(): BusConnection | undefined {
    return this.#connection;
  }

  /** Why there is no connection, in words; empty if there is one. */
  get reason(): string {
    return this.#connection === undefined ? this.#reason : '';
  }

  /**
   * Waits for the attempt that is under way, or makes one: a bus that came up a moment ago is found by who needs it.
   * @returns once the bus is connected and its clients are set up, or once it is known not to be there; within a bound
   */
  ready(): Promise<void> {
    if (this.#closed || (this.#connection !== undefined && this.#attempt === undefined)) {
      return Promise.resolve();
    }
    clearTimeout(this.#retry);
    this.#attempt ??= this.#open().finally(() => {
      this.#attempt = undefined;
      this.#scheduleRetry();
    });
    return this.#attempt;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#connection?.close();
    this.#connection = undefined;
  }

  async #open(): Promise<void> {
    const openedAt = performance.now();
    let connection: BusConnection;
    try {
      connection = await openConnection(
        this.#socket,
        {
          signal: signal => {
            for (const client of this.#clients) {
              client.signal(signal);
            }
          },
          call: call => this.#pass(call),
          lost: reason => {
            // After a connection that lasted for a while, the next attempt comes soon.
            this.#delay = performance.now() - openedAt > RETRY_LAST_MS ? RETRY_FIRST_MS : this.#delay;
            this.#lost(reason);
          },
          dropped: reason => this.#reports.trouble('a message on the bus was not read', new Error(reason)),
        },
        this.#turns,
      );
    } catch (error) {
      this.#lost(reasonOf(error));
      return;
    }
    if (this.#closed) {
      connection.close();
      return;
    }
    this.#connection = connection;
    const refused = (error: unknown): void => {
      if (this.#connection === connection) {
        this.#reports.trouble('the message bus did not grant what was asked of it', error);
      }
    };
    await Promise.all(this.#clients.map(client => client.connected(connection).catch(refused)));
    if (this.#connection === connection) {
      this.#report(true, '');
    }
  }

  #lost(reason: string): void {
    const connected = this.#connection !== undefined;
    this.#connection = undefined;
    this.#reason = reason;
    if (this.#closed) {
      return;
    }
    if (connected) {
      for (const client of this.#clients) {
        client.lost();
      }
    }
    this.#report(false, reason);
    this.#scheduleRetry();
  }

  /** Does nothing while there is a connection, or one is being opened. */
  #scheduleRetry(): void {
    if (this.#closed || this.#connection !== undefined || this.#attempt !== undefined) {
      return;
    }
    clearTimeout(this.#retry);
    // A wait for the bus keeps no process alive.
    this.#retry = setTimeout(() => void this.ready(), this.#delay).unref();
    this.#delay = Math.min(this.#delay * 2, RETRY_LAST_MS);
  }

  #report(connected: boolean, reason: string): void {
    if (this.#told !== connected) {
      this.#told = connected;
      this.#reports.state(connected, reason);
    }
  }

  #pass(call: IncomingCall): void {
    const client = this.#clients.find(({ call: takes }) => takes !== undefined);
    if (client?.call === undefined) {
      call.fail(`${DRIVER}.Error.UnknownObject`, 'there is no object here');
    } else {
      client.call(call);
    }
  }
}

/** The well-known address (D-Bus specification, "Server Addresses"); /var/run is /run. */
const DEFAULT_SOCKET = '/run/dbus/system_bus_socket';

/**
 * @param address the value of $DBUS_SYSTEM_BUS_ADDRESS; if it is unset or empty, the bus is at its usual place
 * @returns the path of the socket, or the reason why the address cannot be used: only sockets with a plain path are,
 *   since other kinds of address run programs or reach over a network
 */
export function systemBusSocket(address: string | undefined): { readonly path: string } | { readonly reason: string } {
  if (address === undefined || address === '') {
    return { path: DEFAULT_SOCKET };
  }
  const match = /^unix:path=(\/[A-Za-z0-9_/.-]+)(?:,guid=[0-9a-f]{32})?$/.exec(address);
  return match?.[1] === undefined
    ? { reason: `DBUS_SYSTEM_BUS_ADDRESS: "${address.slice(0, 200)}" is not of the form unix:path=/PATH` }
    : { path: match[1] };
}
