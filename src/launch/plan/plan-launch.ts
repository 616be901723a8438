/** The second stage of a launch: from its settings and the acquired user to the plan. Pure. */
import type { LaunchPlan } from '../../api/generated/io-dynuser-allocator.ts';
import { failFor } from '../errors.ts';
import { planMountOps } from '../namespace/mount-ops.ts';
import { droppedCapabilities, plannedFields } from '../properties/table.ts';
import { capabilityMask } from '../syntax/capabilities.ts';
import { type PlannedEnvironment, planEnvironment } from './environment.ts';
import { planCommands, type Variables } from './expand-commands.ts';
import type { Acquired, ResolvedLaunch } from './request.ts';

/** @throws DynuserError LaunchFailed if a path or a variable turns out to be missing, LimitReached */
export function planLaunch(resolved: ResolvedLaunch, acquired: Acquired): LaunchPlan {
  const { settings, workingDirectory } = resolved;
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
    boundingSet: capabilityMask(boundingSet),
    ambientSet: capabilityMask(settings.AmbientCapabilities & boundingSet),
    ...(workingDirectory === undefined ? {} : { workingDirectory }),
    workingDirectoryOptional: settings.WorkingDirectory?.optional ?? false,
    inheritEnvironment: resolved.environment.inherit,
    passEnvironment: resolved.environment.pass,
    environment: [...environment.variables].map(([name, value]) => `${name}=${value}`),
    unsetEnvironment: environment.unset,
    ...(resolved.commands === undefined
      ? {}
      : { commands: planCommands(resolved.commands, variablesOf(resolved, environment)) }),
    ...plannedFields(settings, resolved.leftOut),
  };
  // A test holds that the rows have the fields that are missing here: it checks plans by the interface.
  return plan as LaunchPlan;
}

/** The values that a command line may name, which must be known before the launch. */
function variablesOf({ environment }: ResolvedLaunch, { variables, unset, account }: PlannedEnvironment): Variables {
  const { inherit, home, shell } = environment;
  const ofAccount = new Map([
    ['HOME', home],
    ['SHELL', shell],
  ]);
  return name => {
    const value = variables.get(name) ?? (account && !unset.includes(name) ? ofAccount.get(name) : undefined);
    if (value === undefined && ((inherit && !unset.includes(name)) || (account && ofAccount.has(name)))) {
      failFor('ExecStart')(`$${name} is known only to the launcher's environment; give it with --setenv=`);
    }
    return value;
  };
}
