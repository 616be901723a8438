/**
 * The sockets that the service manager opened for us, and the locks that it kept for us, by the protocol of sd_listen_fds(3):
 * $LISTEN_FDS descriptors from 3 on, for the process $LISTEN_PID, with the names $LISTEN_FDNAMES. Node has set close-on-exec on
 * them when it started.
 */
import { fstatSync } from 'node:fs';
import { DynuserError } from '../../core/errors.ts';
import { hostError, systemErrorCode } from '../host-error.ts';
import { LOCKS_KEPT_MAX, uidOfKeptName } from './lock-store.ts';

const FIRST_DESCRIPTOR = 3;
/** Beside locks we ask for two sockets; a unit that hands over more than a few is not ours. */
const SOCKETS_MAX = 16;
const DESCRIPTORS_MAX = SOCKETS_MAX + LOCKS_KEPT_MAX;

export interface PassedDescriptors {
  readonly sockets: readonly PassedSocket[];
  /** what a former daemon has had stored: lock files, each with the name of its UID's lock */
  readonly stored: readonly PassedSocket[];
}

export interface PassedSocket {
  readonly descriptor: number;
  /** FileDescriptorName= of the socket unit; 'unknown' if the manager named none */
  readonly name: string;
}

/**
 * Takes the three variables out of the environment, so that no child takes the descriptors for its own.
 * @param pid our own process id
 * @returns the descriptors, in the manager's order; none if they are meant for another process, or there are none
 * @throws DynuserError HostFailed if the variables contradict themselves, or a descriptor is neither a lock nor an open socket
 */
export function takePassedDescriptors(environment: NodeJS.ProcessEnv, pid: number): PassedDescriptors {
  const { LISTEN_PID: forPid, LISTEN_FDS: count, LISTEN_FDNAMES: names } = environment;
  delete environment['LISTEN_PID'];
  delete environment['LISTEN_FDS'];
  delete environment['LISTEN_FDNAMES'];
  if (count === undefined || forPid !== String(pid)) {
    return { sockets: [], stored: [] };
  }
  if (!/^\d{1,4}$/.test(count) || Number(count) > DESCRIPTORS_MAX) {
    throw new DynuserError('HostFailed', `LISTEN_FDS=${count} is not a number from 0 to ${DESCRIPTORS_MAX}`);
  }
  const labels = names === undefined || names === '' ? [] : names.split(':');
  if (labels.length > 0 && labels.length !== Number(count)) {
    throw new DynuserError('HostFailed', `LISTEN_FDNAMES has ${labels.length} names, LISTEN_FDS is ${count}`);
  }
  const passed = Array.from({ length: Number(count) }, (_, index) => {
    return { descriptor: FIRST_DESCRIPTOR + index, name: labels[index] ?? 'unknown' };
  });
  const stored = passed.filter(({ name }) => uidOfKeptName(name) !== undefined);
  const sockets = passed.filter(({ name }) => uidOfKeptName(name) === undefined);
  if (sockets.length > SOCKETS_MAX) {
    const bound = `${SOCKETS_MAX} at most are expected`;
    throw new DynuserError('HostFailed', `LISTEN_FDS has ${sockets.length} sockets: ${bound}`);
  }
  const wrong = sockets.find(({ descriptor }) => !isSocket(descriptor));
  if (wrong !== undefined) {
    throw new DynuserError('HostFailed', `descriptor ${wrong.descriptor} of LISTEN_FDS is not an open socket`);
  }
  return { sockets, stored };
}

function isSocket(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isSocket();
  } catch (error) {
    if (systemErrorCode(error) === 'EBADF') {
      return false;
    }
    throw hostError(error, `cannot inspect descriptor ${descriptor}`);
  }
}
