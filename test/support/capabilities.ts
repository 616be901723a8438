/** What this process may do, as the kernel says it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

/** @returns the capabilities in effect of this process, as proc_pid_status(5) has them */
export function effectiveCapabilities(): bigint {
  const [, digits] = /^CapEff:\t([0-9a-f]{16})$/m.exec(readFileSync('/proc/self/status', 'latin1')) ?? assert.fail();
  return BigInt(`0x${digits}`);
}
