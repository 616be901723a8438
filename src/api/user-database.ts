/**
 * io.systemd.UserDatabase over the live dynamic users (systemd, docs/USER_GROUP_API.md). Everyone may ask; static users
 * that are in use belong to the host's own databases and are never shown here. Where systemd departs from its own
 * documentation, the documentation is followed.
 */

import type { UserTable } from '../allocator/user-table.ts';
import { asUid, type Uid } from '../core/ids.ts';
import type { DynamicUser } from '../core/lease.ts';
import { isLookupName, parseUserName } from '../core/name.ts';
import { groupRecord, USER_DATABASE_SERVICE, userRecord } from '../core/records.ts';
import { expectedMore, invalidParameter, VarlinkError } from '../varlink/errors.ts';
import type { JsonObject } from '../varlink/json.ts';
import type { Call, InterfaceImplementation } from '../varlink/server.ts';
import { USER_DATABASE_INTERFACE } from './generated/io-systemd-user-database.ts';

/** 16-bit −1: a number that systemd's clients never ask for (systemd, uid_is_valid()). */
const INVALID_16_BIT = 65535;

type RecordReply = (user: DynamicUser) => JsonObject;

/** The keys of one of the two lookups. All else is the same for both, since a dynamic user's gid is its uid. */
interface Lookup {
  readonly idKey: 'uid' | 'gid';
  readonly nameKey: 'userName' | 'groupName';
  readonly reply: RecordReply;
}

const USER_LOOKUP: Lookup = {
  idKey: 'uid',
  nameKey: 'userName',
  reply: user => ({ record: { ...userRecord(user) } }),
};

const GROUP_LOOKUP: Lookup = {
  idKey: 'gid',
  nameKey: 'groupName',
  reply: user => ({ record: { ...groupRecord(user) } }),
};

export function userDatabaseInterface<P>(users: UserTable): InterfaceImplementation<P> {
  return {
    description: USER_DATABASE_INTERFACE,
    methods: {
      GetUserRecord: call => lookUp(call, users, USER_LOOKUP),
      GetGroupRecord: call => lookUp(call, users, GROUP_LOOKUP),
      GetMemberships: ({ parameters }) => {
        checkName(parameters, 'userName');
        checkName(parameters, 'groupName');
        checkService(parameters);
        // A dynamic user's group is its own, and nobody else is in it.
        throw noRecordFound();
      },
    },
  };
}

function lookUp<P>(call: Call<P>, users: UserTable, lookup: Lookup): JsonObject {
  const id = checkId(call.parameters, lookup.idKey);
  const name = checkName(call.parameters, lookup.nameKey);
  checkService(call.parameters);
  if (id === undefined && name === undefined) {
    return enumerate(call, users, lookup.reply);
  }
  const byId = id === undefined ? undefined : users.numbered(id);
  const byName = name === undefined ? undefined : dynamicByName(users, name);
  const found = byId ?? byName;
  if (found === undefined) {
    throw noRecordFound();
  }
  if ((id !== undefined && byId !== found) || (name !== undefined && byName !== found)) {
    throw new VarlinkError('io.systemd.UserDatabase.ConflictingRecordFound', {});
  }
  return lookup.reply(found);
}

/** Every record in a reply of its own. Without `more` there could be only one, so a list has to be asked for with it. */
function enumerate<P>(call: Call<P>, users: UserTable, reply: RecordReply): JsonObject {
  if (!call.more) {
    throw expectedMore();
  }
  const replies = Array.from(users.dynamic(), reply);
  const last = replies.pop();
  if (last === undefined) {
    throw noRecordFound();
  }
  for (const each of replies) {
    call.send(each);
  }
  return last;
}

function dynamicByName(users: UserTable, name: string): DynamicUser | undefined {
  const parsed = parseUserName(name);
  return 'name' in parsed ? users.dynamicByName(parsed.name) : undefined;
}

function checkId(parameters: JsonObject, key: string): Uid | undefined {
  const value = parameters[key];
  if (value === undefined || value === null) {
    return undefined;
  }
  const id = asUid(Number(value));
  if (id === undefined || id === INVALID_16_BIT) {
    throw invalidParameter(key);
  }
  return id;
}

function checkName(parameters: JsonObject, key: string): string | undefined {
  const value = parameters[key];
  if (value === undefined || value === null) {
    return undefined;
  }
  if (typeof value !== 'string' || !isLookupName(value)) {
    throw invalidParameter(key);
  }
  return value;
}

function checkService(parameters: JsonObject): void {
  if (parameters['service'] !== USER_DATABASE_SERVICE) {
    throw new VarlinkError('io.systemd.UserDatabase.BadService', {});
  }
}

function noRecordFound(): VarlinkError {
  return new VarlinkError('io.systemd.UserDatabase.NoRecordFound', {});
}
