/** The keys of bindings and holds, and the holds of one host: how they are put, read and ended. */
import type { Binding } from '../api/generated/io-dynuser-fleet.ts';
import type { Condition, Put } from './key-store.ts';
import { byHostKey, heldByHost, holdKey, lastPart, nameKey, uidIn, uidKey } from './keys.ts';
import type { Member, SeenStore } from './seen-store.ts';

/** Names in one transaction: etcd takes 128 operations (--max-txn-ops). */
export const NAMES_PER_TRANSACTION = 32;

/** Names that a host holds, as a list had them at a revision. */
export interface ListedHolds {
  readonly names: readonly string[];
  readonly revision: number;
}

export function bindingPuts(name: string, uid: number): Put[] {
  return [
    { key: nameKey(name), value: String(uid) },
    { key: uidKey(uid), value: name },
  ];
}

export function holdPuts({ host, incarnation }: Member, name: string, uid: number): Put[] {
  return [
    { key: holdKey(name, host), value: incarnation },
    { key: byHostKey(host, name), value: String(uid) },
  ];
}

export function holdKeys(host: string, names: readonly string[]): string[] {
  return names.flatMap(name => [holdKey(name, host), byHostKey(host, name)]);
}

/** Holds are what a list of them had: what is done late does not meet others. */
export function asListed(host: string, names: readonly string[], revision: number): Condition[] {
  return names.map(name => ({ key: holdKey(name, host), putBy: revision }));
}

/** @returns what a host holds, though it may have no record of it. @throws StoreUnavailable */
export async function holdsOf(store: SeenStore, host: string): Promise<readonly Binding[]> {
  const { entries } = await store.read({ below: [heldByHost(host)] });
  return entries.map(({ key, value }) => ({ name: lastPart(key), uid: uidIn(value, key) }));
}

/** @returns the names that a host holds by another text than this one */
export async function holdsNot(store: SeenStore, host: string, text: string): Promise<ListedHolds> {
  const names = (await holdsOf(store, host)).map(({ name }) => name);
  const { values, revision } = await store.read({ keys: names.map(name => holdKey(name, host)) });
  return { names: names.filter(name => values.get(holdKey(name, host)) !== text), revision };
}

/** Ends holds of a member: those that a list had, and none that was put since. @throws FleetError NotMember, StoreUnavailable */
export async function endHolds(store: SeenStore, member: Member, { names, revision }: ListedHolds): Promise<void> {
  const { host } = member;
  for (let start = 0; start < names.length; start += NAMES_PER_TRANSACTION) {
    const batch = names.slice(start, start + NAMES_PER_TRANSACTION);
    await store.transactAs(member, undefined, {
      when: asListed(host, batch, revision),
      deletes: holdKeys(host, batch),
    });
  }
}
