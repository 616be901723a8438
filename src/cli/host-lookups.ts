/** Whether the lookups of a host lead to dynuserd: the name service switch, and systemd's user database. */
import { basename, resolve } from 'node:path';
import { type Host, isSeen, Unreadable } from './host.ts';

/** The places that are looked at. */
export const HOST_LOOKUP_PATHS = { nsswitch: '/etc/nsswitch.conf', userDatabase: '/run/systemd/userdb' };
export type LookupPaths = typeof HOST_LOOKUP_PATHS;

export const NSS_SERVICE = 'dynuser';

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
export function inspectHostLookups(host: Host, paths: LookupPaths, socket: string): HostLookups {
  // Without the file glibc uses its defaults, which do not name us.
  const text = host.text(paths.nsswitch) ?? '';
  const state = (database: string): SwitchState => {
    if (text instanceof Unreadable) {
      return 'unreadable';
    }
    return servicesOf(text, database).includes(NSS_SERVICE) ? 'listed' : 'missing';
  };
  return {
    passwd: state('passwd'),
    group: state('group'),
    userDatabase: inspectLink(host, paths.userDatabase, socket),
  };
}

/** @returns the services of a database in the order of the file, without actions in brackets (nsswitch.conf(5)) */
export function servicesOf(text: string, database: string): string[] {
  return nsswitchWords(text, database).filter(word => !word.startsWith('['));
}

/** @returns the services of a database and the actions in brackets behind them, in the order of the file */
export function nsswitchWords(text: string, database: string): string[] {
  const words: string[] = [];
  for (const line of text.split('\n')) {
    const [name, ...rest] = line.replace(/#.*/, '').split(':');
    if (name?.trim() === database) {
      words.push(...(rest.join(':').match(/\[[^\]]*\]|[^\s[\]]+/g) ?? []));
    }
  }
  // Spaces within the brackets mean nothing: one spelling is easier to look for.
  return words.map(word => (word.startsWith('[') ? word.replace(/\s*=\s*/g, '=') : word));
}

/** passwd(5), group(5): @returns the names, and the numbers in the third field of both, which is the UID or the GID */
export function accountsIn(text: string): readonly { readonly name: string; readonly id: number }[] {
  return Array.from(text.matchAll(/^([^:\n]+):[^:\n]*:(\d+):/gm), ([, name = '', id]) => ({ name, id: Number(id) }));
}

/** @param directory of the user database; the link is named after the socket */
export function inspectLink(host: Host, directory: string, socket: string): LinkState {
  const path = `${directory}/${basename(socket)}`;
  const found = host.inode(path);
  if (found === undefined) {
    return host.inode(directory) === undefined ? 'unused' : 'missing';
  }
  const target = host.link(path);
  if (found instanceof Unreadable || (found.kind === 'link' && !isSeen(target))) {
    return 'unreadable';
  }
  return found.kind === 'link' && isSeen(target) && resolve(directory, target) === socket ? 'linked' : 'elsewhere';
}
