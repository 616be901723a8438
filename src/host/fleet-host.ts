/** Which host of a fleet this is, to all others: the daemon and its companion call it the same. */
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { DynuserError } from '../core/errors.ts';
import { hasCode } from '../files/pinned-directory.ts';

const MACHINE_ID = '/etc/machine-id';

/**
 * @returns 16 hexadecimal digits by which nobody learns the machine-id (machine-id(5))
 * @throws DynuserError InvalidConfiguration if the host has none
 */
export function fleetHostId(): string {
  return createHmac('sha256', readMachineId()).update('dynuser fleet').digest('hex').slice(0, 16);
}

function readMachineId(): string {
  let text = '';
  try {
    text = readFileSync(MACHINE_ID, 'latin1').trim();
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) {
      throw error;
    }
  }
  if (!/^[0-9a-f]{32}$/.test(text)) {
    throw new DynuserError(
      'InvalidConfiguration',
      `${MACHINE_ID} names no machine, and each host of a fleet needs another; run systemd-machine-id-setup, or "dbus-uuidgen --ensure=/etc/machine-id" without systemd, or set Fleet=off`,
    );
  }
  return text;
}
