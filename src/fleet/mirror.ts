/**
 * A copy of the bindings of a fleet, as the companion tells them. No hold depends on it: it only says which UIDs need not be tried, who lives
 * elsewhere, and which answers contradict what was told before.
 */
import type { FleetUser } from '../core/fleet.ts';
import type { Uid, UserName } from '../core/ids.ts';

export interface BindingChange extends FleetUser {
  readonly state: 'bound' | 'cooling' | 'free';
}

export class Mirror {
  readonly #uids = new Map<UserName, Uid>();
  readonly #owners = new Map<Uid, { readonly name: UserName; readonly cools: boolean }>();
  /** the UID that cools down for a name */
  readonly #former = new Map<UserName, Uid>();

  /** How many names have a UID. */
  get size(): number {
    return this.#uids.size;
  }

  uidOf(name: UserName): Uid | undefined {
    return this.#uids.get(name);
  }

  formerUid(name: UserName): Uid | undefined {
    return this.#former.get(name);
  }

  ownerOf(uid: Uid): { readonly name: UserName; readonly cools: boolean } | undefined {
    return this.#owners.get(uid);
  }

  *bound(): Generator<FleetUser, void, undefined> {
    for (const [name, uid] of this.#uids) {
      yield { name, uid };
    }
  }

  /** @returns false if it contradicts what is known: the UID is another name's still. Nothing is changed then */
  apply({ name, uid, state }: BindingChange): boolean {
    const owner = this.#owners.get(uid);
    if (state === 'bound') {
      if (owner !== undefined && owner.name !== name && !owner.cools) {
        return false;
      }
      this.#release(uid);
      const before = this.#uids.get(name);
      if (before !== undefined && before !== uid) {
        this.#release(before);
      }
      this.#uids.set(name, uid);
      this.#owners.set(uid, { name, cools: false });
      return true;
    }
    if (owner !== undefined && owner.name !== name) {
      // The UID was this name's before, or that was never told.
      return true;
    }
    this.#release(uid);
    if (state === 'cooling') {
      this.#owners.set(uid, { name, cools: true });
      this.#former.set(name, uid);
    }
    return true;
  }

  #release(uid: Uid): void {
    const owner = this.#owners.get(uid);
    if (owner === undefined) {
      return;
    }
    this.#owners.delete(uid);
    for (const names of [this.#uids, this.#former]) {
      if (names.get(owner.name) === uid) {
        names.delete(owner.name);
      }
    }
  }
}
