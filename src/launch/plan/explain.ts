/** A plan in words, for people who want to know what a launch does. Pure. */

import type { LaunchPlan, MountFlag, MountOp } from '../../api/generated/io-dynuser-allocator.ts';
import { COLUMNS_MAX } from '../limits.ts';
import { DIRECTORY_PROPERTIES } from '../properties/directories.ts';
import { shownProperties } from '../properties/table.ts';
import { ALL_CAPABILITIES, capabilityNames, NO_CAPABILITIES } from '../syntax/capabilities.ts';
import type { Acquired, ResolvedLaunch } from './request.ts';
import { untrustedWords } from './untrusted.ts';

const INDENT = '  ';
const FLAG_WORDS: Readonly<Record<MountFlag, string>> = {
  readOnly: 'read-only',
  noSuid: 'nosuid',
  noDevices: 'nodev',
  noExec: 'noexec',
};

/** @returns lines of at most COLUMNS_MAX columns */
export function explainPlan(resolved: ResolvedLaunch, acquired: Acquired, plan: LaunchPlan): string[] {
  const sections: readonly (readonly [string, readonly string[]])[] = [
    ['User', userWords(resolved, acquired, plan)],
    ['Directories', directoryWords(resolved, plan)],
    ['Set by --untrusted', resolved.untrusted ? untrustedWords(resolved.fields) : []],
    ['Implied by DynamicUser=', impliedWords(resolved)],
    ['Namespaces', namespaceWords(resolved, plan)],
    ['Privileges', privilegeWords(plan)],
    ['Environment', environmentWords(plan)],
    ['Commands', commandWords(plan)],
    ['Missing', resolved.missing],
    ['Warnings', resolved.warnings],
  ];
  return sections.flatMap(([title, words]) =>
    words.length === 0 ? [] : [`${title}:`, ...words.flatMap(text => wrap(printable(text)))],
  );
}

function userWords({ settings }: ResolvedLaunch, acquired: Acquired, plan: LaunchPlan): string[] {
  const groups = [...new Set(settings.SupplementaryGroups)];
  const sort = acquired.dynamic
    ? 'dynamic'
    : settings.DynamicUser
      ? 'a static user of that name, used as it is'
      : 'static';
  return [
    `${acquired.userName}, UID ${plan.uid}, GID ${plan.gid}: ${sort}`,
    ...(groups.length === 0 ? [] : [`supplementary groups: ${groups.join(', ')}`]),
  ];
}

function directoryWords(resolved: ResolvedLaunch, plan: LaunchPlan): string[] {
  const mapped = plan.mountOps.filter(op => op.kind === 'clone' && op.idMap !== undefined).map(op => op.path);
  return [
    ...Object.entries(DIRECTORY_PROPERTIES).flatMap(([kind, name]) => {
      const values = resolved.directories[kind as keyof typeof DIRECTORY_PROPERTIES];
      return values.length === 0 ? [] : [`${name}=${values.join(' ')}`];
    }),
    ...mapped.map(path => `${path}: shown as the user's by an id-mapped mount, 65534's on disk`),
    ...resolved.configurationDirectories.map(path => `${path}: configuration, root's`),
  ];
}

function impliedWords({ settings, given, leftOut }: ResolvedLaunch): string[] {
  const implied = shownProperties(settings).filter(({ isImplied }) => isImplied);
  return implied.map(({ name, value, isOn, meaning }) => {
    const origin = given.includes(name) ? 'by name' : settings.DynamicUser ? 'implied' : 'not implied';
    if (leftOut.includes(name)) {
      return `${name}=${value}, ${origin}: left out, since no mounts can be made`;
    }
    return isOn
      ? `${name}=${value}, ${origin}: ${meaning}; ${name}=no turns it off`
      : `${name}=no, ${origin}: off; ${name}=${name === 'ProtectSystem' ? 'strict' : 'yes'} turns it on`;
  });
}

function namespaceWords({ settings, leftOut }: ResolvedLaunch, plan: LaunchPlan): string[] {
  const placed = new Set(plan.mountOps.filter(op => op.kind === 'attach').map(op => op.slot));
  return [
    ...(plan.root === undefined ? [] : [`its root is ${plan.root}`]),
    plan.mountNamespace ? 'a mount namespace' : 'no mount namespace: the mounts are those of the host',
    ...shownProperties(settings)
      .filter(({ name, isOn, isImplied }) => isOn && !isImplied && !leftOut.includes(name))
      .map(({ name, value, meaning }) => `${name}=${value}: ${meaning}`),
    ...plan.mountOps.map(op => opWords(op, placed)),
  ];
}

function opWords(op: MountOp, placed: ReadonlySet<number | undefined>): string {
  const { path, slot } = op;
  const flags = (op.set ?? []).map(flag => FLAG_WORDS[flag]).join(', ');
  const where = op.optional === true ? `${path}, if it is there` : path;
  switch (op.kind) {
    case 'mkdir':
      return `make ${path}, mode ${octal(op.mode)}`;
    case 'clone':
      if (op.detach === true && !placed.has(slot)) {
        return `take away what is mounted at ${where}`;
      }
      return `keep #${slot}: ${where}${op.detach === true ? ', taken away' : ''}${listed(flags)}`;
    case 'mount':
      return `keep #${slot}: a new ${op.type} for ${where}${listed([...(op.options ?? []), flags].join(', '))}`;
    case 'tmpfs': {
      const what = op.scratch === undefined ? 'an empty file system' : `the part ${op.scratch} of an empty file system`;
      return `${what} at ${where}, mode ${octal(op.mode)}${listed([...(op.options ?? []), flags].join(', '))}`;
    }
    case 'remount':
      return `${where}${op.nonRecursive === true ? '' : ' and all below it'} becomes ${flags}`;
    case 'attach':
      return `put #${slot} at ${path}`;
    case 'symlink':
      return `link ${path} to ${op.target}`;
    case 'mask':
      return `hide ${where}`;
  }
}

function privilegeWords(plan: LaunchPlan): string[] {
  const bounding = BigInt(`0x${plan.boundingSet}`);
  const ambient = BigInt(`0x${plan.ambientSet}`);
  const taken = capabilityNames(ALL_CAPABILITIES & ~bounding);
  return [
    `capabilities: ${ambient === NO_CAPABILITIES ? 'none' : capabilityNames(ambient).join(' ')}`,
    `bounding set: ${taken.length === 0 ? 'all' : bounding === NO_CAPABILITIES ? 'none' : `all but ${taken.join(' ')}`}`,
    `umask ${octal(plan.umask)}`,
  ];
}

function environmentWords(plan: LaunchPlan): string[] {
  return [
    plan.inheritEnvironment
      ? "begins with the launcher's own"
      : plan.passEnvironment.length === 0
        ? 'begins empty'
        : `begins with these of the launcher's own: ${plan.passEnvironment.join(' ')}`,
    ...plan.environment,
    ...(plan.unsetEnvironment.length === 0 ? [] : [`without ${plan.unsetEnvironment.join(' ')}`]),
    ...(plan.workingDirectory === undefined
      ? []
      : [`starts in ${plan.workingDirectory}${plan.workingDirectoryOptional ? ', if it is there' : ''}`]),
  ];
}

function commandWords(plan: LaunchPlan): string[] {
  const who = { user: 'as the user', root: 'as root', outside: 'as root, outside of the mount namespace' } as const;
  return plan.commands === undefined
    ? ['that of the command line, as the user']
    : plan.commands.map(command => {
        const failure = command.ignoreFailure ? ', its failure is ignored' : '';
        const own = command.arguments[0] === command.path ? '' : `${command.path} as `;
        return `${own}${command.arguments.map(shown).join(' ')} (${who[command.as]}${failure})`;
      });
}

/** As a shell would have to be given it. */
function shown(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function octal(mode: number | undefined): string {
  return (mode ?? 0).toString(8).padStart(4, '0');
}

function listed(text: string): string {
  return text === '' ? '' : ` (${text})`;
}

function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, character => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** Breaks at white space if there is some, and indents further lines more. */
function wrap(text: string): string[] {
  const lines: string[] = [];
  let rest = text;
  let indent = INDENT;
  while (rest !== '') {
    const room = COLUMNS_MAX - indent.length;
    const space = rest.lastIndexOf(' ', room);
    const end = rest.length <= room ? rest.length : space > 0 ? space : room;
    lines.push(indent + rest.slice(0, end));
    rest = rest.slice(end).replace(/^ +/, '');
    indent = INDENT + INDENT;
  }
  return lines;
}
