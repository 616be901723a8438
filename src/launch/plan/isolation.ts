/** Whether a launch needs mounts, and what becomes of it where the launcher may make none. Pure. */
import { DynuserError } from '../../core/errors.ts';
import type { ExecSettings } from '../properties/exec-settings.ts';
import type { LaunchRequest } from './request.ts';

export interface IsolationOutcome {
  readonly makesMounts: boolean;
  readonly exposeDirectories: boolean;
  /** what is left out, in words */
  readonly missing: readonly string[];
}

const CANNOT_MOUNT =
  'cannot mount: CAP_SYS_ADMIN is missing or limited to a nested user namespace (usual in containers)';

/**
 * @param fields of each property that was given, the field of an error about it
 * @throws DynuserError NotPermitted where mounts are needed and the launcher may make none
 */
export function decideIsolation(
  settings: ExecSettings,
  { mayMount, isolation, untrusted }: Pick<LaunchRequest, 'mayMount' | 'isolation' | 'untrusted'>,
  fields: ReadonlyMap<string, string>,
): IsolationOutcome {
  const needs = needsMounts(settings);
  if (mayMount || (!needs && !settings.privateUsers)) {
    return { makesMounts: needs, exposeDirectories: false, missing: [] };
  }
  if (untrusted) {
    const reason = `${CANNOT_MOUNT}, and without mounts and namespaces nothing holds a hostile program; give the launcher CAP_SYS_ADMIN`;
    throw new DynuserError('NotPermitted', reason, { field: 'untrusted' });
  }
  const vital = vitalMounts(settings);
  const [first] = vital;
  if (first !== undefined) {
    const names = vital.map(name => `${name}=`).join(', ');
    const reason = `${CANNOT_MOUNT}, and without ${names} the service would be another one; give the launcher CAP_SYS_ADMIN, or take ${vital.length === 1 ? 'it' : 'them'} out`;
    throw new DynuserError('NotPermitted', reason, { field: fields.get(first) ?? first });
  }
  if (isolation === 'full') {
    const reason = `${CANNOT_MOUNT}; use --isolation=best-effort to run without it`;
    throw new DynuserError('NotPermitted', reason, { field: 'isolation' });
  }
  return { makesMounts: false, exposeDirectories: settings.privateClasses.length > 0, missing: missingWords(settings) };
}

function needsMounts(settings: ExecSettings): boolean {
  return (
    settings.protectSystem !== 'no' ||
    settings.protectHome !== 'no' ||
    settings.privateTmp ||
    settings.privateDevices ||
    settings.privateNetwork ||
    settings.privateIPC ||
    settings.protectProc !== 'default' ||
    settings.procSubset !== 'all' ||
    settings.readWrite.length > 0 ||
    settings.readOnly.length > 0 ||
    settings.privateClasses.length > 0 ||
    vitalMounts(settings).length > 0
  );
}

/** A service that does not find its files, or sees what it must not, is another service. */
function vitalMounts(settings: ExecSettings): string[] {
  return [
    settings.rootDirectory === undefined ? '' : 'RootDirectory',
    settings.binds.length === 0 ? '' : 'BindPaths',
    settings.temporary.length === 0 ? '' : 'TemporaryFileSystem',
    settings.inaccessible.length === 0 ? '' : 'InaccessiblePaths',
  ].filter(name => name !== '');
}

function missingWords(settings: ExecSettings): string[] {
  const { protectSystem, protectHome } = settings;
  const words: readonly (string | false)[] = [
    protectSystem !== 'no' && `ProtectSystem=${protectSystem}: the file system stays writable`,
    protectHome !== 'no' && `ProtectHome=${protectHome}: homes are as open as their modes`,
    settings.privateTmp && 'PrivateTmp=yes: /tmp and /var/tmp are shared with all',
    settings.privateDevices && 'PrivateDevices=yes: all devices are there, each as open as its mode',
    settings.privateUsers && 'PrivateUsers=yes: the user sees all other users',
    settings.privateNetwork && "PrivateNetwork=yes: the network is the host's",
    settings.privateIPC && 'PrivateIPC=yes: System V objects and message queues are shared with all',
    settings.protectProc !== 'default' && `ProtectProc=${settings.protectProc}: the processes of all users are seen`,
    settings.procSubset !== 'all' && `ProcSubset=${settings.procSubset}: all of /proc is there`,
    settings.readOnly.length > 0 && 'ReadOnlyPaths=: these paths are not read-only',
    settings.privateClasses.length > 0 && 'hiding the directories of other services: their modes alone close them',
  ];
  return words.filter(word => word !== false);
}
