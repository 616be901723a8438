/** A lease, for the program that acquired it. */
/// <reference lib="esnext.disposable" preserve="true" />
import type { AcquireReply, Directory, Group, Lifetime } from '../api/generated/io-dynuser-allocator.ts';
import type { DynuserError } from './errors.ts';

/** The answer to Acquire: what the interface has in the last reply, all of it. */
export type Acquired = Required<Omit<AcquireReply, 'progress' | 'groups' | 'fleet'>> &
  Pick<AcquireReply, 'groups' | 'fleet'>;

export interface Released {
  /** what keeps the UID reserved, in words, if the daemon could not remove it yet: it tries again by itself */
  readonly remains?: string;
}

export class HeldLease implements AsyncDisposable {
  /** the id that Release takes, 32 hexadecimal digits */
  readonly id: string;
  readonly uid: number;
  readonly gid: number;
  readonly userName: string;
  readonly unit: string;
  /** false if a static user of the host is used as it is */
  readonly dynamic: boolean;
  /** the UID is the name's on all hosts of the fleet; undefined if the fleet does not have the name */
  readonly fleet: boolean | undefined;
  readonly lifetime: Lifetime;
  readonly directories: readonly Directory[];
  /** STATE_DIRECTORY and its siblings, for the environment of the service */
  readonly environment: { readonly [key: string]: string };
  /** the groups that were asked for, which a process of the user needs besides its own; that of its directories first, if it was named */
  readonly groups: readonly Group[];
  /** the daemon's whole answer. @internal */
  readonly acquired: Acquired;
  readonly #drop: (lease: HeldLease) => Promise<Released>;
  readonly #lost = new AbortController();
  #release: Promise<Released> | undefined;

  /** @param drop drops the lease: the client's part of release() */
  constructor(acquired: Acquired, lifetime: Lifetime, drop: (lease: HeldLease) => Promise<Released>) {
    this.id = acquired.lease;
    this.uid = acquired.uid;
    this.gid = acquired.gid;
    this.userName = acquired.userName;
    this.unit = acquired.unit;
    this.dynamic = acquired.dynamic;
    this.fleet = acquired.fleet;
    this.lifetime = lifetime;
    this.directories = acquired.directories;
    this.environment = acquired.environment;
    this.groups = acquired.groups ?? [];
    this.acquired = acquired;
    this.#drop = drop;
  }

  /**
   * Aborted when the lease is lost, with a DynuserError LeaseLost as its reason; never by release(). Given to spawn() of
   * node:child_process it ends the child whose user is no longer its own.
   */
  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  /**
   * Drops the lease. With the last lease of the user its processes, IPC objects and runtime directories go, and the
   * answer comes when that is done. A lease that is lost or gone already is not an error; a failure may be tried again.
   * @throws DynuserError ConnectionFailed, Timeout or NotPermitted
   */
  release(): Promise<Released> {
    this.#release ??= this.#drop(this).catch((error: unknown) => {
      this.#release = undefined;
      throw error;
    });
    return this.#release;
  }

  /** `await using` ends with release(). */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  /** The client's to call. @internal */
  lose(error: DynuserError): void {
    this.#lost.abort(error);
  }
}
