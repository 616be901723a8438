/** The runtime directory: it has to belong to root, be readable by all, and be on tmpfs, so that no lease outlives the boot. */
import { dirname } from 'node:path';
import { type Host, isSeen, octal, Unreadable } from '../../host.ts';
import { type Finding, findingsOf } from '../finding.ts';

/** statfs(2): tmpfs and ramfs, which are in memory. */
const IN_MEMORY = [0x01021994, 0x858458f6];
const DIRECTORY_MODE = 0o755;
const SOCKET_MODE = 0o666;

/** @param socketPath the daemon's socket, which is in the runtime directory */
export function checkRuntimeDirectory(host: Host, socketPath: string): readonly Finding[] {
  const { problem, unknown, orOk } = findingsOf('Runtime directory');
  const path = dirname(socketPath);
  const directory = host.inode(path);
  if (directory instanceof Unreadable) {
    return [unknown(`${path}: ${directory.why}`)];
  }
  if (directory === undefined) {
    return [problem(`${path} is not there`, 'start dynuserd, which makes it')];
  }
  if (directory.kind !== 'directory') {
    return [problem(`${path} is not a directory`, 'remove it and restart dynuserd')];
  }
  const findings: Finding[] = [];
  if (directory.uid !== 0 || directory.gid !== 0) {
    const owner = `${directory.uid}:${directory.gid}`;
    findings.push(problem(`${path} belongs to ${owner}: whoever owns it can make users up`, `chown root:root ${path}`));
  }
  if (directory.mode !== DIRECTORY_MODE) {
    findings.push(problem(`${path} has the mode ${octal(directory.mode)}`, `chmod 0755 ${path}`));
  }
  const fileSystem = host.fileSystem(path);
  if (isSeen(fileSystem) && !IN_MEMORY.includes(fileSystem)) {
    const words = `${path} is not on a tmpfs: leases would be taken for live after a boot`;
    findings.push(problem(words, 'mount a tmpfs on /run'));
  }
  findings.push(...checkSocket(host, socketPath));
  return orOk(findings, `${path} is root's, 0755, and on tmpfs`);
}

function checkSocket(host: Host, path: string): Finding[] {
  const { problem } = findingsOf('Socket');
  const socket = host.inode(path);
  // Whether it is there is for the check of the daemon to say.
  if (!isSeen(socket)) {
    return [];
  }
  if (socket.kind !== 'socket') {
    return [problem(`${path} is not a socket`, 'remove it and restart dynuserd')];
  }
  return socket.mode === SOCKET_MODE
    ? []
    : [problem(`${path} has the mode ${octal(socket.mode)}: not everybody can ask`, `chmod 0666 ${path}`)];
}
