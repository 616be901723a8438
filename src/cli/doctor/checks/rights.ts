/** Whether the daemon's process may do what it needs to do, as far as /proc shows it. */
import { type Host, type Inode, isSeen, type Observed, Unreadable } from '../../host.ts';
import { type Finding, findingsOf } from '../finding.ts';

const LOCK = 'dynuserd.lock';

/** capabilities(7) by number: what systemd/dynuserd.service leaves the daemon, with what it is for. */
const NEEDED: readonly (readonly [number: number, name: string, need: string])[] = [
  [0, 'CAP_CHOWN', 'to give directories to their next user'],
  [1, 'CAP_DAC_OVERRIDE', 'to work in directories of others'],
  [2, 'CAP_DAC_READ_SEARCH', 'to look for what a UID has'],
  [3, 'CAP_FOWNER', 'to change directories of others'],
  [4, 'CAP_FSETID', 'to keep the modes of directories'],
  [5, 'CAP_KILL', 'to end processes of a user that ends'],
  [6, 'CAP_SETGID', 'to end processes of a user that ends'],
  [7, 'CAP_SETUID', 'to end processes of a user that ends'],
  [19, 'CAP_SYS_PTRACE', 'to see every process'],
  [21, 'CAP_SYS_ADMIN', 'to remove IPC objects of a user that ended'],
];

/** @returns the process that holds the daemon's lock */
export function findDaemon(host: Host, runtimeDirectory: string): Observed<number> {
  return lockHolder(host.text('/proc/locks'), host.inode(`${runtimeDirectory}/${LOCK}`));
}

/** @param pid of the daemon */
export function checkRights(host: Host, pid: Observed<number>): readonly Finding[] {
  const { problem, unknown, orOk } = findingsOf('Rights of the daemon');
  if (pid instanceof Unreadable) {
    return [unknown(pid.why)];
  }
  const status = pid === undefined ? undefined : host.text(`/proc/${pid}/status`);
  if (!isSeen(status)) {
    return [unknown('its process is not visible from here')];
  }
  const effective = /^CapEff:\s*([0-9a-f]{16})$/m.exec(status)?.[1];
  const uid = /^Uid:\s*\d+\s+(\d+)/m.exec(status)?.[1];
  if (effective === undefined || uid === undefined) {
    return [unknown(`/proc/${pid}/status does not say`)];
  }
  if (uid !== '0') {
    return [problem(`dynuserd (process ${pid}) runs as the user ${uid}`, 'run it as root')];
  }
  const set = BigInt(`0x${effective}`);
  const missing = NEEDED.filter(([number]) => ((set >> BigInt(number)) & 1n) === 0n);
  const findings = missing.map(([, name, need]) =>
    problem(`process ${pid} lacks ${name}, ${need}`, 'grant it in the unit or the container that it runs in'),
  );
  return orOk(findings, `process ${pid} has the capabilities that it needs`);
}

/** proc_locks(5): a line for each lock, with its process and "major:minor:inode", the device's parts in hexadecimal. */
function lockHolder(locks: Observed<string>, file: Observed<Inode>): Observed<number> {
  if (!isSeen(locks)) {
    return locks;
  }
  if (!isSeen(file)) {
    return file;
  }
  const part = (value: bigint): string => value.toString(16).padStart(2, '0');
  const where = `${part(major(file.device))}:${part(minor(file.device))}:${file.inode}`;
  const held = locks.split('\n').find(line => line.includes('FLOCK') && line.split(/\s+/).includes(where));
  const pid = Number(/WRITE\s+(\d+)/.exec(held ?? '')?.[1]);
  // 0 if the process is in another PID namespace.
  return pid > 0 ? pid : undefined;
}

/** makedev(3): how glibc lays a device number out. */
function major(device: bigint): bigint {
  return ((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn);
}

function minor(device: bigint): bigint {
  return (device & 0xffn) | ((device >> 12n) & 0xffff_ff00n);
}
