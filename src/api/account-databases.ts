/**
 * Where the accounts of a launch are looked up: in NSS, as this host has it, or, for a launcher in another root directory, in the
 * files of that. A container's own NSS is not asked: nobody runs there on our behalf.
 */
import type { UserTable } from '../allocator/user-table.ts';
import { asGid, type Gid, type UserName } from '../core/ids.ts';
import { groupInFile, type Login, loginInFile, membershipsInFile } from '../launch/syntax/account-files.ts';
import type { LaunchAnswer, LaunchQuestion } from './generated/io-dynuser-allocator.ts';

const PASSWD = '/etc/passwd';
const GROUP = '/etc/group';

/** NSS of this host, asked outside of the daemon. @throws DynuserError ProbeFailed, LimitReached */
export interface AccountProbe {
  /** @returns the GID of a group, undefined if there is none of that name */
  group(name: string): Promise<Gid | undefined>;
  /** @returns the groups of a user as initgroups(3) has them, without duplicates; only its own if it is unknown */
  memberships(user: UserName, gid: Gid): Promise<readonly Gid[]>;
  /** @returns undefined if there is no user of that name */
  login(user: UserName): Promise<Login | undefined>;
}

/** The user that a process becomes. */
export interface ProcessUser {
  readonly name: UserName;
  readonly gid: Gid;
  readonly dynamic: boolean;
}

/** @throws DynuserError ProbeFailed, LimitReached, HostFailed */
export interface AccountDatabase {
  group(name: string): Promise<Gid | undefined>;
  memberships(user: ProcessUser): Promise<readonly Gid[]>;
  login(user: UserName): Promise<Login | undefined>;
}

/**
 * The accounts of this host. A dynamic user was in no database until now but ours, which has no memberships: it is looked for
 * only in /etc/group, where an operator can name it before it exists. To ask all sources in each launch would take longer than
 * the rest of the launch.
 */
export function hostDatabase(
  probe: AccountProbe,
  groupFile: () => string,
  users: Pick<UserTable, 'dynamicByName'>,
): AccountDatabase {
  return {
    group: async name => users.dynamicByName(name as UserName)?.gid ?? probe.group(name),
    memberships: async ({ name, gid, dynamic }) =>
      dynamic ? gidsOf(membershipsInFile(groupFile(), name)) : probe.memberships(name, gid),
    login: user => probe.login(user),
  };
}

/** The accounts of a launcher in another root directory, where users that are dynamic on this host are known, too. */
export function fileDatabase(files: AccountFiles, users: Pick<UserTable, 'dynamicByName'>): AccountDatabase {
  return {
    group: async name => gidsOf([groupInFile(files.group, name)])[0] ?? users.dynamicByName(name as UserName)?.gid,
    memberships: async ({ name }) => gidsOf(membershipsInFile(files.group, name)),
    login: async user => loginInFile(files.passwd, user),
  };
}

export interface AccountFiles {
  readonly passwd: string;
  readonly group: string;
}

/** @returns the files that a launcher was asked for, or the questions that are open */
export function accountFiles(
  answers: readonly LaunchAnswer[],
): AccountFiles | { readonly questions: readonly LaunchQuestion[] } {
  const [passwd, group] = [PASSWD, GROUP].map(path =>
    answers.find(answer => answer.kind === 'file' && answer.path === path),
  );
  if (passwd === undefined || group === undefined) {
    return {
      questions: [
        ...(passwd === undefined ? [{ kind: 'file', path: PASSWD } as const] : []),
        ...(group === undefined ? [{ kind: 'file', path: GROUP } as const] : []),
      ],
    };
  }
  return { passwd: passwd.text ?? '', group: group.text ?? '' };
}

function gidsOf(numbers: readonly (number | undefined)[]): Gid[] {
  return numbers.flatMap(number => (number === undefined ? [] : (asGid(number) ?? [])));
}
