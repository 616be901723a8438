/**
 * Whether the lookups of this host lead to dynuserd: the name service switch, and systemd's user database. Reads two
 * files, changes nothing.
 */
import { closeSync, lstatSync, openSync, readlinkSync, readSync } from 'node:fs';
import { resolve } from 'node:path';
import { NSSWITCH_BYTES_MAX } from './limits.ts';
import { nsswitchWords } from './nsswitch.ts';

/** The places that are looked at. */
export interface LookupPaths {
  readonly nsswitch: string;
  readonly userDatabase: string;
}

export const HOST_LOOKUP_PATHS: LookupPaths = {
  nsswitch: '/etc/nsswitch.conf',
  userDatabase: '/run/systemd/userdb',
};

const NSS_SERVICE = 'dynuser';

/** 'listed': our word stands in the line of that database; 'unreadable': the file could not be read */
export type SwitchState = 'listed' | 'missing' | 'unreadable';

/**
 * 'unused': the host has no user database; 'linked': the link leads to our socket; 'elsewhere': something else is in
 * its place
 */
export type LinkState = 'unused' | 'linked' | 'missing' | 'elsewhere' | 'unreadable';

export interface HostLookups {
  readonly passwd: SwitchState;
  readonly group: SwitchState;
  readonly userDatabase: LinkState;
}

/** @param socket the path of the daemon's socket; its last part names the link as well */
export function inspectHostLookups(paths: LookupPaths, socket: string): HostLookups {
  const text = readStart(paths.nsswitch);
  const state = (database: string): SwitchState => {
    if (text === undefined) {
      return 'unreadable';
    }
    return servicesOf(text, database).includes(NSS_SERVICE) ? 'listed' : 'missing';
  };
  return { passwd: state('passwd'), group: state('group'), userDatabase: inspectLink(paths.userDatabase, socket) };
}

/** @returns the services of a database in the order of the file, without actions in brackets (nsswitch.conf(5)) */
export function servicesOf(text: string, database: string): string[] {
  return nsswitchWords(text, database).filter(word => !word.startsWith('['));
}

/** @param directory of the user database; the link is named after the socket */
export function inspectLink(directory: string, socket: string): LinkState {
  const link = `${directory}/${socket.slice(socket.lastIndexOf('/') + 1)}`;
  try {
    if (!lstatSync(link).isSymbolicLink()) {
      return 'elsewhere';
    }
    return resolve(directory, readlinkSync(link)) === socket ? 'linked' : 'elsewhere';
  } catch (error) {
    if (!isMissing(error)) {
      return 'unreadable';
    }
    return exists(directory) ? 'missing' : 'unused';
  }
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** @returns the first part of a file, as much as a sane one has; undefined if it cannot be read */
function readStart(path: string): string | undefined {
  try {
    const descriptor = openSync(path, 'r');
    try {
      const buffer = Buffer.alloc(NSSWITCH_BYTES_MAX);
      return buffer.toString('utf8', 0, readSync(descriptor, buffer));
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    // No such file is what glibc takes for its defaults, and those do not name us.
    return isMissing(error) ? '' : undefined;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}
