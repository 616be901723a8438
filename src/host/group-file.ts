/** The group file of this host, without NSS. */
import { readFileSync } from 'node:fs';
import { hostError, systemErrorCode } from './host-error.ts';

const PATH = '/etc/group';

/**
 * Each launch reads it. It is read at once, in some 10 µs: threads would take longer to hand it on.
 * @returns its text, empty if there is none
 * @throws DynuserError HostFailed, LimitReached
 */
export function readGroupFile(): string {
  try {
    // Names that are not ASCII are nobody's here.
    return readFileSync(PATH, 'latin1');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') {
      return '';
    }
    throw hostError(error, `cannot read ${PATH}`);
  }
}
