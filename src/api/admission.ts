/**
 * Who may acquire: the configuration's names become numbers when a peer other than root asks, so that accounts that came
 * or went meanwhile are seen.
 */
import { mayAcquire, mayNameDirectories } from '../core/access.ts';
import type { AccountAnswer } from '../core/account.ts';
import type { RequestedDirectory } from '../core/directory.ts';
import { DynuserError } from '../core/errors.ts';
import { asGid, asUid, type Gid, type Uid } from '../core/ids.ts';
import { parseUserName } from '../core/name.ts';
import type { Probe } from '../service/ports.ts';
import type { Peer } from './peer.ts';

/** Read at each request, since the configuration may be exchanged. */
export interface AdmissionConfig {
  readonly current: {
    /** names or UIDs of users, as the configuration has them */
    readonly allowUsers: readonly string[];
    /** the same of groups */
    readonly allowGroups: readonly string[];
  };
}

export class Admission {
  readonly #config: AdmissionConfig;
  readonly #probe: Pick<Probe, 'account'>;

  constructor(config: AdmissionConfig, probe: Pick<Probe, 'account'>) {
    this.#config = config;
    this.#probe = probe;
  }

  /**
   * @param directories those that the peer names
   * @throws DynuserError NotPermitted; ProbeFailed where a name of the configuration cannot be looked up
   */
  async check(peer: Peer, directories: readonly RequestedDirectory[]): Promise<void> {
    if (peer.uid === 0) {
      return;
    }
    const { allowUsers, allowGroups } = this.#config.current;
    // Before anything is waited for: later the connection may be another's.
    const groups = allowGroups.length === 0 ? [] : peer.groups();
    const uids = await this.#resolve(allowUsers, asUid, answer => answer.user?.uid);
    const gids = await this.#resolve(allowGroups, asGid, answer => answer.group?.gid);
    const access = mayAcquire({ uid: peer.uid, gid: peer.gid, groups }, { uids, gids });
    if (!access.allowed) {
      throw new DynuserError('NotPermitted', access.reason, { field: 'unit' });
    }
    const [first] = directories;
    const naming = mayNameDirectories(peer);
    if (first !== undefined && !naming.allowed) {
      throw new DynuserError('NotPermitted', naming.reason, { field: `${first.kind}Directory` });
    }
  }

  async #resolve<Id extends Uid | Gid>(
    names: readonly string[],
    asId: (value: number) => Id | undefined,
    pick: (answer: AccountAnswer) => Id | undefined,
  ): Promise<Set<Id>> {
    const ids = new Set<Id>();
    for (const text of names) {
      const parsed = parseUserName(text);
      const id = /^\d+$/.test(text)
        ? asId(Number(text))
        : 'name' in parsed
          ? pick(await this.#probe.account(parsed.name))
          : undefined;
      if (id !== undefined) {
        ids.add(id);
      }
    }
    return ids;
  }
}
