/** A program's side of dynuserd: users acquired and released, and what lives on the host. */
/// <reference lib="esnext.disposable" preserve="true" />
import { EventEmitter } from 'node:events';
import type {
  AcquireParameters,
  ExplainParameters,
  ExplainReply,
  FleetStatusReply,
  Lease,
  ListReply,
  Progress,
  ReleaseReply,
  ReloadReply,
  WatchReply,
} from '../api/generated/io-dynuser-allocator.ts';
import type { VarlinkClient } from '../varlink/client.ts';
import { callOnce, requestUser, streamOnce, withConnection } from './calls.ts';
import { checkParameters, type Method, type Opener, open, opener } from './connection.ts';
import { type Deadline, within } from './deadline.ts';
import { DynuserError, toDynuserError } from './errors.ts';
import { type Acquired, HeldLease, type Released } from './held-lease.ts';
import { LeaseConnection } from './lease-connection.ts';

export interface CallOptions {
  /** instead of the client's: how long to wait for the answer, in milliseconds; progress gives it more time */
  readonly timeoutMs?: number;
  /** ends the wait; what was acquired after it is given back */
  readonly signal?: AbortSignal;
}

export interface AcquireOptions extends CallOptions {
  /** called with how far the handover of a large directory is */
  readonly onProgress?: (progress: Progress) => void;
}

export interface ClientEvents {
  /** the daemon is away, and leases are held: their users live on meanwhile */
  disconnected: [reason: DynuserError];
  /** the daemon is back; these are still held */
  reconnected: [leases: readonly HeldLease[]];
  /** the user is no longer the lease's: its signal is aborted too */
  lost: [lease: HeldLease, reason: DynuserError];
}

/** What a daemon says of itself. */
export interface DaemonInfo {
  readonly vendor: string;
  readonly product: string;
  readonly version: string;
}

/** @internal */
interface ClientSettings {
  /** of the daemon's sockets, in the order in which they are tried, at least one */
  readonly paths: readonly string[];
  readonly timeoutMs: number;
  readonly reconnect: boolean;
  readonly daemon: DaemonInfo;
}

/** connect() makes these. */
export class Client extends EventEmitter<ClientEvents> implements AsyncDisposable {
  readonly #settings: ClientSettings;
  readonly #leaseConnection: LeaseConnection;
  readonly #open: Opener;
  readonly #closing = new AbortController();

  /** the daemon that answered when the client was made. @internal */
  readonly daemon: DaemonInfo;

  /** @internal */
  constructor(settings: ClientSettings) {
    super();
    this.#settings = settings;
    this.daemon = settings.daemon;
    this.#open = opener(settings.paths, settings.reconnect);
    this.#leaseConnection = new LeaseConnection(settings, {
      disconnected: reason => this.#tell('disconnected', reason),
      reconnected: leases => this.#tell('reconnected', leases),
      lost: (lease, reason) => {
        this.#tell('lost', lease, reason);
        lease.lose(reason);
      },
    });
  }

  /**
   * Allocates the user of a unit, or joins the user if it is live already. Without `lifetime` it lasts until it is
   * released or this process ends, and keeps the process alive. Requests for such leases are answered one by one.
   * @throws DynuserError; TypeError for a parameter that is not as the interface has it
   */
  async acquire(parameters: AcquireParameters, options: AcquireOptions = {}): Promise<HeldLease> {
    const written = checkParameters('Acquire', parameters);
    const lifetime = parameters.lifetime ?? 'connection';
    const make = (acquired: Acquired) => new HeldLease(acquired, lifetime, lease => this.#release(lease));
    try {
      return await within(this.#deadline(`Acquire for ${parameters.unit}`, options), wait => {
        const onProgress = (progress: Progress): void => {
          wait.restart();
          options.onProgress?.(progress);
        };
        return lifetime === 'connection'
          ? this.#leaseConnection.acquire(written, wait.signal, make, onProgress)
          : withConnection(this.#open, wait, each => requestUser(each, written, onProgress)).then(make);
      });
    } catch (error) {
      throw toDynuserError(error);
    }
  }

  /** Drops a lease by its id, whoever acquired it; one that was acquired here is better dropped by its release(). */
  release(lease: string, options: CallOptions = {}): Promise<Released> {
    return this.#call<ReleaseReply>('Release', { lease }, options);
  }

  /** The live leases of the host, and those of users that are ending. */
  async *list(options: CallOptions = {}): AsyncGenerator<Lease, void, void> {
    const deadline = this.#deadline('List', options);
    const replies = streamOnce<ListReply>(this.#open, 'List', () => deadline);
    for await (const { lease, leases = [] } of replies) {
      if (lease === undefined) {
        yield* leases;
      } else {
        yield lease;
      }
    }
  }

  /** Says what acquire() would do, and why, and changes nothing. */
  explain(parameters: ExplainParameters, options: CallOptions = {}): Promise<ExplainReply> {
    return this.#call<ExplainReply>('Explain', parameters, options);
  }

  /** Has the daemon read its configuration again, and says which keys of it have changed. For root. @internal */
  reload(options: CallOptions = {}): Promise<ReloadReply> {
    return this.#call<ReloadReply>('Reload', {}, options);
  }

  /** What this host has of its fleet. For root. @internal */
  fleetStatus(options: CallOptions = {}): Promise<FleetStatusReply> {
    return this.#call<FleetStatusReply>('FleetStatus', {}, options);
  }

  /** This host holds a name of the fleet no more. For root. @internal */
  async fleetForget(name: string, options: CallOptions = {}): Promise<void> {
    await this.#call('FleetForget', { name }, options);
  }

  /** This host leaves its fleet. For root. @internal */
  async fleetLeave(options: CallOptions = {}): Promise<void> {
    await this.#call('FleetLeave', {}, options);
  }

  /**
   * First each live lease, then 'ready', then each change, until the loop is left or the signal is aborted.
   * @throws DynuserError ConnectionFailed if the daemon ends: whoever watches again begins with what is live then
   */
  async *watch(options: Pick<CallOptions, 'signal'> = {}): AsyncGenerator<WatchReply, void, void> {
    // What is live is there at once; a change may never come.
    let deadline: Deadline = this.#deadline('Watch', options);
    for await (const reply of streamOnce<WatchReply>(this.#open, 'Watch', () => deadline)) {
      if (reply.event === 'ready') {
        const { timeoutMs, ...endless } = deadline;
        deadline = endless;
      }
      yield reply;
    }
  }

  /** Ends all calls under way, and every lease that lasts as long as this client. */
  async close(): Promise<void> {
    this.#closing.abort(new DynuserError('Closed', 'the client was closed'));
    await this.#leaseConnection.close();
  }

  /** `await using` ends with close(). */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #release(lease: HeldLease): Promise<Released> {
    // The end of the client, and the loss of the lease, were its end.
    const isGone = lease.signal.aborted || (lease.lifetime === 'connection' && this.#closing.signal.aborted);
    if (isGone) {
      return {};
    }
    try {
      return await this.#leaseConnection.untrack(lease, () => this.release(lease.id));
    } catch (error) {
      if (error instanceof DynuserError && error.code === 'NoSuchLease') {
        return {};
      }
      throw error;
    }
  }

  #call<Reply>(
    method: Exclude<Method, 'Acquire' | 'Claim' | 'List' | 'Watch'>,
    parameters: object,
    options: CallOptions,
  ): Promise<Reply> {
    const written = checkParameters(method, { ...parameters });
    return callOnce<Reply>(this.#open, method, written, this.#deadline(method, options));
  }

  #deadline(what: string, { timeoutMs = this.#settings.timeoutMs, signal }: CallOptions): Deadline {
    const closing = this.#closing.signal;
    closing.throwIfAborted();
    return { what, timeoutMs, signals: signal === undefined ? [closing] : [closing, signal] };
  }

  /** In a turn of its own: what a listener throws is the program's, and must not disturb the connection. */
  #tell<Event extends keyof ClientEvents>(event: Event, ...values: ClientEvents[Event]): void {
    process.nextTick(() => (this as EventEmitter).emit(event, ...values));
  }
}

/**
 * A client of the daemon at one of several sockets, after the daemon has said who it is.
 * @throws DynuserError ConnectionFailed, Timeout or UnexpectedReply; the reason of a signal
 * @internal
 */
export async function openClient(
  settings: Omit<ClientSettings, 'daemon'>,
  signals: readonly AbortSignal[] = [],
): Promise<Client> {
  const { paths, timeoutMs } = settings;
  const deadline = { what: `the daemon at ${paths.at(-1)}`, timeoutMs, signals };
  const daemon = await within(deadline, wait => withConnection(() => open(paths), wait, greet));
  return new Client({ ...settings, daemon });
}

async function greet(connection: VarlinkClient): Promise<DaemonInfo> {
  try {
    // The reply has been checked against the interface.
    const info = await connection.call('org.varlink.service.GetInfo');
    const { vendor, product, version } = info as unknown as DaemonInfo;
    return { vendor, product, version };
  } catch (error) {
    throw toDynuserError(error);
  }
}
