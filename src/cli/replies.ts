/**
 * What the daemon sent, checked before it gets a type. The daemon checks its replies against the interface as well;
 * but this command may be older or newer than it, or the socket may not be dynuserd's at all.
 */
import type {
  AcquireReply,
  Candidate,
  ExplainReply,
  Lease,
  WatchReply,
} from '../api/generated/io-dynuser-allocator.ts';
import type { GetInfoReply } from '../api/generated/org-varlink-service.ts';
import { asLeaseId } from '../core/ids.ts';
import { LIFETIMES } from '../core/lease.ts';
import { isJsonArray, isJsonObject, type Json, type JsonObject, ownValue } from '../varlink/json.ts';
import { CommandFailure } from './failure.ts';

const ORIGINS = ['owner', 'preferred', 'sweep'] as const;
const OUTCOMES = ['allocate', 'join', 'static', 'conflict', 'exhausted'] as const;
const EVENTS = ['existing', 'ready', 'allocated', 'released'] as const;

/** What org.varlink.service.GetInfo says, as far as it is shown. */
export type ServiceInfo = Pick<GetInfoReply, 'vendor' | 'product' | 'version'>;

/** @throws CommandFailure where the reply has another shape; so do all of these */
export function checkAcquireReply(reply: JsonObject): AcquireReply {
  return {
    uid: integer(reply, 'uid'),
    gid: integer(reply, 'gid'),
    userName: text(reply, 'userName'),
    unit: text(reply, 'unit'),
    dynamic: truth(reply, 'dynamic'),
    lease: leaseId(reply),
  };
}

/** One reply of List: a single lease, all of them, or none. */
export function checkListReply(reply: JsonObject): Lease[] {
  const single = absent(reply, 'lease') ? [] : [checkLease(object(reply, 'lease'))];
  const many = absent(reply, 'leases') ? [] : objects(reply, 'leases').map(checkLease);
  return [...single, ...many];
}

export function checkWatchReply(reply: JsonObject): WatchReply {
  const event = choice(reply, 'event', EVENTS);
  return absent(reply, 'lease') ? { event } : { event, lease: checkLease(object(reply, 'lease')) };
}

export function checkExplainReply(reply: JsonObject): ExplainReply {
  return {
    userName: text(reply, 'userName'),
    nameOrigin: text(reply, 'nameOrigin'),
    outcome: choice(reply, 'outcome', OUTCOMES),
    reason: text(reply, 'reason'),
    ...(absent(reply, 'uid') ? {} : { uid: integer(reply, 'uid') }),
    ...(absent(reply, 'gid') ? {} : { gid: integer(reply, 'gid') }),
    candidates: objects(reply, 'candidates').map(checkCandidate),
  };
}

export function checkServiceInfo(reply: JsonObject): ServiceInfo {
  return { vendor: text(reply, 'vendor'), product: text(reply, 'product'), version: text(reply, 'version') };
}

function checkLease(lease: JsonObject): Lease {
  return {
    lease: leaseId(lease),
    uid: integer(lease, 'uid'),
    gid: integer(lease, 'gid'),
    userName: text(lease, 'userName'),
    unit: text(lease, 'unit'),
    dynamic: truth(lease, 'dynamic'),
    lifetime: choice(lease, 'lifetime', LIFETIMES),
    pid: integer(lease, 'pid'),
    since: integer(lease, 'since'),
    directories: list(lease, 'directories').map(value =>
      typeof value === 'string' ? value : misshapen('directories', 'a list of strings'),
    ),
  };
}

function checkCandidate(candidate: JsonObject): Candidate {
  return {
    uid: integer(candidate, 'uid'),
    origin: choice(candidate, 'origin', ORIGINS),
    free: truth(candidate, 'free'),
    finding: text(candidate, 'finding'),
  };
}

function misshapen(field: string, expected: string): never {
  throw new CommandFailure(
    `the answer cannot be understood: '${field}' is not ${expected}: is the daemon of the same version as this command?`,
  );
}

/** varlink: a nullable field that is null is as good as absent. */
function absent(parent: JsonObject, field: string): boolean {
  return (ownValue(parent, field) ?? null) === null;
}

function text(parent: JsonObject, field: string): string {
  const value = ownValue(parent, field);
  return typeof value === 'string' ? value : misshapen(field, 'a string');
}

function leaseId(parent: JsonObject): string {
  return asLeaseId(text(parent, 'lease')) ?? misshapen('lease', 'an id of 32 hexadecimal digits');
}

function integer(parent: JsonObject, field: string): number {
  const value = ownValue(parent, field);
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : misshapen(field, 'an integer');
}

function truth(parent: JsonObject, field: string): boolean {
  const value = ownValue(parent, field);
  return typeof value === 'boolean' ? value : misshapen(field, 'a boolean');
}

function choice<T extends string>(parent: JsonObject, field: string, choices: readonly T[]): T {
  const value = ownValue(parent, field);
  return choices.find(known => known === value) ?? misshapen(field, `one of ${choices.join(', ')}`);
}

function list(parent: JsonObject, field: string): readonly Json[] {
  const value = ownValue(parent, field);
  return isJsonArray(value) ? value : misshapen(field, 'a list');
}

function object(parent: JsonObject, field: string): JsonObject {
  const value = ownValue(parent, field);
  return isJsonObject(value) ? value : misshapen(field, 'an object');
}

function objects(parent: JsonObject, field: string): JsonObject[] {
  return list(parent, field).map(value => (isJsonObject(value) ? value : misshapen(field, 'a list of objects')));
}
