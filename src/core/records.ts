/** The records by which a dynamic user is seen in the user database (systemd, docs/USER_RECORD.md, GROUP_RECORD.md). */
import type { Gid, Uid, UserName } from './ids.ts';

/** The name of this service in the user database: the base name of its socket. */
export const USER_DATABASE_SERVICE = 'io.dynuser.DynamicUser';
export const REAL_NAME = 'Dynamic User';
export const GROUP_DESCRIPTION = 'Dynamic Group';
export const HOME_DIRECTORY = '/';
export const SHELL = '/usr/sbin/nologin';

export interface UserRecord {
  readonly userName: string;
  readonly uid: number;
  readonly gid: number;
  readonly realName: string;
  readonly homeDirectory: string;
  readonly shell: string;
  readonly locked: boolean;
  readonly disposition: 'dynamic';
  readonly service: string;
}

export interface GroupRecord {
  readonly groupName: string;
  readonly gid: number;
  readonly description: string;
  readonly disposition: 'dynamic';
  readonly service: string;
}

export function userRecord(user: { readonly name: UserName; readonly uid: Uid; readonly gid: Gid }): UserRecord {
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

export function groupRecord(group: { readonly name: UserName; readonly gid: Gid }): GroupRecord {
  return {
    groupName: group.name,
    gid: group.gid,
    description: GROUP_DESCRIPTION,
    disposition: 'dynamic',
    service: USER_DATABASE_SERVICE,
  };
}
