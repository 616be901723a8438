/** The second stage of a launch: from the resolved properties and the acquired user to the plan. Pure. */

import type { LaunchPlan, LaunchStep } from '../../api/generated/io-dynuser-allocator.ts';
import { failFor } from '../errors.ts';
import { planMountOps } from '../namespace/mount-ops.ts';
import { capabilityMask, DEVICE_CAPABILITIES } from '../syntax/capabilities.ts';
import { type PlannedEnvironment, planEnvironment } from './environment.ts';
import { planCommands, type Variables } from './expand-commands.ts';
import type { Acquired, ResolvedLaunch } from './request.ts';

/**
 * @param steps makes those of the world; whoever remembers them says so
 * @throws DynuserError LaunchFailed where a path or a variable turns out not to be there, LimitReached
 */
export function planLaunch(
  resolved: ResolvedLaunch,
  acquired: Acquired,
  steps: () => readonly LaunchStep[] = () => planMountOps(resolved, acquired),
): LaunchPlan {
  const { settings } = resolved;
  if (resolved.untrusted && acquired.uid === 0) {
    failFor('untrusted')(`the user ${acquired.userName} is root; name another user`);
  }
  const environment = planEnvironment(resolved, acquired);
  const held = settings.privateDevices ? settings.boundingSet & ~DEVICE_CAPABILITIES : settings.boundingSet;
  const variables = variablesOf(resolved, environment);
  return {
    uid: acquired.uid,
    gid: acquired.processGid ?? acquired.gid,
    userName: acquired.userName,
    dynamic: acquired.dynamic,
    groups: settings.supplementaryGroups,
    ...(settings.rootDirectory === undefined ? {} : { root: settings.rootDirectory }),
    mountNamespace: resolved.makesMounts,
    steps: steps(),
    privateUsers: settings.privateUsers && !isLeftOut(resolved, 'PrivateUsers'),
    privateNetwork: settings.privateNetwork && !isLeftOut(resolved, 'PrivateNetwork'),
    privateIPC: settings.privateIPC && !isLeftOut(resolved, 'PrivateIPC'),
    noNewPrivileges: settings.noNewPrivileges,
    restrictSuidSgid: settings.restrictSuidSgid,
    boundingSet: capabilityMask(held),
    ambientSet: capabilityMask(settings.ambientSet & held),
    umask: settings.umask,
    ...(settings.workingDirectory === undefined ? {} : { workingDirectory: settings.workingDirectory }),
    workingDirectoryOptional: settings.workingDirectoryOptional,
    inheritEnvironment: settings.environment.inherit,
    passEnvironment: settings.environment.pass,
    environment: [...environment.variables].map(([name, value]) => `${name}=${value}`),
    unsetEnvironment: environment.unset,
    accountEnvironment: environment.account,
    ...(settings.commands === undefined ? {} : { commands: planCommands(settings.commands, variables) }),
  };
}

function isLeftOut(resolved: ResolvedLaunch, property: string): boolean {
  return resolved.missing.some(words => words.startsWith(`${property}=`));
}

/** The values that a command line may name, which have to be known before the launch. */
function variablesOf({ settings }: ResolvedLaunch, { variables, unset, account }: PlannedEnvironment): Variables {
  const { inherit, home, shell } = settings.environment;
  const ofAccount = new Map([
    ['HOME', home],
    ['SHELL', shell],
  ]);
  return name => {
    const value = variables.get(name) ?? (account && !unset.includes(name) ? ofAccount.get(name) : undefined);
    if (value === undefined && ((inherit && !unset.includes(name)) || (account && ofAccount.has(name)))) {
      failFor('ExecStart')(`what $${name} is can only be told by the launcher's environment; give it with --setenv=`);
    }
    return value;
  };
}
