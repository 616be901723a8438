/** Whether a launch needs mounts, and what becomes of it if the launcher cannot make them. Pure. */
import { DynuserError } from '../../core/errors.ts';
import { type ExecSettings, needingProperties } from '../properties/table.ts';
import type { AccountOverlay, FileAccess, LaunchRequest, ResolvedLaunch } from './request.ts';

const CANNOT_MOUNT =
  'cannot mount: CAP_SYS_ADMIN is missing or limited to a nested user namespace (usual in containers)';
const OVERLAY = '--passwd-overlay: a program that uses no NSS module does not find its user';
const HIDING = 'hiding the directories of other services: their modes alone close them';

export interface IsolationNeeds {
  readonly hasPrivate: boolean;
  readonly readOnly: readonly string[];
  readonly overlay: AccountOverlay | undefined;
  readonly access: FileAccess | undefined;
}

/**
 * @param directories whether some are private, which are reached, and hidden from others, by mounts; and the properties
 * that have read-only ones
 * @param fields of each property that was given, the field of an error about it
 * @throws DynuserError NotPermitted if mounts are needed, the launcher cannot make them, and it may not go without
 */
export function decideIsolation(
  settings: ExecSettings,
  { hasPrivate, readOnly, overlay, access }: IsolationNeeds,
  { mayMount, isolation, untrusted }: Pick<LaunchRequest, 'mayMount' | 'isolation' | 'untrusted'>,
  fields: ReadonlyMap<string, string>,
): Pick<ResolvedLaunch, 'makesMounts' | 'exposeDirectories' | 'leftOut' | 'missing' | 'access'> {
  const needed = needingProperties(settings);
  const needsOverlay = overlay?.optional === false;
  const makesMounts =
    hasPrivate || needsOverlay || readOnly.length > 0 || needed.some(({ row }) => row.needs === 'mounts');
  if (mayMount || (!makesMounts && needed.length === 0)) {
    return { makesMounts, exposeDirectories: false, leftOut: [], missing: [] };
  }
  if (untrusted === true) {
    refuse(
      'untrusted',
      ', and without mounts and namespaces nothing holds a hostile program; give the launcher CAP_SYS_ADMIN',
    );
  }
  const left = needed.filter(({ name }) => access?.carriesOut.includes(name) !== true);
  const vital = left.filter(({ row }) => row.isVital === true).map(({ name }) => name);
  const [first] = vital;
  if (first !== undefined) {
    const names = vital.map(name => `${name}=`).join(', ');
    const them = vital.length === 1 ? 'it' : 'them';
    refuse(
      fields.get(first) ?? first,
      `, and without ${names} the service would not be what it is meant to be; give the launcher CAP_SYS_ADMIN, or take ${them} out`,
    );
  }
  if (isolation !== 'bestEffort') {
    refuse('isolation', '; use --isolation=best-effort to run without it');
  }
  return {
    makesMounts: false,
    exposeDirectories: hasPrivate,
    ...(access === undefined ? {} : { access }),
    leftOut: left.map(({ name }) => name),
    missing: [
      ...left.flatMap(({ name, value, row: { lost } }) => (lost === undefined ? [] : `${name}=${value}: ${lost}`)),
      ...readOnly.map(name => `${name}=PATH::ro: these directories stay writable`),
      ...(hasPrivate ? [HIDING] : []),
      ...(needsOverlay ? [OVERLAY] : []),
    ],
  };
}

function refuse(field: string, reason: string): never {
  throw new DynuserError('NotPermitted', `${CANNOT_MOUNT}${reason}`, { field });
}
