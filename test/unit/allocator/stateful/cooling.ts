/** Which UIDs were freed a moment ago, as the tests saw it, and whether the daemon gives them out too soon. */
import assert from 'node:assert/strict';
import type { UserTable } from '../../../../src/allocator/user-table.ts';
import type { Uid } from '../../../../src/core/ids.ts';
import type { DynamicUser } from '../../../../src/core/lease.ts';
import { UIDS } from './actions.ts';
import { COOL_DOWN_MS } from './daemon.ts';
import type { Host } from './host.ts';

/** @returns the UIDs that users have, live, lost or ending, with their names */
export function heldUids(users: UserTable): Map<Uid, string> {
  const found = new Map<Uid, string>();
  for (const uid of UIDS) {
    const user = users.holding(uid as Uid);
    if (user !== undefined) {
      found.set(uid as Uid, user.name);
    }
  }
  return found;
}

export class Cooling {
  readonly #host: Host;
  readonly #freed = new Map<Uid, { readonly name: string; readonly at: number }>();

  constructor(host: Host) {
    this.#host = host;
  }

  /** Those of the UIDs that nobody has any more were freed now; one that was lost may be somebody else's. */
  note(before: ReadonlyMap<Uid, string>, users: UserTable): void {
    for (const [uid, name] of before) {
      if (users.holding(uid) === undefined && !this.#host.lockOwner.has(uid)) {
        this.#freed.set(uid, { name, at: this.#host.now });
      }
    }
  }

  /** The daemon forgets it with its end. */
  forget(): void {
    this.#freed.clear();
  }

  /** A UID that was somebody else's a moment ago is given out only if no other is left. */
  check({ uid, name }: Pick<DynamicUser, 'uid' | 'name'>, free: readonly number[]): void {
    const isCool = (other: number) => {
      const freed = this.#freed.get(other as Uid);
      return freed === undefined || freed.name === name || freed.at + COOL_DOWN_MS <= this.#host.now;
    };
    assert.ok(isCool(uid) || !free.some(isCool), `${uid} has not cooled down, and one of ${free} has`);
  }
}
