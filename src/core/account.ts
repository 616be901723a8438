/** What NSS says of a name. */
import type { Gid, Uid } from './ids.ts';

/** The user and the group that carry a name, each if there is one. */
export interface AccountAnswer {
  readonly user?: { readonly uid: Uid; readonly gid: Gid };
  readonly group?: { readonly gid: Gid };
}

/** @returns whether the host has the name, be it half of it */
export function isKnown({ user, group }: AccountAnswer): boolean {
  return user !== undefined || group !== undefined;
}
