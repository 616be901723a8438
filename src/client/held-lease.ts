/** A lease in the hands of the program that acquired it. */
/// <reference lib="esnext.disposable" preserve="true" />
import type { Directory, Lifetime } from '../api/generated/io-dynuser-allocator.ts';
import type { Acquired } from './acquired.ts';
import type { DynuserError } from './errors.ts';

export interface Released {
  /** what keeps the UID reserved, in words, where the daemon could not remove it yet: it tries again by itself */
  readonly remains?: string;
}

/** What the lease needs of the client that made it. */
export interface LeaseOwner {
  release(lease: HeldLease): Promise<Released>;
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
  readonly lifetime: Lifetime;
  readonly directories: readonly Directory[];
  /** STATE_DIRECTORY and its siblings, for the environment of the service */
  readonly environment: { readonly [key: string]: string };
  /** the daemon's whole answer. @internal */
  readonly acquired: Acquired;
  readonly #owner: LeaseOwner;
  readonly #lost = new AbortController();
  #release: Promise<Released> | undefined;

  constructor(owner: LeaseOwner, acquired: Acquired, lifetime: Lifetime) {
    this.id = acquired.lease;
    this.uid = acquired.uid;
    this.gid = acquired.gid;
    this.userName = acquired.userName;
    this.unit = acquired.unit;
    this.dynamic = acquired.dynamic;
    this.lifetime = lifetime;
    this.directories = acquired.directories;
    this.environment = acquired.environment;
    this.acquired = acquired;
    this.#owner = owner;
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
   * answer comes when that is done. A lease that is lost or gone already is no error; a failure may be tried again.
   * @throws DynuserError ConnectionFailed, Timeout or NotPermitted
   */
  release(): Promise<Released> {
    this.#release ??= this.#owner.release(this).catch((error: unknown) => {
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
