/** The runtime directory: root's, open to all for looking, and on tmpfs, so that no lease outlives the boot. */
import { type Finding, findingsOf } from '../finding.ts';
import { type Host, type Inode, type Observed, octal, Unreadable } from '../host.ts';

export interface RuntimeDirectoryFacts {
  readonly path: string;
  readonly directory: Observed<Inode>;
  readonly fileSystem: Observed<number>;
  readonly socketPath: string;
  readonly socket: Observed<Inode>;
}

/** statfs(2): file systems that are in memory. */
const TMPFS_MAGIC = 0x01021994;
const RAMFS_MAGIC = 0x858458f6;
const DIRECTORY_MODE = 0o755;
const SOCKET_MODE = 0o666;

/** @param socketPath the daemon's socket, which is in the runtime directory */
export function inspectRuntimeDirectory(host: Host, socketPath: string): RuntimeDirectoryFacts {
  const path = socketPath.slice(0, socketPath.lastIndexOf('/')) || '/';
  return {
    path,
    directory: host.inode(path),
    fileSystem: host.fileSystem(path),
    socketPath,
    socket: host.inode(socketPath),
  };
}

export function judgeRuntimeDirectory(facts: RuntimeDirectoryFacts): Finding[] {
  const { ok, problem, unknown } = findingsOf('Runtime directory');
  const { path, directory } = facts;
  if (directory instanceof Unreadable) {
    return [unknown(`${path}: ${directory.why}`)];
  }
  if (directory === undefined) {
    return [problem(`${path} is not there`, 'start dynuserd, which makes it')];
  }
  if (directory.kind !== 'directory') {
    return [problem(`${path} is no directory`, 'remove it and restart dynuserd')];
  }
  const findings: Finding[] = [];
  if (directory.uid !== 0 || directory.gid !== 0) {
    const owner = `${directory.uid}:${directory.gid}`;
    findings.push(problem(`${path} belongs to ${owner}: whoever owns it can make users up`, `chown root:root ${path}`));
  }
  if (directory.mode !== DIRECTORY_MODE) {
    findings.push(problem(`${path} has the mode ${octal(directory.mode)}`, `chmod 0755 ${path}`));
  }
  findings.push(...judgeFileSystem(facts), ...judgeSocket(facts));
  return findings.length > 0 ? findings : [ok(`${path} is root's, 0755, and on tmpfs`)];
}

function judgeFileSystem({ path, fileSystem }: RuntimeDirectoryFacts): Finding[] {
  const { problem } = findingsOf('Runtime directory');
  if (fileSystem instanceof Unreadable || fileSystem === undefined) {
    return [];
  }
  return fileSystem === TMPFS_MAGIC || fileSystem === RAMFS_MAGIC
    ? []
    : [problem(`${path} is on no tmpfs: leases would be taken for live after a boot`, 'mount a tmpfs on /run')];
}

function judgeSocket({ socketPath, socket }: RuntimeDirectoryFacts): Finding[] {
  const { problem } = findingsOf('Socket');
  // Whether it is there is for the check of the daemon to say.
  if (socket instanceof Unreadable || socket === undefined) {
    return [];
  }
  if (socket.kind !== 'socket') {
    return [problem(`${socketPath} is no socket`, 'remove it and restart dynuserd')];
  }
  return socket.mode === SOCKET_MODE
    ? []
    : [problem(`${socketPath} has the mode ${octal(socket.mode)}: not everybody can ask`, `chmod 0666 ${socketPath}`)];
}
