/**
 * nscd's questions answered from the live dynamic users, for programs that ask no NSS module: those of musl, and static ones. As in
 * the user database everybody may ask, and static users are never shown.
 */

import type { UserTable } from '../allocator/user-table.ts';
import { asUid } from '../core/ids.ts';
import type { DynamicUser } from '../core/lease.ts';
import { asUserName } from '../core/name.ts';
import { HOME_DIRECTORY, PASSWORD, REAL_NAME, SHELL } from '../core/records.ts';
import { type Question, type UnknownAnswer, writeGroup, writeGroups, writePasswd } from '../nscd/protocol.ts';

const DECIMAL = /^\d{1,10}$/;

/** @returns the bytes that answer a question; a user or group that is not a live one of ours is answered with `unknown` */
export function nameServiceAnswer(users: UserTable, { kind, key }: Question, unknown: UnknownAnswer): Buffer {
  switch (kind) {
    case 'passwdByName':
      return passwdOf(named(users, key), unknown);
    case 'passwdByUid':
      return passwdOf(numbered(users, key), unknown);
    case 'groupByName':
      return groupOf(users, named(users, key), unknown);
    case 'groupByGid':
      return groupOf(users, numbered(users, key), unknown);
    case 'groupsOfUser': {
      // As the NSS module has it: not its own, which whoever asks has from its record.
      const user = named(users, key);
      return writeGroups(user === undefined ? unknown : users.groupsOf(user.name).map(({ gid }) => gid));
    }
  }
}

function passwdOf(user: DynamicUser | undefined, unknown: UnknownAnswer): Buffer {
  if (user === undefined) {
    return writePasswd(unknown);
  }
  const { name, uid, gid } = user;
  return writePasswd({
    ...{ name, uid, gid, password: PASSWORD },
    ...{ realName: REAL_NAME, home: HOME_DIRECTORY, shell: SHELL },
  });
}

/** A dynamic user's group has its name and its number, and its members are others who hold it. */
function groupOf(users: UserTable, user: DynamicUser | undefined, unknown: UnknownAnswer): Buffer {
  if (user === undefined) {
    return writeGroup(unknown);
  }
  const { name, gid } = user;
  return writeGroup({ name, gid, password: PASSWORD, members: users.membersOf(name) });
}

function named(users: UserTable, key: string): DynamicUser | undefined {
  const name = asUserName(key);
  return name && users.dynamicByName(name);
}

function numbered(users: UserTable, key: string): DynamicUser | undefined {
  const uid = DECIMAL.test(key) ? asUid(Number(key)) : undefined;
  return uid === undefined ? undefined : users.dynamicByUid(uid);
}
