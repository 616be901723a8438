/** A plan in words, for people who want to know what a launch does. Pure. */

import type { LaunchPlan, MountFlag, MountOp, Stream } from '../../api/generated/io-dynuser-allocator.ts';
import { COLUMNS_MAX } from '../limits.ts';
import { DIRECTORY_PROPERTIES } from '../properties/directories.ts';
import { setProperties } from '../properties/table.ts';
import { ALL_CAPABILITIES, capabilityNames, NO_CAPABILITIES } from '../syntax/capabilities.ts';
import { INFINITE } from '../syntax/quantities.ts';
import type { Acquired, ResolvedLaunch } from './request.ts';
import { runtimeWords } from './runtime.ts';
import { untrustedWords } from './sources.ts';

const INDENT = '  ';
const FLAG_WORDS: Readonly<Record<MountFlag, string>> = {
  readOnly: 'read-only',
  noSuid: 'nosuid',
  noDevices: 'nodev',
  noExec: 'noexec',
  noAtime: 'noatime',
  strictAtime: 'strictatime',
  noDiratime: 'nodiratime',
};

/** @returns lines of at most COLUMNS_MAX columns */
export function explainPlan(resolved: ResolvedLaunch, acquired: Acquired, plan: LaunchPlan): string[] {
  const sections: readonly (readonly [string, readonly string[]])[] = [
    ['Conditions', [...resolved.conditions, ...(resolved.skipped === undefined ? [] : [resolved.skipped])]],
    ['User', userWords(resolved, acquired, plan)],
    ['Directories', directoryWords(resolved, plan)],
    ['Set by --untrusted', resolved.untrusted ? untrustedWords(resolved.fields) : []],
    ['Implied by DynamicUser=', impliedWords(resolved)],
    ['Namespaces', namespaceWords(resolved, plan)],
    ['Files, by Landlock', accessWords(plan)],
    ['Packets', packetWords(resolved)],
    ['Privileges', privilegeWords(plan)],
    ['Resources', resourceWords(plan)],
    ['Environment', environmentWords(plan)],
    ['Streams', streamWords(plan)],
    ['Credentials', credentialWords(plan)],
    ['Commands', commandWords(plan)],
    ['Ended', resolved.runtime === undefined ? [] : [runtimeWords(resolved.runtime)]],
    ['Left to the supervisor', resolved.left.length === 0 ? [] : [resolved.left.map(name => `${name}=`).join(', ')]],
    ['Not supported', resolved.refused],
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
    ...resolved.configurationDirectories.map(
      ({ path, readOnly }) => `${path}: configuration, root's${readOnly ? ', read-only' : ''}`,
    ),
  ];
}

function impliedWords({ settings, given, leftOut }: ResolvedLaunch): string[] {
  return setProperties(settings).flatMap(({ name, value, isOn, row: { implied, meaning } }) => {
    if (implied === undefined || meaning === undefined) {
      return [];
    }
    const origin = given.includes(name) ? 'by name' : settings.DynamicUser ? 'implied' : 'not implied';
    if (leftOut.includes(name)) {
      return `${name}=${value}, ${origin}: left out, since no mounts can be made`;
    }
    return isOn
      ? `${name}=${value}, ${origin}: ${meaning}; ${name}=no turns it off`
      : `${name}=no, ${origin}: off; ${name}=${name === 'ProtectSystem' ? 'strict' : 'yes'} turns it on`;
  });
}

function namespaceWords(resolved: ResolvedLaunch, plan: LaunchPlan): string[] {
  const { settings, leftOut, images } = resolved;
  const placed = new Set(plan.mountOps.filter(op => op.kind === 'attach').map(op => op.slot));
  return [
    ...(plan.root === undefined ? [] : [`its root is ${resolved.images.rootImage ?? plan.root}`]),
    plan.mountNamespace ? 'a mount namespace' : 'no mount namespace: the mounts are those of the host',
    ...setProperties(settings)
      .filter(
        ({ name, isOn, row }) =>
          row.meaning !== undefined && row.implied === undefined && isOn && !leftOut.includes(name),
      )
      .map(({ name, value, row }) => `${value === '' ? name : `${name}=${value}`}: ${row.meaning}`),
    ...images.words,
    ...plan.mountOps.map(op => opWords(op, placed)),
  ];
}

function opWords(op: MountOp, placed: ReadonlySet<number | undefined>): string {
  const { path, slot, options = [], set = [] } = op;
  const details = [...options, ...(set.length === 0 ? [] : [flagWords(set)])].join(', ');
  const inBrackets = details === '' ? '' : ` (${details})`;
  const unless = op.unlessMounted === true ? ', unless something is mounted there' : '';
  const where = `${path}${op.optional === true ? ', if it is there' : unless}`;
  switch (op.kind) {
    case 'mkdir':
      return `make ${path}, mode ${octal(op.mode)}`;
    case 'clone':
      if (op.detach === true && !placed.has(slot)) {
        return `take away what is mounted at ${where}`;
      }
      if (op.node !== undefined) {
        return `a device like ${path} in #${op.node}, or keep #${slot}: ${where}`;
      }
      return `keep #${slot}: ${where}${op.detach === true ? ', taken away' : ''}${inBrackets}`;
    case 'mount':
      return `keep #${slot}: a new ${op.type} for ${where}${inBrackets}`;
    case 'tmpfs': {
      const what = op.scratch === undefined ? 'an empty file system' : `the part ${op.scratch} of an empty file system`;
      return `${what} at ${where}, mode ${octal(op.mode)}${inBrackets}`;
    }
    case 'remount':
      return `${where}${op.nonRecursive === true ? '' : ' and all below it'} ${changeWords(op)}`;
    case 'attach':
      return `put #${slot} at ${path}${unless}`;
    case 'symlink':
      return `link ${path} to ${op.target}`;
    case 'credentials':
      return `put the credentials at ${path}, read-only, for the user alone`;
    case 'append':
      return `add to ${where}: ${(op.text ?? '').trimEnd().replaceAll('\n', ', ')}`;
    case 'mask':
      return `hide ${where}`;
  }
}

function changeWords({ set = [], clear = [] }: MountOp): string {
  return [
    ...(set.length === 0 ? [] : [`becomes ${flagWords(set)}`]),
    ...(clear.length === 0 ? [] : [`is no longer ${flagWords(clear)}`]),
  ].join(', ');
}

function flagWords(flags: readonly MountFlag[]): string {
  return flags.map(flag => FLAG_WORDS[flag]).join(', ');
}

function accessWords({ accessRules = [] }: LaunchPlan): string[] {
  return accessRules.map(({ path, rights }) => `${rights.includes('write') ? 'all' : 'read'} at and below ${path}`);
}

function packetWords({ packetRules: { denied = [], interfaces } = { denied: [] } }: ResolvedLaunch): string[] {
  const names = interfaces?.names.join(', ') || 'none';
  return [
    ...(denied.length === 0 ? [] : [`dropped, by the UID: to and from ${denied.join(', ')}`]),
    ...(interfaces === undefined
      ? []
      : [`dropped, by the UID: those of ${interfaces.denied ? names : `all interfaces but ${names}`}`]),
  ];
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

function resourceWords(plan: LaunchPlan): string[] {
  const bound = (number: string): string => (BigInt(number) === INFINITE ? 'infinity' : number);
  const words: readonly (readonly [string, string | number | undefined])[] = [
    ['nice value', plan.priority === undefined ? undefined : 20 - plan.priority],
    ['OOM score adjustment', plan.oomScoreAdjust],
    ['CPU scheduling policy', plan.cpuPolicy],
    ['CPU scheduling priority', plan.cpuPriority],
    ['processors', plan.cpuAffinity?.join(' ')],
    ['I/O scheduling class', plan.ioClass],
    ['I/O scheduling priority', plan.ioLevel],
    ['NUMA policy', plan.numaPolicy],
    ['NUMA nodes', plan.numaNodes?.join(' ')],
    ['timer slack, in nanoseconds', plan.timerSlack],
    ['core dumps have', plan.coredumpFilter],
    ['personality', plan.personality],
    ['merging of equal pages', plan.memoryMerge],
  ];
  return [
    ...(plan.limits ?? []).map(
      ({ resource, soft, hard }) => `limit ${resource}: ${bound(soft)}, at most ${bound(hard)}`,
    ),
    ...words.flatMap(([name, text]) => (text === undefined ? [] : `${name}: ${text}`)),
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

function credentialWords({ credentials = [] }: LaunchPlan): string[] {
  return credentials.map(({ kind, name, path, as, prefix, encrypted }) => {
    const stored = `${name}${prefix === true ? '*' : ''} of the stores${as === undefined ? '' : `, as ${as}`}`;
    const what = { load: `${name}: ${path}`, stored, import: stored, set: `${name}: of the unit file` }[kind];
    return `${what}${encrypted === true ? ', decrypted' : ''}`;
  });
}

const STREAM_NAMES = ['standard input', 'standard output', 'standard error'] as const;

function streamWords({ streams = [], terminal }: LaunchPlan): string[] {
  return [
    ...streams.map(stream => `${STREAM_NAMES[stream.number]}: ${targetWords(stream)}`),
    ...(terminal === undefined ? [] : [`the terminal ${terminal.path} is prepared before each command`]),
  ];
}

function targetWords({ kind, path, access, append, truncate, name, from = 0, data = '' }: Stream): string {
  const how = append === true ? ', at its end' : truncate === true ? ', emptied' : access === 'read' ? ', read' : '';
  switch (kind) {
    case 'null':
      return 'none, /dev/null';
    case 'file':
      return `the file ${path}${how}`;
    case 'data':
      return `${Buffer.from(data, 'base64').length} bytes of the unit file`;
    case 'terminal':
      return `the terminal ${path}`;
    case 'socket':
      return 'the socket that is passed';
    case 'named':
      return `the descriptor ${name} that is passed`;
    case 'journal':
      return "systemd's journal if there is one, else the launcher's own";
    case 'copy':
      return `the same as ${STREAM_NAMES[from]}`;
  }
}

function commandWords(plan: LaunchPlan): string[] {
  const who = { user: 'as the user', root: 'as root', outside: 'as root, outside of the mount namespace' } as const;
  if (plan.commands === undefined && plan.phase === undefined) {
    return ['that of the command line, as the user'];
  }
  return [
    ...(plan.commands ?? []).map(command => {
      const failure = command.ignoreFailure ? ', its failure is ignored' : '';
      const condition = command.condition === true ? ', if it fails the service is skipped' : '';
      const own = command.arguments[0] === command.path ? '' : `${command.path} as `;
      return `${own}${command.arguments.map(shown).join(' ')} (${who[command.as]}${failure}${condition})`;
    }),
    ...mainWords(plan.main),
  ];
}

/** What becomes of the process of the service. */
function mainWords(main: LaunchPlan['main']): string[] {
  if (main?.stopSignal === undefined) {
    return main?.reloadSignal === undefined ? [] : [`signal ${main.reloadSignal} to process ${main.pid} comes first`];
  }
  const last = main.finalSignal === undefined ? '' : `, and signal ${main.finalSignal} after ${main.seconds} s`;
  return [`then signal ${main.stopSignal} to process ${main.pid}${main.seconds === undefined ? '' : last}`];
}

/** As a shell would have to be given it. */
function shown(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function octal(mode: number | undefined): string {
  return (mode ?? 0).toString(8).padStart(4, '0');
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
