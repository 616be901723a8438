/** Whether a launch needs mounts, and what becomes of it if the launcher cannot make them. Pure. */
import { DynuserError } from '../../core/errors.ts';
import { type ExecSettings, neededProperties, type PropertyName } from '../properties/table.ts';
import type { LaunchRequest } from './request.ts';

export interface IsolationOutcome {
  readonly makesMounts: boolean;
  readonly exposeDirectories: boolean;
  /** the properties that are not carried out */
  readonly leftOut: readonly PropertyName[];
  /** what is lost by that, in words */
  readonly missing: readonly string[];
}

const CANNOT_MOUNT =
  'cannot mount: CAP_SYS_ADMIN is missing or limited to a nested user namespace (usual in containers)';
const HIDING = 'hiding the directories of other services: their modes alone close them';

/**
 * @param hasPrivateDirectories which are reached, and hidden from others, by mounts
 * @param fields of each property that was given, the field of an error about it
 * @throws DynuserError NotPermitted if mounts are needed, the launcher cannot make them, and it may not go without
 */
export function decideIsolation(
  settings: ExecSettings,
  hasPrivateDirectories: boolean,
  { mayMount, isolation, untrusted }: Pick<LaunchRequest, 'mayMount' | 'isolation' | 'untrusted'>,
  fields: ReadonlyMap<string, string>,
): IsolationOutcome {
  const needed = neededProperties(settings);
  const makesMounts = hasPrivateDirectories || needed.some(({ needsMounts }) => needsMounts);
  if (mayMount || (!makesMounts && needed.length === 0)) {
    return { makesMounts, exposeDirectories: false, leftOut: [], missing: [] };
  }
  if (untrusted) {
    refuse(
      'untrusted',
      ', and without mounts and namespaces nothing holds a hostile program; give the launcher CAP_SYS_ADMIN',
    );
  }
  const vital = needed.filter(({ isVital }) => isVital).map(({ name }) => name);
  const [first] = vital;
  if (first !== undefined) {
    const names = vital.map(name => `${name}=`).join(', ');
    const them = vital.length === 1 ? 'it' : 'them';
    refuse(
      fields.get(first) ?? first,
      `, and without ${names} the service would be another one; give the launcher CAP_SYS_ADMIN, or take ${them} out`,
    );
  }
  if (isolation === 'full') {
    refuse('isolation', '; use --isolation=best-effort to run without it');
  }
  return {
    makesMounts: false,
    exposeDirectories: hasPrivateDirectories,
    leftOut: needed.map(({ name }) => name),
    missing: [
      ...needed.map(({ lost }) => lost).filter(words => words !== undefined),
      ...(hasPrivateDirectories ? [HIDING] : []),
    ],
  };
}

function refuse(field: string, reason: string): never {
  throw new DynuserError('NotPermitted', `${CANNOT_MOUNT}${reason}`, { field });
}
