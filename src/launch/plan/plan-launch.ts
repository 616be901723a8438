/** The second stage of a launch: from its settings and the acquired user to the plan. Pure. */
import type { LaunchPlan } from '../../api/generated/io-dynuser-allocator.ts';
import { defined, unlessEmpty } from '../defined.ts';
import { failFor } from '../errors.ts';
import { planDevices } from '../namespace/devices.ts';
import { planMountOps } from '../namespace/mount-ops.ts';
import { droppedCapabilities, plannedFields } from '../properties/table.ts';
import { capabilityMask } from '../syntax/capabilities.ts';
import { planCommands, type Variables } from '../syntax/command-line.ts';
import { planAccess } from './access-rules.ts';
import { planCredentials } from './credentials.ts';
import { type PlannedEnvironment, planEnvironment } from './environment.ts';
import { planFilter } from './filter.ts';
import { planMain } from './phases.ts';
import type { Acquired, ResolvedLaunch } from './request.ts';
import { planStreams } from './streams.ts';

/** @throws DynuserError LaunchFailed if a path or a variable turns out to be missing, LimitReached */
export function planLaunch(resolved: ResolvedLaunch, acquired: Acquired): LaunchPlan {
  const { settings, workingDirectory, phase, commands } = resolved;
  if (resolved.untrusted && acquired.uid === 0) {
    failFor('untrusted')(`the user ${acquired.userName} is root; name another user`);
  }
  const environment = planEnvironment(resolved, acquired);
  const boundingSet = settings.CapabilityBoundingSet & ~droppedCapabilities(settings);
  const plan: Partial<LaunchPlan> = {
    uid: acquired.uid,
    gid: acquired.processGid ?? acquired.gid,
    groups: acquired.groups,
    mountNamespace: resolved.makesMounts,
    mountOps: planMountOps(resolved, acquired),
    ...deviceRights(resolved),
    boundingSet: capabilityMask(boundingSet),
    ambientSet: capabilityMask(settings.AmbientCapabilities & boundingSet),
    workingDirectoryOptional: settings.WorkingDirectory?.optional ?? false,
    inheritEnvironment: resolved.environment.inherit,
    passEnvironment: resolved.environment.pass,
    environment: [...environment.variables].map(([name, value]) => `${name}=${value}`),
    unsetEnvironment: environment.unset,
    ...defined({
      images: unlessEmpty(resolved.images.images),
      overlays: unlessEmpty(resolved.images.overlays),
      accessRules: planAccess(resolved.access, acquired),
      loopbackDown: resolved.closesLoopback || undefined,
      workingDirectory,
      phase,
      main: planMain(phase, settings, acquired),
      commands:
        commands === undefined || (phase !== undefined && commands.length === 0)
          ? undefined
          : planCommands(commands, variablesOf(resolved, environment)),
      waitsForLast: waitsForLast(resolved) || undefined,
    }),
    ...planStreams(settings),
    ...planCredentials(resolved),
    ...plannedFields(settings, resolved.leftOut),
    ...planFilter(resolved, acquired),
  };
  // A test holds that the rows have the fields that are missing here: it checks plans by the interface.
  return plan as LaunchPlan;
}

/** If the last command of Type=oneshot has "-" before it, its failure is ignored, so the launcher waits for it. */
function waitsForLast({ commands = [], settings: { Type }, phase }: ResolvedLaunch): boolean {
  return phase === undefined && Type === 'oneshot' && commands.at(-1)?.ignoreFailure === true;
}

/** A mount cannot keep a device from being read or written, so the launcher checks the modes of the devices that are allowed in part. */
function deviceRights({ settings, host, makesMounts }: ResolvedLaunch): Pick<LaunchPlan, 'unreadable' | 'unwritable'> {
  const allowsSome = makesMounts && settings.DeviceAllow.length > 0;
  const { unreadable = [], unwritable = [] } = (allowsSome && planDevices(settings, host)) || {};
  return defined({ unreadable: unlessEmpty(unreadable), unwritable: unlessEmpty(unwritable) });
}

/** The values that a command line may name, which must be known before the launch. */
function variablesOf({ environment }: ResolvedLaunch, { variables, unset, account }: PlannedEnvironment): Variables {
  const { inherit, pass, home, shell } = environment;
  const ofAccount = new Map([
    ['HOME', home],
    ['SHELL', shell],
  ]);
  return name => {
    const value = variables.get(name) ?? (account && !unset.includes(name) ? ofAccount.get(name) : undefined);
    if (
      value === undefined &&
      (((inherit || pass.includes(name)) && !unset.includes(name)) || (account && ofAccount.has(name)))
    ) {
      failFor('ExecStart')(`$${name} is known only to the launcher's environment; give it with --setenv=`);
    }
    return value;
  };
}
