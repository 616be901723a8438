/** Says for the hosts that have joined that they are alive, for as long as the companion runs. Only what people see depends on it. */
import { type Fleet, type JoinRequest, PRESENCE_SEC } from './fleet.ts';
import { type Expiry, type KeyStore, StoreUnavailable } from './key-store.ts';
import type { Member } from './seen-store.ts';

/** A third of PRESENCE_SEC, and at random a fifth more or less: hosts that were started at a time do not stay together. */
const RENEW_MS = (PRESENCE_SEC * 1_000) / 3;
const SPREAD = 0.2;
/** A companion has one host, and two for a while after its host got another machine-id. */
const HOSTS_MAX = 16;

type Who = Pick<JoinRequest, 'hostName' | 'version'>;

interface Present {
  readonly member: Member;
  readonly timer: NodeJS.Timeout;
}

export class Presence {
  readonly #fleet: Fleet;
  readonly #keys: Pick<KeyStore, 'expiry'>;
  readonly #present = new Map<string, Present>();
  readonly #onFailure: (error: unknown) => void;

  /** @param onFailure told of what is a fault of the program */
  constructor(fleet: Fleet, keys: Pick<KeyStore, 'expiry'>, onFailure: (error: unknown) => void) {
    this.#fleet = fleet;
    this.#keys = keys;
    this.#onFailure = onFailure;
  }

  keep(member: Member, who: Who, expiry: Expiry): void {
    const before = this.#present.get(member.host);
    if (before !== undefined) {
      clearTimeout(before.timer);
    } else if (this.#present.size >= HOSTS_MAX) {
      return;
    }
    this.#later(member, who, expiry);
  }

  /** Whether it is said of a host, by that incarnation, that it is alive. */
  has({ host, incarnation }: Member): boolean {
    return this.#present.get(host)?.member.incarnation === incarnation;
  }

  /** The host has left, or was given up. */
  drop(host: string): void {
    clearTimeout(this.#present.get(host)?.timer);
    this.#present.delete(host);
  }

  /** Says of all hosts that they are away, if the store answers. */
  async stop(): Promise<void> {
    const members = [...this.#present.values()].map(({ member }) => member);
    for (const { host } of members) {
      this.drop(host);
    }
    await Promise.all(members.map(member => this.#fleet.disappear(member).catch(ignoreUnavailable)));
  }

  #later(member: Member, who: Who, expiry: Expiry): void {
    const wait = RENEW_MS * (1 + SPREAD * (2 * Math.random() - 1));
    const timer = setTimeout(() => this.#renew(member, who, expiry).catch(this.#onFailure), wait);
    this.#present.set(member.host, { member, timer });
  }

  async #renew(member: Member, who: Who, expiry: Expiry): Promise<void> {
    const { timer } = this.#present.get(member.host) ?? {};
    let next: Expiry | undefined = expiry;
    try {
      if (!(await expiry.renew())) {
        next = await this.#keys.expiry(PRESENCE_SEC);
        next = (await this.#fleet.appear(member, who, next)) ? next : undefined;
      }
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) {
        throw error;
      }
    }
    // It may have joined anew, or have left, meanwhile.
    if (this.#present.get(member.host)?.timer !== timer) {
      return;
    }
    if (next === undefined) {
      this.drop(member.host);
    } else {
      this.#later(member, who, next);
    }
  }
}

/** Without it the host counts as alive for a minute. @throws what is a fault of the program */
function ignoreUnavailable(error: unknown): void {
  if (!(error instanceof StoreUnavailable)) {
    throw error;
  }
}
