/** Generated from io.systemd.UserDatabase.varlink by "npm run generate": change that file, not this one. */
import type { JsonObject } from '../../varlink/json.ts';

export const USER_DATABASE_INTERFACE = `# Users and groups, as systemd's User/Group Record Lookup API defines them. The service is always to be named; it is
# nullable here so that a call without it is answered with BadService, as that API says.
interface io.systemd.UserDatabase

# Looks up a user by UID, by name, or by both; without either lists all users.
# [Supports 'more' flag]
method GetUserRecord(uid: ?int, userName: ?string, service: ?string) -> (record: object, incomplete: ?bool)

# Looks up a group by GID, by name, or by both; without either lists all groups.
# [Supports 'more' flag]
method GetGroupRecord(gid: ?int, groupName: ?string, service: ?string) -> (record: object, incomplete: ?bool)

# Lists which users are members of which groups.
# [Supports 'more' flag]
method GetMemberships(userName: ?string, groupName: ?string, service: ?string) -> (userName: string, groupName: string)

error NoRecordFound()
error BadService()
error ServiceNotAvailable()
error ConflictingRecordFound()
error EnumerationNotSupported()
`;

export type GetUserRecordParameters = {
  readonly uid?: number;
  readonly userName?: string;
  readonly service?: string;
};

export type GetUserRecordReply = {
  readonly record: JsonObject;
  readonly incomplete?: boolean;
};

export type GetGroupRecordParameters = {
  readonly gid?: number;
  readonly groupName?: string;
  readonly service?: string;
};

export type GetGroupRecordReply = {
  readonly record: JsonObject;
  readonly incomplete?: boolean;
};

export type GetMembershipsParameters = {
  readonly userName?: string;
  readonly groupName?: string;
  readonly service?: string;
};

export type GetMembershipsReply = {
  readonly userName: string;
  readonly groupName: string;
};
