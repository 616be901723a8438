/** Users that come and go, as records of the kernel's audit: ADD_USER and DEL_USER, as useradd(8) and userdel(8) make them. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { LeaseEvents } from '../allocator/events.ts';
import type { DynamicUser } from '../core/lease.ts';
import type { AuditRecord, AuditRecordType, AuditSocket } from '../host/audit-socket.ts';
import type { Logger } from './logger.ts';

/** Records that wait for the kernel, which may have no room for them: those that come then are lost. */
const WAITING_MAX = 4_096;
/** How long a record waits for others, in milliseconds: each sending goes to another thread and back, with one record as with many. */
const DELAY_MS = 20;

/**
 * @param isWanted read at each event, so that it may change
 * @param open makes the connection to the kernel; it throws if the kernel has no audit
 * @returns a function that sends what waits: it takes how long that may take, in milliseconds, and returns when all of it is sent, or the
 *   time is over
 */
export function auditUsers(
  events: LeaseEvents,
  isWanted: () => boolean,
  open: () => Pick<AuditSocket, 'send'>,
  logger: Logger,
): (graceMs: number) => Promise<void> {
  const waiting: AuditRecord[] = [];
  let delay: NodeJS.Timeout | undefined;
  let sending: Promise<void> | undefined;
  let socket: Pick<AuditSocket, 'send'> | undefined;
  let isRefused = false;
  let hasTaken = false;
  let lost = 0;

  const sendWaiting = async (): Promise<void> => {
    try {
      socket ??= open();
      for (let left = waiting.length; left > 0; ) {
        const taken = await socket.send(waiting.slice(0, left));
        waiting.splice(0, taken);
        left -= taken;
        hasTaken = true;
      }
    } catch (error) {
      // Usual in containers, whose records are not the host's: `dynuserctl doctor` says so. After the first record it is a failure.
      isRefused = true;
      waiting.length = 0;
      logger[hasTaken ? 'warn' : 'debug']({ err: error }, 'the kernel takes no audit records');
    }
    if (lost > 0) {
      logger.warn({ lost }, `${lost} audit records were lost: the kernel had no room for them`);
      lost = 0;
    }
  };
  const send = (): Promise<void> => {
    sending ??= sendWaiting().finally(() => {
      sending = undefined;
    });
    return sending;
  };
  /** After this turn of the event loop: whoever waits for the user is answered first. */
  const sendLater = (): void => {
    delay ??= setTimeout(() => {
      delay = undefined;
      void send().then(() => waiting.length > 0 && sendLater());
    }, DELAY_MS);
  };
  const sendAll = async (): Promise<void> => {
    clearTimeout(delay);
    delay = undefined;
    while (sending !== undefined || waiting.length > 0) {
      await send();
    }
  };
  const record = (type: AuditRecordType, user: DynamicUser): void => {
    if (!user.dynamic || isRefused || !isWanted()) {
      return;
    }
    if (waiting.length >= WAITING_MAX) {
      lost++;
      return;
    }
    waiting.push({ type, text: auditText(type, user) });
    sendLater();
  };
  events.on(['allocated'], ({ user, joined }) => {
    if (!joined) {
      record('addUser', user);
    }
  });
  events.on(['ended'], ({ user }) => record('deleteUser', user));
  return async graceMs => {
    const over = new AbortController();
    const grace = sleep(graceMs, undefined, { signal: over.signal }).catch(() => undefined);
    await Promise.race([sendAll(), grace]);
    over.abort();
  };
}

/** @returns the fields as audit_log_acct_message(3) has them. Names and units have no quotes by their grammar. */
export function auditText(type: AuditRecordType, { name, uid, leases }: DynamicUser): string {
  const operation = type === 'addUser' ? 'add-dynamic-user' : 'delete-dynamic-user';
  const unit = leases[0] === undefined ? '' : ` unit=${leases[0].unit}`;
  return `op=${operation} id=${uid} acct="${name}"${unit} exe="dynuserd" hostname=? addr=? terminal=? res=success`;
}
