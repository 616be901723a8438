/** The first stage of a launch: from a request, and what the launcher saw of its host, to its settings. Pure. */
import type { LaunchAnswer, LaunchQuestion } from '../../api/generated/io-dynuser-allocator.ts';
import { DIRECTORY_KINDS, type DirectoryKind } from '../../core/directory.ts';
import { DynuserError } from '../../core/errors.ts';
import { JOURNAL_SOCKET, KERNEL_MEMORY } from '../../core/usual-questions.ts';
import { defined } from '../defined.ts';
import { checkLimit, failFor, quote } from '../errors.ts';
import { planImages } from '../images/plan-images.ts';
import { hasMusl, hostTree } from '../images/trees.ts';
import { COMMANDS_MAX, LAUNCH_KEPT_CHARACTERS_MAX, LAUNCHES_KEPT_MAX, VARIABLES_MAX } from '../limits.ts';
import { HostDevices } from '../namespace/allowed-devices.ts';
import { devicePolicyOf, UNIFIED_GROUPS } from '../namespace/devices.ts';
import {
  type ConfigurationDirectory,
  DIRECTORY_PROPERTIES,
  isReadOnlyDirectory,
  QUOTA_KINDS,
} from '../properties/directories.ts';
import { readVariable } from '../properties/environment.ts';
import {
  type ExecSettings,
  givenNames,
  type ParsedProperties,
  parseProperties,
  settingsOf,
} from '../properties/table.ts';
import { selectSupported } from '../properties/unsupported-properties.ts';
import { type Login, loginInFile } from '../syntax/account-files.ts';
import { ADMIN_CAPABILITY } from '../syntax/capabilities.ts';
import type { CommandLine } from '../syntax/command-line.ts';
import { INFINITE } from '../syntax/quantities.ts';
import { Specifiers } from '../syntax/specifiers.ts';
import { escapeUnitName } from '../syntax/unit-name.ts';
import { decideAccess } from './access-rules.ts';
import { decideOverlay } from './account-overlay.ts';
import { judgeConditions } from './conditions.ts';
import { readEnvironmentFiles } from './environment.ts';
import { decideIsolation } from './isolation.ts';
import { Kept } from './kept.ts';
import { networkLimits } from './network.ts';
import { PHASE_PROPERTIES, phaseVariables } from './phases.ts';
import { Questions } from './questions.ts';
import type { AccountOverlay, EnvironmentSources, HostFindings, LaunchRequest, ResolvedLaunch } from './request.ts';
import { planRuntime } from './runtime.ts';
import { collectAssignments, UNTRUSTED_VARIABLES } from './sources.ts';

/** Most services are started more than once, and a hardened unit takes as long to read as to plan. */
const kept = new Kept<ResolvedLaunch>(LAUNCHES_KEPT_MAX);

/**
 * Reads a request. If it needs files of the launcher's host that no answer has, it returns questions; then it is called
 * again with all answers so far. It asks in four rounds: unit file and drop-in directories,
 * drop-ins, what these name, and the matches of wildcards; and in two more what is in disk images, and in files of those.
 * @throws DynuserError LaunchFailed, LimitReached, NotPermitted
 */
export function resolveLaunch(
  request: LaunchRequest,
  answers: readonly LaunchAnswer[],
): { readonly questions: readonly LaunchQuestion[] } | { readonly resolved: ResolvedLaunch } {
  const key = JSON.stringify({ ...request, answers });
  const known = kept.get(key);
  if (known !== undefined) {
    return { resolved: known };
  }
  const questions = new Questions(answers);
  try {
    const resolved = resolve(request, questions);
    if (questions.open.length > 0) {
      return { questions: questions.open };
    }
    questions.keep();
    return { resolved: key.length > LAUNCH_KEPT_CHARACTERS_MAX ? resolved : kept.keep(key, resolved) };
  } catch (error) {
    // The error may be due to something that is not known yet.
    if (error instanceof DynuserError && error.code === 'LaunchFailed' && questions.open.length > 0) {
      return { questions: questions.open };
    }
    throw error;
  }
}

function resolve(request: LaunchRequest, questions: Questions): ResolvedLaunch {
  const { untrusted = false, ignoreUnknown = false, isJudged = false } = request;
  checkPhase(request);
  const warnings = new Set<string>();
  const warn = (text: string) => void warnings.add(text);
  const { assignments, conditions, unit } = collectAssignments(request, questions, warn);
  const { carriedOut, left, refused } = selectSupported(assignments, { ignoreUnknown, isJudged, warn });
  const specifiers = new Specifiers(unit, request.unitFile, questions);
  const parsed = parseProperties(carriedOut, specifiers, warn);
  const { given, fields } = parsed;
  if (given.RuntimeDirectoryPreserve === 'restart') {
    warn('RuntimeDirectoryPreserve=restart: no launch knows that it is the last, so the directories are kept');
  }
  const dynamic = given.DynamicUser ?? request.unitFile === undefined;
  const ownSettings = withHostsGroups(settingsOf(parsed, dynamic), questions);
  const images = planImages(ownSettings, fields, questions, request);
  // An image is one more directory that becomes the root, once it is mounted.
  const { root } = images.planned;
  const settings = root === undefined ? ownSettings : { ...ownSettings, RootDirectory: root };
  const commands = commandsOf(parsed, request);
  warnOfPhases(parsed, request, warn);
  if (untrusted) {
    checkUntrusted(settings, commands ?? []);
  }
  checkRoot(
    settings,
    request.phase === undefined ? [...(given.ExecCondition ?? []), ...(given.ExecStartPre ?? [])] : (commands ?? []),
    fields,
  );
  const found = placesOf(given, dynamic, commands ?? [], questions);
  const places = isJudged && !dynamic ? { home: '/', shell: '/bin/sh', ...found } : found;
  const workingDirectory = workingDirectoryOf(settings, places);
  const runtimePreserve = settings.RuntimeDirectoryPreserve !== 'no';
  const privateKinds = DIRECTORY_KINDS.filter(
    kind => dynamic && settings[DIRECTORY_PROPERTIES[kind]].length > 0 && (kind !== 'runtime' || runtimePreserve),
  );
  const readOnly = readOnlyNames(settings);
  const environment = environmentOf(settings, request, questions, warn);
  const overlay = decideOverlay(settings, images.tree, commands, request, questions);
  const host = findingsOf(settings, overlay, questions, images.planned.rootHasMusl);
  warnOfDevices(settings, host, warn);
  warnOfQuotas(settings, warn);
  const runtime = planRuntime(settings, request.phase, warn);
  const { words, skipped } = judgeConditions(
    request.phase === undefined ? conditions : [],
    specifiers,
    questions,
    warn,
    isJudged,
  );
  return {
    conditions: words,
    left,
    refused,
    ...defined({
      skipped,
      unit: request.unit === undefined ? unit?.name : escapeUnitName(request.unit),
      userName: settings.User,
      group: settings.Group === settings.User ? undefined : settings.Group,
      phase: request.phase,
      runtime,
      workingDirectory,
      commands,
    }),
    dynamicUser: dynamic,
    untrusted,
    phaseVariables: phaseVariables(request, settings),
    directories: byKind(kind => settings[DIRECTORY_PROPERTIES[kind]]),
    modes: byKind(kind => settings[`${DIRECTORY_PROPERTIES[kind]}Mode`]),
    quotas: quotasOf(settings),
    runtimePreserve,
    privateKinds,
    configurationDirectories: configurationOf(settings),
    removeIPC: settings.RemoveIPC,
    ...decideIsolation(
      settings,
      { hasPrivate: privateKinds.length > 0, readOnly, overlay, access: decideAccess(settings, request, questions) },
      request,
      fields,
    ),
    fields,
    ...networkLimits(settings, fields),
    warnings: [...warnings],
    given: givenNames(parsed),
    settings,
    environment: { ...environment, ...places },
    host,
    images: images.planned,
  };
}

/** As systemd has it: if the host has no unified tree of control groups, there is no namespace of them. */
function withHostsGroups(settings: ExecSettings, questions: Questions): ExecSettings {
  const { ProtectControlGroups } = settings;
  if (['no', 'yes'].includes(ProtectControlGroups) || questions.glob(UNIFIED_GROUPS) !== undefined) {
    return settings;
  }
  return { ...settings, ProtectControlGroups: ProtectControlGroups === 'strict' ? 'yes' : 'no' };
}

/** @returns the properties that a launch is refused for because they are not supported, in words */
export function unsupportedIn(request: LaunchRequest, questions: Questions): readonly string[] {
  const silent = { ignoreUnknown: false, isJudged: true, warn: () => {} };
  return selectSupported(collectAssignments(request, questions, silent.warn).assignments, silent).refused;
}

/** @returns the values that are not undefined */
function byKind<Value>(read: (kind: DirectoryKind) => Value): Record<DirectoryKind, Exclude<Value, undefined>> {
  const entries = DIRECTORY_KINDS.map(kind => [kind, read(kind)]).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries);
}

/** "off" ends a bound that an earlier launch had, if the space is counted still. */
function quotasOf(settings: ExecSettings): ResolvedLaunch['quotas'] {
  const entries = QUOTA_KINDS.flatMap(kind => {
    const name = DIRECTORY_PROPERTIES[kind];
    const quota = settings[`${name}Quota`];
    const counted = settings[`${name}Accounting`] ? ({ kind: 'counted' } as const) : undefined;
    const chosen = quota === undefined || quota === 'off' ? counted : quota;
    return chosen === undefined ? [] : [[kind, chosen] as const];
  });
  return Object.fromEntries(entries);
}

/** The owner of a file may change its project, but not from within a user namespace (ioctl_fsxsetattr(2)). */
function warnOfQuotas(settings: ExecSettings, warn: (text: string) => void): void {
  const bounded = QUOTA_KINDS.map(kind => `${DIRECTORY_PROPERTIES[kind]}Quota` as const).find(
    name => settings[name] !== undefined && settings[name] !== 'off',
  );
  if (bounded !== undefined && settings.PrivateUsers === 'no') {
    warn(`${bounded}=: the service can take its files out of the quota; PrivateUsers=yes keeps it from that`);
  }
}

/** Each once, by their absolute paths; read-only if one of several says so. */
function configurationOf({ ConfigurationDirectory }: ExecSettings): ConfigurationDirectory[] {
  const paths = [...new Set(ConfigurationDirectory.map(({ path }) => path))].sort();
  return paths.map(path => ({
    path: `/etc/${path}`,
    readOnly: ConfigurationDirectory.some(one => one.path === path && one.readOnly),
  }));
}

/** @returns the properties that have a directory with the flag "ro" */
function readOnlyNames(settings: ExecSettings): string[] {
  const ofKinds = DIRECTORY_KINDS.map(kind => DIRECTORY_PROPERTIES[kind]);
  return [
    ...ofKinds.filter(name => settings[name].some(isReadOnlyDirectory)),
    ...(settings.ConfigurationDirectory.some(({ readOnly }) => readOnly) ? ['ConfigurationDirectory'] : []),
  ];
}

/** All commands of a launch have one root directory, but for those that are outside of it. */
function checkRoot(
  { RootDirectory, RootDirectoryStartOnly }: ExecSettings,
  others: readonly CommandLine[],
  fields: ParsedProperties['fields'],
): void {
  const inside = others.find(({ as }) => as !== 'outside');
  if (RootDirectory !== undefined && RootDirectoryStartOnly && inside !== undefined) {
    failFor(fields.get('RootDirectoryStartOnly') ?? 'RootDirectoryStartOnly')(
      `${quote(inside.path)} would need another root directory than the service; put "+" before it, which runs it outside`,
    );
  }
}

/** Root could take back all that the preset takes away. */
function checkUntrusted({ DynamicUser, User }: ExecSettings, commands: readonly CommandLine[]): void {
  const fail = failFor('untrusted');
  if (!DynamicUser && (User === undefined || User === 'root' || User === '0')) {
    fail('the program would be root; leave DynamicUser=no out, or name a user');
  }
  const privileged = commands.find(command => command.as !== 'user');
  if (privileged !== undefined) {
    fail(`${quote(privileged.path)} would run as root; take its prefix "+" or "!" away`);
  }
}

/** What /etc/passwd has of a static user, if "~", $HOME or $SHELL needs it: a dynamic one has no home and no shell. */
function placesOf(
  { User, WorkingDirectory }: ParsedProperties['given'],
  dynamic: boolean,
  commands: readonly CommandLine[],
  questions: Questions,
): Partial<Login> {
  const words = commands.flatMap(command => (command.expands ? command.words : []));
  const needs = WorkingDirectory?.path === '~' || words.some(word => /\$\{?(?:HOME|SHELL)\b/.test(word));
  if (dynamic || !needs) {
    return {};
  }
  const { home = '', shell = '' } = loginInFile(questions.file('/etc/passwd') ?? '', User ?? 'root') ?? {};
  return { ...(home.startsWith('/') ? { home } : {}), ...(shell.startsWith('/') ? { shell } : {}) };
}

function workingDirectoryOf(
  { WorkingDirectory, DynamicUser }: ExecSettings,
  { home }: Partial<Login>,
): string | undefined {
  if (WorkingDirectory?.path !== '~') {
    return WorkingDirectory?.path;
  }
  const fail = failFor('WorkingDirectory');
  if (DynamicUser) {
    fail('"~" is the home of the user, and a dynamic user has none; name a directory');
  }
  return home ?? fail('"~" is the home of the user, which /etc/passwd does not have; name a directory');
}

function findingsOf(
  settings: ExecSettings,
  accountOverlay: AccountOverlay | undefined,
  questions: Questions,
  imageHasMusl: boolean | undefined,
): HostFindings {
  const { BindPaths, DeviceAllow, RootDirectory } = settings;
  const sources = BindPaths.map(({ source }) => source);
  const hasOwnDevices = devicePolicyOf(settings) !== 'all';
  const hasClocks = hasOwnDevices && !settings.PrivateDevices && settings.ProtectClock;
  const asks = DeviceAllow.length > 0 || hasClocks;
  return {
    bindDirectories: sources.filter(source => questions.directory(source) !== undefined),
    devices: {
      listing: (asks && questions.devices('/dev')) || [],
      groups: (asks && questions.file('/proc/devices')) || '',
    },
    hasJournal: hasOwnDevices && questions.glob(JOURNAL_SOCKET) !== undefined,
    hasKernelMemory: hasOwnDevices && questions.glob(KERNEL_MEMORY) !== undefined,
    rootHasMusl:
      imageHasMusl ??
      (RootDirectory !== undefined && settings.DynamicUser && hasMusl(hostTree(RootDirectory, questions))),
    ...defined({ accountOverlay }),
  };
}

/** Warns if DeviceAllow= and DevicePolicy= do less than they say. */
function warnOfDevices(settings: ExecSettings, { devices }: HostFindings, warn: (text: string) => void): void {
  const { DeviceAllow, DynamicUser, User = 'root', CapabilityBoundingSet, AmbientCapabilities } = settings;
  if (DeviceAllow.length > 0 && settings.PrivateDevices) {
    warn('DeviceAllow=: PrivateDevices= shows none of these devices; leave it out to have them');
  } else if (DeviceAllow.length > 0) {
    for (const specifier of new HostDevices(devices).allowed(DeviceAllow).missing) {
      warn(`DeviceAllow=: ${quote(specifier)} is ignored: this host has no such device`);
    }
  }
  const isRoot = !DynamicUser && ['root', '0'].includes(User);
  const holds = (isRoot ? CapabilityBoundingSet : AmbientCapabilities & CapabilityBoundingSet) & ADMIN_CAPABILITY;
  if (holds !== 0n && (DeviceAllow.length > 0 || settings.DevicePolicy !== 'auto')) {
    warn('DevicePolicy=: a service that has CAP_SYS_ADMIN can mount all devices; CapabilityBoundingSet= takes it away');
  }
}

function environmentOf(
  settings: ExecSettings,
  request: LaunchRequest,
  questions: Questions,
  warn: (text: string) => void,
): EnvironmentSources {
  const { untrusted = false, inheritEnvironment, setEnvironment = [] } = request;
  const ownCommand = request.unitFile === undefined;
  const inherit = inheritEnvironment ?? (ownCommand && !untrusted);
  const passes = untrusted && ownCommand && inheritEnvironment === undefined;
  for (const text of setEnvironment) {
    readVariable(text, failFor('setEnvironment'));
  }
  const { isJudged = false } = request;
  const named = settings.EnvironmentFile.map(file => (isJudged ? { ...file, optional: true } : file));
  const files = readEnvironmentFiles(named, questions, warn);
  const assignments = [...settings.Environment, ...files, ...setEnvironment];
  checkLimit(assignments.length, VARIABLES_MAX, 'variables', 'setEnvironment');
  return {
    inherit,
    pass: [
      ...(passes ? UNTRUSTED_VARIABLES : []),
      ...(inherit ? [] : [...settings.PassEnvironment, ...notifyVariables(settings)]),
    ],
    // systemd 257: SetLoginEnvironment= is on with a user other than the manager's own.
    login: settings.SetLoginEnvironment ?? (settings.DynamicUser || settings.User !== undefined),
    assignments,
    unset: settings.UnsetEnvironment,
  };
}

/** Variables from the supervisor of the launcher. The program becomes the launcher's process, which they are meant for. */
function notifyVariables({ Type, NotifyAccess = 'none', WatchdogSec = 0n }: ExecSettings): string[] {
  const isWatched = WatchdogSec > 0n && WatchdogSec !== INFINITE;
  const notifies = Type === 'notify' || Type === 'notify-reload' || NotifyAccess !== 'none' || isWatched;
  return [...(notifies ? ['NOTIFY_SOCKET'] : []), ...(isWatched ? ['WATCHDOG_USEC', 'WATCHDOG_PID'] : [])];
}

/** The properties that only a unit file may have: without one, the command is that of the command line. */
const COMMANDS_OF_FILES = ['ExecStart', 'ExecStartPre', 'ExecCondition', ...Object.values(PHASE_PROPERTIES)] as const;

function commandsOf({ given, fields }: ParsedProperties, request: LaunchRequest): CommandLine[] | undefined {
  const { Type, ExecStart = [], ExecStartPre = [], ExecCondition = [] } = given;
  if (Type === 'forking') {
    failFor(fields.get('Type') ?? 'Type')(
      '"forking" cannot be launched: the service is the process itself; let it stay in the foreground',
    );
  }
  if (request.unitFile === undefined) {
    const name = COMMANDS_OF_FILES.find(property => (given[property]?.length ?? 0) > 0);
    return name === undefined
      ? undefined
      : failFor(name)('without a unit file the command is that of the command line; leave it out');
  }
  const others = (lines: readonly CommandLine[] = []): readonly CommandLine[] =>
    given.PermissionsStartOnly === true ? lines.map(line => ({ ...line, as: 'outside' })) : lines;
  const commands =
    request.phase === undefined
      ? [
          ...others(ExecCondition).map(line => ({ ...line, isCondition: true })),
          ...others(ExecStartPre),
          ...ExecStart,
          // Its program has ended when they run.
          ...(Type === 'oneshot' ? others(given.ExecStartPost) : []),
        ]
      : [...others(given[PHASE_PROPERTIES[request.phase]])];
  checkLimit(commands.length, COMMANDS_MAX, 'commands', 'ExecStart');
  if (request.phase === undefined) {
    checkStart(ExecStart, Type, `${request.unitFile}: ExecStart`, fields);
  } else if (request.phase === 'reload' && commands.length === 0 && Type !== 'notify-reload') {
    failFor('phase')('the unit file has no ExecReload=, so its service cannot be told to reload; restart it');
  }
  return commands;
}

function checkStart(
  commands: readonly CommandLine[],
  type: ExecSettings['Type'],
  field: string,
  fields: ParsedProperties['fields'],
): void {
  if (commands.length === 0) {
    failFor(fields.get('ExecStart') ?? field)('the unit file has no command to start; add one');
  }
  if (commands.length > 1 && type !== 'oneshot') {
    failFor(field)(`${commands.length} commands; only a service of Type=oneshot may have more than one`);
  }
}

/** Warns of commands that a start does not run, with the option that runs them. */
function warnOfPhases(
  { given, fields }: ParsedProperties,
  { phase, unitFile }: LaunchRequest,
  warn: (text: string) => void,
): void {
  if (phase !== undefined || unitFile === undefined) {
    return;
  }
  const left = { ExecStartPost: '--start-post', ExecStop: '--stop', ExecStopPost: '--stop-post' } as const;
  for (const [name, option] of Object.entries(left) as [keyof typeof left, string][]) {
    if ((given[name]?.length ?? 0) > 0 && !(name === 'ExecStartPost' && given.Type === 'oneshot')) {
      warn(`${fields.get(name) ?? name}= is left to what starts the launcher: dynuser-run ${option} runs it`);
    }
  }
}

function checkPhase({ phase, unitFile, mainPid, ended }: LaunchRequest): void {
  if (phase !== undefined && unitFile === undefined) {
    failFor('phase')('the commands of a phase are those of a unit file; give --unit-file=, too');
  }
  if (mainPid !== undefined && (phase === undefined || phase === 'stopPost')) {
    failFor('mainPid')('a main process is for commands that run while the service does; leave it out');
  }
  if (ended !== undefined && phase !== 'stopPost') {
    failFor('ended')('how a service ended is for the commands that run after it; leave it out');
  }
}
