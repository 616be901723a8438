/**
 * The sockets that the service manager opened for us, by the protocol of sd_listen_fds(3): $LISTEN_FDS descriptors from 3 on, for
 * the process $LISTEN_PID, with the names $LISTEN_FDNAMES. Node has set close-on-exec on them when it started.
 */
import { fstatSync } from 'node:fs';
import { DynuserError } from '../core/errors.ts';
import { hostError, systemErrorCode } from './host-error.ts';

const FIRST_DESCRIPTOR = 3;
/** We ask for one socket; a unit that hands over more than a few is not ours. */
const DESCRIPTORS_MAX = 16;

export interface PassedSocket {
  readonly descriptor: number;
  /** FileDescriptorName= of the socket unit; 'unknown' where the manager named none */
  readonly name: string;
}

/**
 * Takes the three variables out of the environment, so that no child takes the descriptors for its own.
 * @param pid our own process id
 * @returns the sockets, in the manager's order; none where they are meant for another process, or there are none
 * @throws DynuserError HostFailed where the variables contradict themselves, or a descriptor is no open socket
 */
export function takePassedSockets(environment: NodeJS.ProcessEnv, pid: number): readonly PassedSocket[] {
  const { LISTEN_PID: forPid, LISTEN_FDS: count, LISTEN_FDNAMES: names } = environment;
  delete environment['LISTEN_PID'];
  delete environment['LISTEN_FDS'];
  delete environment['LISTEN_FDNAMES'];
  if (count === undefined || forPid !== String(pid)) {
    return [];
  }
  if (!/^\d{1,4}$/.test(count) || Number(count) > DESCRIPTORS_MAX) {
    throw new DynuserError('HostFailed', `LISTEN_FDS=${count} is not a number from 0 to ${DESCRIPTORS_MAX}`);
  }
  const labels = names === undefined || names === '' ? [] : names.split(':');
  if (labels.length > 0 && labels.length !== Number(count)) {
    throw new DynuserError('HostFailed', `LISTEN_FDNAMES has ${labels.length} names, LISTEN_FDS is ${count}`);
  }
  return Array.from({ length: Number(count) }, (_, index) => {
    const descriptor = FIRST_DESCRIPTOR + index;
    if (!isSocket(descriptor)) {
      throw new DynuserError('HostFailed', `descriptor ${descriptor} of LISTEN_FDS is no open socket`);
    }
    return { descriptor, name: labels[index] ?? 'unknown' };
  });
}

function isSocket(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isSocket();
  } catch (error) {
    if (systemErrorCode(error) === 'EBADF') {
      return false;
    }
    throw hostError(error, `cannot look at descriptor ${descriptor}`);
  }
}
