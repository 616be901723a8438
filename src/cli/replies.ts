/**
 * What the daemon sent, checked before it gets a type. The daemon checks its replies against the interface as well;
 * but this command may be older or newer than it, or the socket may not be dynuserd's at all.
 */
import type {
  Candidate,
  ExpectedHandover,
  ExplainReply,
  Lease,
  ReleaseReply,
  WatchReply,
} from '../api/generated/io-dynuser-allocator.ts';
import type { GetInfoReply } from '../api/generated/org-varlink-service.ts';
import { DIRECTORY_KINDS, HANDOVER_KINDS } from '../core/directory.ts';
import { LIFETIMES } from '../core/lease.ts';
import type { JsonObject } from '../varlink/json.ts';
import { absent, choice, integer, leaseId, object, objects, text, texts, truth } from './fields.ts';

const ORIGINS = ['owner', 'preferred', 'sweep'] as const;
const OUTCOMES = ['allocate', 'join', 'static', 'conflict', 'exhausted', 'refused'] as const;
const EVENTS = ['existing', 'ready', 'allocated', 'released', 'lost'] as const;
const COUNTED = ['all', 'some'] as const;

/** What org.varlink.service.GetInfo says, as far as it is shown. */
export type ServiceInfo = Pick<GetInfoReply, 'vendor' | 'product' | 'version'>;

/** One reply of List: a single lease, all of them, or none. @throws CommandFailure for another shape; so do all of these */
export function checkListReply(reply: JsonObject): Lease[] {
  const single = absent(reply, 'lease') ? [] : [checkLease(object(reply, 'lease'))];
  const many = absent(reply, 'leases') ? [] : objects(reply, 'leases').map(checkLease);
  return [...single, ...many];
}

export function checkWatchReply(reply: JsonObject): WatchReply {
  const event = choice(reply, 'event', EVENTS);
  return absent(reply, 'lease') ? { event } : { event, lease: checkLease(object(reply, 'lease')) };
}

export function checkReleaseReply(reply: JsonObject): ReleaseReply {
  return absent(reply, 'remains') ? {} : { remains: text(reply, 'remains') };
}

export function checkExplainReply(reply: JsonObject): ExplainReply {
  return {
    userName: text(reply, 'userName'),
    nameOrigin: text(reply, 'nameOrigin'),
    outcome: choice(reply, 'outcome', OUTCOMES),
    reason: text(reply, 'reason'),
    ...(absent(reply, 'error') ? {} : { error: text(reply, 'error') }),
    ...(absent(reply, 'field') ? {} : { field: text(reply, 'field') }),
    ...(absent(reply, 'uid') ? {} : { uid: integer(reply, 'uid') }),
    ...(absent(reply, 'gid') ? {} : { gid: integer(reply, 'gid') }),
    candidates: objects(reply, 'candidates').map(checkCandidate),
    handovers: objects(reply, 'handovers').map(checkExpectedHandover),
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
    ...(absent(lease, 'pid') ? {} : { pid: integer(lease, 'pid') }),
    since: integer(lease, 'since'),
    directories: texts(lease, 'directories'),
    ...(absent(lease, 'ending') ? {} : { ending: truth(lease, 'ending') }),
    ...(absent(lease, 'remains') ? {} : { remains: text(lease, 'remains') }),
    ...(absent(lease, 'missing') ? {} : { missing: texts(lease, 'missing') }),
    ...(absent(lease, 'lost') ? {} : { lost: text(lease, 'lost') }),
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

function checkExpectedHandover(handover: JsonObject): ExpectedHandover {
  return {
    kind: choice(handover, 'kind', DIRECTORY_KINDS),
    publicPath: text(handover, 'publicPath'),
    handover: choice(handover, 'handover', HANDOVER_KINDS),
    ...(absent(handover, 'owner') ? {} : { owner: integer(handover, 'owner') }),
    inodes: integer(handover, 'inodes'),
    changes: integer(handover, 'changes'),
    counted: choice(handover, 'counted', COUNTED),
  };
}
