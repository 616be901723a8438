/** Properties of the user, its privileges and the file system as a whole (systemd.exec(5)). */

import { quote } from '../errors.ts';
import { ALL_CAPABILITIES, changeCapabilities, NO_CAPABILITIES } from '../syntax/capabilities.ts';
import { asBoolean, readAccount, readBoolean, readChoice, readMode, readPath } from '../syntax/values.ts';
import type { ParsedProperties } from './parsed-properties.ts';
import { list, type PropertyContext, type PropertyReader, plainWords, single } from './property.ts';

type FlagKey =
  | 'dynamicUser'
  | 'privateDevices'
  | 'privateNetwork'
  | 'privateIPC'
  | 'removeIPC'
  | 'noNewPrivileges'
  | 'restrictSuidSgid'
  | 'loginEnvironment';

export const USER_PROPERTIES: ReadonlyMap<string, PropertyReader> = new Map<string, PropertyReader>([
  ['DynamicUser', flag('dynamicUser')],
  ['User', single('user', readAccountOf)],
  ['Group', single('group', readAccountOf)],
  ['SupplementaryGroups', list(parsed => parsed.supplementaryGroups, readGroups)],
  ['ProtectSystem', single('protectSystem', (value, { fail }) => readChoice(value, ['full', 'strict'], fail))],
  ['ProtectHome', single('protectHome', (value, { fail }) => readChoice(value, ['read-only', 'tmpfs'], fail))],
  // systemd 257 has two kinds; here both are an empty one that goes with the service.
  ['PrivateTmp', single('privateTmp', (value, { fail }) => readChoice(value, ['disconnected'], fail) !== 'no')],
  ['PrivateUsers', single('privateUsers', readPrivateUsers)],
  ['PrivateDevices', flag('privateDevices')],
  ['PrivateNetwork', flag('privateNetwork')],
  ['PrivateIPC', flag('privateIPC')],
  ['ProtectProc', single('protectProc', readWord(['default', 'noaccess', 'invisible', 'ptraceable']))],
  ['ProcSubset', single('procSubset', readWord(['all', 'pid']))],
  ['RemoveIPC', flag('removeIPC')],
  ['NoNewPrivileges', flag('noNewPrivileges')],
  ['RestrictSUIDSGID', flag('restrictSuidSgid')],
  ['SetLoginEnvironment', flag('loginEnvironment')],
  ['RootDirectory', single('rootDirectory', (value, { expand, fail }) => readPath(expand(value), fail))],
  ['UMask', single('umask', (value, { fail }) => readMode(value, fail))],
  ['WorkingDirectory', readWorkingDirectory],
  ['CapabilityBoundingSet', capabilities('boundingSet', ALL_CAPABILITIES)],
  ['AmbientCapabilities', capabilities('ambientSet', NO_CAPABILITIES)],
]);

function flag(key: FlagKey): PropertyReader {
  return single(key, (value, { fail }) => readBoolean(value, fail));
}

function readWord<const T extends string>(words: readonly T[]): (value: string, context: PropertyContext) => T {
  return (value, { fail }) =>
    words.find(word => word === value) ?? fail(`${quote(value)} must be one of: ${words.join(', ')}`);
}

function readAccountOf(value: string, { expand, fail }: PropertyContext): string {
  return readAccount(expand(value), fail);
}

function readGroups(value: string, context: PropertyContext): string[] {
  return plainWords(value, context).map(word => readAccountOf(word, context));
}

function readPrivateUsers(value: string, { fail }: PropertyContext): boolean {
  if (value === 'identity') {
    fail('"identity" is not supported; "yes" maps root, the user and its group');
  }
  return value === 'self' || (asBoolean(value) ?? fail(`${quote(value)} must be one of: yes, no, self`));
}

/** "-" before the path: it may be missing. "~": the home of the user. */
function readWorkingDirectory(parsed: ParsedProperties, value: string, { expand, fail }: PropertyContext): void {
  parsed.workingDirectoryOptional = value.startsWith('-');
  const path = parsed.workingDirectoryOptional ? value.slice(1) : value;
  parsed.workingDirectory = path === '' || path === '~' ? path || undefined : readPath(expand(path), fail);
}

function capabilities(key: 'boundingSet' | 'ambientSet', untouched: bigint): PropertyReader {
  return (parsed, value, context) => {
    const inverted = value.startsWith('~');
    const words = plainWords(inverted ? value.slice(1) : value, context);
    parsed[key] = changeCapabilities(parsed[key], words, inverted, untouched, context.fail);
  };
}
