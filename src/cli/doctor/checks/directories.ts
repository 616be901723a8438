/** What directories of users are kept in: the private directories of each base, its file system, systemd's UID locks. */

import { BASE_DIRECTORIES, PRIVATE, PRIVATE_MODE } from '../../../core/directory-classes.ts';
import { fileSystemWords } from '../file-systems.ts';
import { type Finding, findingsOf } from '../finding.ts';
import { type Host, type Inode, type Observed, octal, Unreadable } from '../host.ts';

export interface BaseFacts {
  readonly base: string;
  readonly privateParent: Observed<Inode>;
  readonly fileSystem: Observed<number>;
}

export interface DirectoryFacts {
  readonly bases: readonly BaseFacts[];
  readonly kernel: string;
  readonly locks: Observed<Inode>;
}

/** Directories below these outlive their user. */
const BASES = (['state', 'cache', 'logs'] as const).map(kind => BASE_DIRECTORIES[kind]);
const LOCKS = '/run/systemd/dynamic-uid';
/** Written by others than the owner. */
const OTHERS_WRITE = 0o022;

export function inspectDirectories(host: Host): DirectoryFacts {
  const bases = BASES.map(base => {
    const path = `${base}/${PRIVATE}`;
    const privateParent = host.inode(path);
    const exists =
      privateParent !== undefined && !(privateParent instanceof Unreadable) && privateParent.kind === 'directory';
    return { base, privateParent, fileSystem: host.fileSystem(exists ? path : base) };
  });
  return { bases, kernel: host.kernel, locks: host.inode(LOCKS) };
}

export function judgeDirectories(facts: DirectoryFacts): Finding[] {
  return [...judgePrivateParents(facts.bases), judgeFileSystems(facts), judgeLocks(facts.locks)];
}

function judgePrivateParents(bases: readonly BaseFacts[]): Finding[] {
  const { ok, problem, unknown } = findingsOf('Private directories');
  const findings = bases.flatMap(({ base, privateParent }) => {
    const path = `${base}/${PRIVATE}`;
    if (privateParent === undefined) {
      return [];
    }
    if (privateParent instanceof Unreadable) {
      return [unknown(`${path}: ${privateParent.why}`)];
    }
    if (privateParent.kind !== 'directory') {
      return [problem(`${path} is no directory`, 'move it away: dynuserd makes the directory when it is needed')];
    }
    if (privateParent.uid !== 0 || privateParent.gid !== 0) {
      return [problem(`${path} belongs to ${privateParent.uid}:${privateParent.gid}`, `chown root:root ${path}`)];
    }
    return (privateParent.mode & ~PRIVATE_MODE) === 0
      ? []
      : [problem(`${path} has the mode ${octal(privateParent.mode)}: others may enter`, `chmod 0700 ${path}`)];
  });
  const paths = bases.map(({ base }) => `${base}/${PRIVATE}`).join(', ');
  return findings.length > 0 ? findings : [ok(`${paths}: root's alone, or not needed yet`)];
}

function judgeFileSystems({ bases, kernel }: DirectoryFacts): Finding {
  const { ok, unknown } = findingsOf('File systems');
  const words = bases.map(({ base, fileSystem }) => {
    if (fileSystem === undefined) {
      return `${base}: made when it is needed`;
    }
    return fileSystem instanceof Unreadable ? '' : `${base}: ${fileSystemWords(fileSystem, kernel)}`;
  });
  const seen = words.filter(word => word !== '');
  return seen.length === 0 ? unknown('what they are on cannot be asked') : ok(seen.join('; '));
}

function judgeLocks(locks: Observed<Inode>): Finding {
  const { ok, problem, unknown } = findingsOf('Locks with systemd');
  if (locks instanceof Unreadable) {
    return unknown(`${LOCKS}: ${locks.why}`);
  }
  if (locks === undefined) {
    return ok(`${LOCKS} is not needed yet`);
  }
  if (locks.kind !== 'directory' || locks.uid !== 0 || (locks.mode & OTHERS_WRITE) !== 0) {
    const words = `${LOCKS} must be a directory that root alone writes to, and it is ${locks.uid}'s, ${octal(locks.mode)}`;
    return problem(words, `chown root:root ${LOCKS}; chmod 0755 ${LOCKS}`);
  }
  return ok(`${LOCKS} is root's`);
}
