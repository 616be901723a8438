/** Whether a launch needs mounts, and what becomes of it where the launcher may make none. Pure. */
import { DynuserError } from '../core/errors.ts';
import type { Isolation } from './request.ts';
import type { Settings } from './settings.ts';

export interface IsolationOutcome {
  readonly makesMounts: boolean;
  readonly exposeDirectories: boolean;
  /** what is left out, in words */
  readonly missing: readonly string[];
}

/** @throws DynuserError NotPermitted where mounts are needed and the launcher may make none */
export function decideIsolation(settings: Settings, mayMount: boolean, isolation: Isolation): IsolationOutcome {
  const needs = needsMounts(settings);
  if (mayMount || (!needs && !settings.privateUsers)) {
    return { makesMounts: needs, exposeDirectories: false, missing: [] };
  }
  if (isolation === 'full') {
    throw new DynuserError(
      'NotPermitted',
      'the launcher may make no mounts: it has no CAP_SYS_ADMIN, or in a user namespace of its own alone, as in most containers; ' +
        '--isolation=best-effort goes on without them, and says what is missing',
      { field: 'isolation' },
    );
  }
  const vital = vitalMounts(settings);
  if (vital.length > 0) {
    throw new DynuserError(
      'NotPermitted',
      `${vital.join(', ')} cannot be left out, and the launcher may make no mounts: it has no CAP_SYS_ADMIN`,
      { field: vital[0] ?? 'isolation' },
    );
  }
  return { makesMounts: false, exposeDirectories: settings.privateClasses.length > 0, missing: missingWords(settings) };
}

function needsMounts(settings: Settings): boolean {
  return (
    settings.protectSystem !== 'no' ||
    settings.protectHome !== 'no' ||
    settings.privateTmp ||
    settings.privateDevices ||
    settings.readWrite.length > 0 ||
    settings.readOnly.length > 0 ||
    settings.privateClasses.length > 0 ||
    vitalMounts(settings).length > 0
  );
}

/** A service that does not find its files, or sees what it must not, is another service. */
function vitalMounts(settings: Settings): string[] {
  return [
    settings.rootDirectory === undefined ? '' : 'RootDirectory',
    settings.binds.length === 0 ? '' : 'BindPaths',
    settings.temporary.length === 0 ? '' : 'TemporaryFileSystem',
    settings.inaccessible.length === 0 ? '' : 'InaccessiblePaths',
  ].filter(name => name !== '');
}

function missingWords(settings: Settings): string[] {
  const { protectSystem, protectHome } = settings;
  const words: readonly (string | false)[] = [
    protectSystem !== 'no' && `ProtectSystem=${protectSystem}: the file system is not read-only`,
    protectHome !== 'no' && `ProtectHome=${protectHome}: homes are as open as their modes`,
    settings.privateTmp && 'PrivateTmp=yes: /tmp and /var/tmp are shared with all',
    settings.privateDevices && 'PrivateDevices=yes: all devices are there, each as open as its mode',
    settings.privateUsers && 'PrivateUsers=yes: the user sees all other users',
    settings.readOnly.length > 0 && 'ReadOnlyPaths=: these paths are not read-only',
    settings.privateClasses.length > 0 && 'the directories of other services are seen, and closed by their modes alone',
  ];
  return words.filter(word => word !== false);
}
