/**
 * io.systemd.UserDatabase over the live dynamic users (systemd, docs/USER_GROUP_API.md). Everyone may ask; static users
 * that are in use belong to the host's own databases and are never shown here. If systemd departs from its own
 * documentation, the documentation is followed.
 */

import type { FleetUsers } from '../allocator/fleet-port.ts';
import type { UserTable } from '../allocator/user-table.ts';
import type { FleetUser } from '../core/fleet.ts';
import { asUid, type Gid, type Uid, type UserName } from '../core/ids.ts';
import { type DynamicUser, holderOf } from '../core/lease.ts';
import { asUserName, isLookupName } from '../core/name.ts';
import { groupRecord, USER_DATABASE_SERVICE, userRecord } from '../core/records.ts';
import { expectedMore, invalidParameter, VarlinkError } from '../varlink/errors.ts';
import type { JsonObject } from '../varlink/json.ts';
import type { Call, InterfaceImplementation } from '../varlink/server.ts';
import { USER_DATABASE_INTERFACE } from './generated/io-systemd-user-database.ts';
import { firstOf, sendAllButLast } from './long-replies.ts';

/** 16-bit −1: a number that systemd's clients never ask for (systemd, uid_is_valid()). */
const INVALID_16_BIT = 65535;

/**
 * @param noticeEnds has leases end whose process has exited: who asks may know of its end before the daemon does
 * @param fleet whose users live elsewhere: they are told of as if they lived here, after those that do
 */
export function userDatabaseInterface<P>(
  users: UserTable,
  noticeEnds: () => void,
  fleet?: FleetUsers,
): InterfaceImplementation<P> {
  const lookUp = lookUpIn<P>(users, noticeEnds, fleet);
  return {
    description: USER_DATABASE_INTERFACE,
    methods: {
      GetUserRecord: call => lookUp(call, 'uid', 'userName', userRecord),
      GetGroupRecord: call => lookUp(call, 'gid', 'groupName', groupRecord),
      GetMemberships: call => {
        const { parameters } = call;
        const userName = checkName(parameters, 'userName');
        const groupName = checkName(parameters, 'groupName');
        checkService(parameters);
        noticeEnds();
        return sendEach(call, memberships(users, userName, groupName));
      },
    },
  };
}

/** Both lookups are the same but for their keys, since a dynamic user's gid is its uid. */
function lookUpIn<P>(users: UserTable, noticeEnds: () => void, fleet: FleetUsers | undefined) {
  return (
    call: Call<P>,
    idKey: string,
    nameKey: string,
    recordOf: (user: Pick<DynamicUser, 'name' | 'uid' | 'gid'>) => JsonObject,
  ): JsonObject | Promise<JsonObject> => {
    const id = checkId(call.parameters, idKey);
    const name = checkName(call.parameters, nameKey);
    checkService(call.parameters);
    const reply = ({ name, uid }: FleetUser): JsonObject => {
      return { record: recordOf({ name, uid, gid: uid as number as Gid }) };
    };
    if (id === undefined && name === undefined) {
      if (!call.more) {
        throw expectedMore();
      }
      noticeEnds();
      return sendEach(call, each(everybody(users, fleet), reply));
    }
    const userName = name === undefined ? undefined : asUserName(name);
    const numberedHere = () => (id === undefined ? undefined : users.numbered(id));
    const namedHere = () => (userName === undefined ? undefined : users.dynamicByName(userName));
    const before = numberedHere() ?? namedHere();
    if (before !== undefined && holderOf(before) !== undefined) {
      noticeEnds();
    }
    const byId = numberedHere() ?? (id === undefined ? undefined : fleet?.userNumbered(id));
    const byName = namedHere() ?? (userName === undefined ? undefined : fleet?.userNamed(userName));
    const found = byId ?? byName ?? notFound();
    if ((id !== undefined && byId?.uid !== found.uid) || (name !== undefined && byName?.name !== found.name)) {
      throw new VarlinkError('io.systemd.UserDatabase.ConflictingRecordFound', {});
    }
    return reply(found);
  };
}

/** Who lives here, then users elsewhere that have neither the name nor the UID of one of these. */
function* everybody(users: UserTable, fleet: FleetUsers | undefined): Generator<FleetUser, void, undefined> {
  yield* firstOf(users.dynamic(), users.dynamicCount);
  for (const user of fleet?.users() ?? []) {
    if (users.dynamicByName(user.name) === undefined && users.numbered(user.uid) === undefined) {
      yield user;
    }
  }
}

/** @throws VarlinkError NoRecordFound without any; ExpectedMore if there are several, and one alone may be answered */
function sendEach<P>(call: Call<P>, replies: Iterable<JsonObject>): JsonObject | Promise<JsonObject> {
  if (!call.more) {
    const [first, second] = replies;
    if (second !== undefined) {
      throw expectedMore();
    }
    return first ?? notFound();
  }
  return sendAllButLast(call, replies).then(last => last ?? notFound());
}

function notFound(): never {
  throw new VarlinkError('io.systemd.UserDatabase.NoRecordFound', {});
}

/** Who is in which shared group; a dynamic user is not named with its own group. */
function* memberships(
  users: UserTable,
  userName: string | undefined,
  groupName: string | undefined,
): Generator<JsonObject, void, undefined> {
  if (userName === undefined && groupName !== undefined) {
    for (const member of users.membersOf(groupName as UserName)) {
      yield { userName: member, groupName };
    }
    return;
  }
  for (const user of userName === undefined ? users.inGroups() : [userName as UserName]) {
    for (const { name } of users.groupsOf(user)) {
      if (groupName === undefined || name === groupName) {
        yield { userName: user, groupName: name };
      }
    }
  }
}

function* each<Value, Reply>(
  values: Iterable<Value>,
  reply: (value: Value) => Reply,
): Generator<Reply, void, undefined> {
  for (const value of values) {
    yield reply(value);
  }
}

function checkId(parameters: JsonObject, key: string): Uid | undefined {
  const value = parameters[key];
  if (value === undefined) {
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
  if (value !== undefined && !isLookupName(String(value))) {
    throw invalidParameter(key);
  }
  return value === undefined ? undefined : String(value);
}

function checkService(parameters: JsonObject): void {
  if (parameters['service'] !== USER_DATABASE_SERVICE) {
    throw new VarlinkError('io.systemd.UserDatabase.BadService', {});
  }
}
