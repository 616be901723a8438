/** The records by which a dynamic user is seen in the user database (systemd, docs/USER_RECORD.md, GROUP_RECORD.md). */
import type { DynamicUser } from './lease.ts';

/** The name of this service in the user database: the base name of its socket. */
export const USER_DATABASE_SERVICE = 'io.dynuser.DynamicUser';
export const REAL_NAME = 'Dynamic User';
/** In passwd(5) and group(5): the password is in another place. */
export const PASSWORD = 'x';
const GROUP_DESCRIPTION = 'Dynamic Group';
export const HOME_DIRECTORY = '/';
export const SHELL = '/usr/sbin/nologin';

export function userRecord(user: Pick<DynamicUser, 'name' | 'uid' | 'gid'>) {
  return {
    userName: user.name,
    uid: user.uid,
    gid: user.gid,
    realName: REAL_NAME,
    homeDirectory: HOME_DIRECTORY,
    shell: SHELL,
    locked: true,
    disposition: 'dynamic',
    service: USER_DATABASE_SERVICE,
  };
}

/** Without members: userdbctl(1) would show those that GetMemberships tells of a second time. */
export function groupRecord(group: Pick<DynamicUser, 'name' | 'gid'>) {
  return {
    groupName: group.name,
    gid: group.gid,
    description: GROUP_DESCRIPTION,
    disposition: 'dynamic',
    service: USER_DATABASE_SERVICE,
  };
}
