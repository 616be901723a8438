/**
 * Decides who may do what, by what the kernel says of a peer and what the configuration allows. Names in the configuration are looked up when a
 * peer other than root asks, so that accounts that have come or gone since are seen.
 */

import type { Probe } from '../allocator/ports.ts';
import {
  type AccessPeer,
  type AccessPolicy,
  decideRights,
  isRootOfHost,
  type Requester,
  type Rights,
  rootRights,
} from '../core/access.ts';
import type { AccountAnswer } from '../core/account.ts';
import type { RequestedDirectory } from '../core/directory.ts';
import { DynuserError } from '../core/errors.ts';
import { asGid, asUid, type Gid, type Uid } from '../core/ids.ts';
import { asUserName } from '../core/name.ts';
import type { Peer } from './peer.ts';

/** Names or numbers, as the configuration has them. */
export interface AccessLists {
  readonly allowUsers: readonly string[];
  readonly allowGroups: readonly string[];
  readonly directoryUsers: readonly string[];
}

/** What the kernel says of a peer, read in the tick of its call. */
export interface PeerIdentity extends AccessPeer {
  readonly requester: Requester;
}

export class Authorization {
  /** read at each request, since the configuration may be exchanged */
  readonly #config: { readonly current: AccessLists };
  readonly #probe: Pick<Probe, 'account'>;
  /** the look-up of the names that is under way */
  #resolving: { readonly lists: AccessLists; readonly policy: Promise<AccessPolicy> } | undefined;

  /** @param probe asks for the names of the lists; one name at a time, however many peers ask */
  constructor(config: { readonly current: AccessLists }, probe: Pick<Probe, 'account'>) {
    this.#config = config;
    this.#probe = probe;
  }

  /** To be called in the tick of the call, before anything is waited for: later the connection may be another's. */
  identify(peer: Peer): PeerIdentity {
    const { uid, gid } = peer;
    const standing = uid === 0 ? peer.standing() : undefined;
    const identity = { uid, gid, ...(standing === undefined ? {} : { standing }) };
    const needsGroups = this.#config.current.allowGroups.length > 0 && rootRights(identity) === undefined;
    const requester = { uid, isRoot: isRootOfHost(identity) };
    return { ...identity, groups: needsGroups ? peer.groups() : [], requester };
  }

  /** @throws DynuserError ProbeFailed if a name of the configuration cannot be looked up */
  async rightsOf(caller: PeerIdentity): Promise<Rights> {
    return rootRights(caller) ?? decideRights(caller, await this.allowed());
  }

  /**
   * One look-up of the names is for all that ask meanwhile, so that no crowd can keep NSS busy.
   * @returns whom the configuration lets acquire besides root, of the accounts that exist now
   * @throws DynuserError ProbeFailed if a name of the configuration cannot be looked up
   */
  async allowed(): Promise<AccessPolicy> {
    const lists = this.#config.current;
    const resolving = this.#resolving?.lists === lists ? this.#resolving : { lists, policy: this.#resolveLists(lists) };
    this.#resolving = resolving;
    try {
      return await resolving.policy;
    } finally {
      if (this.#resolving === resolving) {
        this.#resolving = undefined;
      }
    }
  }

  async #resolveLists({ allowUsers, allowGroups, directoryUsers }: AccessLists): Promise<AccessPolicy> {
    return {
      uids: await this.#resolve(allowUsers, asUid, answer => answer.user?.uid),
      gids: await this.#resolve(allowGroups, asGid, answer => answer.group?.gid),
      directoryUids: await this.#resolve(directoryUsers, asUid, answer => answer.user?.uid),
    };
  }

  async #resolve<Id extends Uid | Gid>(
    names: readonly string[],
    asId: (value: number) => Id | undefined,
    pick: (answer: AccountAnswer) => Id | undefined,
  ): Promise<Set<Id>> {
    const ids = new Set<Id>();
    for (const text of names) {
      const name = asUserName(text);
      const id = /^\d+$/.test(text) ? asId(Number(text)) : name && pick(await this.#probe.account(name));
      if (id !== undefined) {
        ids.add(id);
      }
    }
    return ids;
  }
}

/** @throws DynuserError NotPermitted if a peer may not acquire */
export function checkAcquire({ acquire }: Rights): void {
  if (!acquire.allowed) {
    throw new DynuserError('NotPermitted', acquire.reason, { field: 'unit' });
  }
}

/** @throws DynuserError NotPermitted if a request names directories and its peer may not: not even ask about one */
export function checkDirectories(rights: Rights, [first]: readonly RequestedDirectory[]): void {
  if (first === undefined) {
    return;
  }
  checkAcquire(rights);
  if (!rights.directories.allowed) {
    throw new DynuserError('NotPermitted', rights.directories.reason, { field: `${first.kind}Directory` });
  }
}
