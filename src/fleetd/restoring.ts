/**
 * What becomes of a fleet whose store went back to a backup: each host puts the bindings of its records again, and when all have, an operator
 * lets names be bound again. A host that is powered off has none to put.
 */
import type { Binding, RestoreConflict } from '../api/generated/io-dynuser-fleet.ts';
import { FleetError } from './errors.ts';
import { bindingPuts, endHolds, holdPuts, holdsNot, NAMES_PER_TRANSACTION } from './holds.ts';
import {
  CONFIRMED,
  CONFLICTS,
  conflictsOfHost,
  INCARNATIONS,
  incarnationKey,
  isCooling,
  lastPart,
  nameKey,
  PUT_AGAIN,
  putAgainKey,
  SUSPENDED,
  SUSPENSION_NOTICE,
  textField,
  uidKey,
  uidOf,
} from './keys.ts';
import { isIncomplete, type Member, type SeenStore, TRIES_MAX, tokenOf } from './seen-store.ts';

/** Hosts and conflicts that one error tells. */
const TOLD_MAX = 64;

export class Restoring {
  readonly #store: SeenStore;

  constructor(store: SeenStore) {
    this.#store = store;
  }

  /**
   * Puts the bindings of a host's records again, after the store went back to a backup: each is created, or is there and equal.
   * @param isLast they were all: what the host has no record of is held by it no longer
   * @returns those that the store has otherwise, which somebody has to decide about
   * @throws FleetError NotMember, StoreUnavailable
   */
  async restore(member: Member, records: readonly Binding[], isLast: boolean): Promise<RestoreConflict[]> {
    const { values, cluster } = await this.#store.read({ keys: [SUSPENDED] });
    const token = tokenOf(values, cluster);
    const conflicts: RestoreConflict[] = [];
    for (const record of records) {
      const conflict = await this.#putAgain(member, record, token);
      if (conflict !== undefined) {
        conflicts.push(conflict);
      }
    }
    if (isLast) {
      await this.#endRestore(member, token);
    }
    return conflicts;
  }

  async #putAgain(member: Member, { name, uid }: Binding, token: string): Promise<RestoreConflict | undefined> {
    const conflictKey = conflictsOfHost(member.host) + name;
    const keys = [nameKey(name), uidKey(uid)];
    let { values: there } = await this.#store.read({ keys });
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const [nameIs, uidIs] = [there.get(nameKey(name)), there.get(uidKey(uid))];
      const isEqual = nameIs === String(uid) && uidIs === name;
      const isFree = nameIs === undefined && (uidIs === undefined || isCooling(uidIs));
      const isOurs = isEqual || isFree;
      const { done, found } = await this.#store.transactAs(member, undefined, {
        when: [
          { key: nameKey(name), is: nameIs },
          { key: uidKey(uid), is: uidIs },
        ],
        puts: isOurs
          ? [...(isFree ? bindingPuts(name, uid) : []), ...holdPuts({ ...member, incarnation: token }, name, uid)]
          : [{ key: conflictKey, value: JSON.stringify({ token, uid }) }],
        deletes: isOurs ? [conflictKey] : [],
        otherwise: keys,
      });
      if (done) {
        const boundUid = uidOf(nameIs ?? '');
        const conflict = {
          ...{ name, uid },
          ...(boundUid === undefined ? {} : { boundUid }),
          ...(uidIs === undefined || isCooling(uidIs) ? {} : { boundName: uidIs }),
        };
        return isOurs ? undefined : conflict;
      }
      there = found;
    }
    return { name, uid };
  }

  async #endRestore(member: Member, token: string): Promise<void> {
    const { host } = member;
    await endHolds(this.#store, member, await holdsNot(this.#store, host, token));
    const { entries } = await this.#store.read({ below: [conflictsOfHost(host)] });
    const former = entries.filter(({ value }) => textField(value, 'token') !== token).map(({ key }) => key);
    await this.#store.transactAs(member, undefined, {
      when: [],
      puts: [{ key: putAgainKey(host), value: token }],
      deletes: former.slice(0, NAMES_PER_TRANSACTION),
    });
  }

  /**
   * Names may be bound again: an operator says that every host which held names when the store went back has put its bindings again.
   * @throws FleetError NotRestored if a host that the store knows has not, or there are conflicts, StoreUnavailable
   */
  async resume(): Promise<void> {
    const { entries, values, cluster } = await this.#store.read({
      keys: [CONFIRMED, SUSPENDED],
      below: [INCARNATIONS, PUT_AGAIN, CONFLICTS],
    });
    const token = tokenOf(values, cluster);
    const hosts = entries
      // One that was fenced when the backup was made may have returned since.
      .filter(({ key }) => key.startsWith(INCARNATIONS))
      .map(({ key }) => lastPart(key))
      .filter(host => values.get(putAgainKey(host)) !== token);
    const conflicts = entries
      .filter(({ key, value }) => key.startsWith(CONFLICTS) && textField(value, 'token') === token)
      .map(({ key }) => key.slice(CONFLICTS.length));
    if (hosts.length > 0 || conflicts.length > 0) {
      throw new FleetError('NotRestored', { hosts: hosts.slice(0, TOLD_MAX), conflicts: conflicts.slice(0, TOLD_MAX) });
    }
    await this.#store.transact({
      when: [
        { key: CONFIRMED, is: values.get(CONFIRMED) },
        { key: SUSPENDED, is: values.get(SUSPENDED) },
      ],
      puts: [{ key: CONFIRMED, value: cluster }],
      deletes: [SUSPENDED, SUSPENSION_NOTICE],
    });
  }

  /** After the store went back, a host that is powered off has no bindings to put again. */
  async vouchFor(host: string, fence: string): Promise<void> {
    const { entries, values, cluster } = await this.#store.read({
      keys: [CONFIRMED, SUSPENDED],
      below: [conflictsOfHost(host)],
    });
    if (!isIncomplete(values, cluster)) {
      return;
    }
    // If it returns, it finds again what the store has otherwise.
    const conflicts = entries.map(({ key }) => key).filter(key => key.startsWith(CONFLICTS));
    for (let start = 0; start === 0 || start < conflicts.length; start += NAMES_PER_TRANSACTION) {
      await this.#store.transact({
        when: [{ key: incarnationKey(host), is: fence }],
        puts: [{ key: putAgainKey(host), value: tokenOf(values, cluster) }],
        deletes: conflicts.slice(start, start + NAMES_PER_TRANSACTION),
      });
    }
  }
}
