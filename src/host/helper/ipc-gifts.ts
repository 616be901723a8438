/** The question that has IPC objects removed which strangers gave to a UID; see native/helper/sysv_ipc.h. Pure. */

import { IPC_KINDS, type IpcKind } from '../../core/evidence.ts';
import type { Uid } from '../../core/ids.ts';
import { parseNumber, type Question } from './protocol.ts';

/** IPC objects that strangers had given to a UID and that were removed. */
export interface RemovedGifts {
  readonly count: number;
  /** the first of them, with the UIDs that created them */
  readonly named: readonly { readonly object: IpcKind; readonly id: number; readonly creator: number }[];
}

/** Removes what OwnerFinding.given tells of. */
export function giftsQuestion(uid: Uid): Question<RemovedGifts> {
  return {
    text: `remove-given ${uid}`,
    subject: `remove the IPC objects that others gave to UID ${uid}`,
    parse: parseGifts,
    found: () => true,
  };
}

function parseGifts([word, digits, ...rest]: readonly string[]): { answer: RemovedGifts } | undefined {
  const count = parseNumber(digits);
  if (word !== 'removed' || count === undefined || rest.length % 3 !== 0 || rest.length / 3 > count) {
    return undefined;
  }
  const named: { object: IpcKind; id: number; creator: number }[] = [];
  for (let at = 0; at < rest.length; at += 3) {
    const object = IPC_KINDS.find(known => known === rest[at]);
    const id = parseNumber(rest[at + 1]);
    const creator = parseNumber(rest[at + 2]);
    if (object === undefined || id === undefined || creator === undefined) {
      return undefined;
    }
    named.push({ object, id, creator });
  }
  return { answer: { count, named } };
}
