/** The second stage of a launch: from what was wanted and what was acquired to the plan. Pure. */

import { failing } from '../errors.ts';
import { worldSteps } from '../namespace/mount-ops.ts';
import type { LaunchPlan, LaunchStep } from '../plan.ts';
import { capabilityMask, DEVICE_CAPABILITIES } from '../syntax/capabilities.ts';
import { type PlannedEnvironment, planEnvironment } from './environment.ts';
import { planCommands, type Variables } from './expand-commands.ts';
import type { Acquired, Wanted } from './request.ts';

/**
 * @param steps makes those of the world; whoever remembers them says so
 * @throws DynuserError LaunchFailed where a path or a variable turns out not to be there, LimitReached
 */
export function planLaunch(
  wanted: Wanted,
  acquired: Acquired,
  steps: () => readonly LaunchStep[] = () => worldSteps(wanted, acquired),
): LaunchPlan {
  const { settings } = wanted;
  if (wanted.untrusted && acquired.uid === 0) {
    failing('untrusted')(`the user ${acquired.userName} is root; name another user`);
  }
  const environment = planEnvironment(wanted, acquired);
  const held = settings.privateDevices ? settings.boundingSet & ~DEVICE_CAPABILITIES : settings.boundingSet;
  const variables = variablesOf(wanted, environment);
  return {
    uid: acquired.uid,
    gid: acquired.processGid ?? acquired.gid,
    userName: acquired.userName,
    dynamic: acquired.dynamic,
    groups: settings.supplementaryGroups,
    ...(settings.rootDirectory === undefined ? {} : { root: settings.rootDirectory }),
    mountNamespace: wanted.makesMounts,
    steps: steps(),
    privateUsers: settings.privateUsers && !isLeftOut(wanted, 'PrivateUsers'),
    privateNetwork: settings.privateNetwork && !isLeftOut(wanted, 'PrivateNetwork'),
    privateIPC: settings.privateIPC && !isLeftOut(wanted, 'PrivateIPC'),
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

function isLeftOut(wanted: Wanted, property: string): boolean {
  return wanted.missing.some(words => words.startsWith(`${property}=`));
}

/** The values that a command line may name, which have to be known before the launch. */
function variablesOf({ settings }: Wanted, { variables, unset, account }: PlannedEnvironment): Variables {
  const { inherit, home, shell } = settings.environment;
  const ofAccount = new Map([
    ['HOME', home],
    ['SHELL', shell],
  ]);
  return name => {
    const value = variables.get(name) ?? (account && !unset.includes(name) ? ofAccount.get(name) : undefined);
    if (value === undefined && ((inherit && !unset.includes(name)) || (account && ofAccount.has(name)))) {
      failing('ExecStart')(`what $${name} is can only be told by the launcher's environment; give it with --setenv=`);
    }
    return value;
  };
}
