/** The first stage of a launch: from a request, and what the launcher saw of its host, to its settings. Pure. */
import type { LaunchAnswer, LaunchQuestion } from '../../api/generated/io-dynuser-allocator.ts';
import { DIRECTORY_KINDS, type DirectoryKind } from '../../core/directory.ts';
import { DynuserError } from '../../core/errors.ts';
import { checkLimit, failFor, quote } from '../errors.ts';
import { COMMANDS_MAX, VARIABLES_MAX } from '../limits.ts';
import { JOURNAL_SOCKET, KERNEL_MEMORY } from '../namespace/devices.ts';
import { DIRECTORY_PROPERTIES } from '../properties/directories.ts';
import { readVariable } from '../properties/environment.ts';
import { selectSupported } from '../properties/supported.ts';
import {
  type ExecSettings,
  givenNames,
  type ParsedProperties,
  parseProperties,
  settingsOf,
} from '../properties/table.ts';
import type { CommandLine } from '../syntax/command-line.ts';
import { Specifiers } from '../syntax/specifiers.ts';
import { type AccountPlaces, accountPlaces } from './account.ts';
import { readEnvironmentFiles } from './environment-files.ts';
import { decideIsolation } from './isolation.ts';
import { Questions } from './questions.ts';
import type { EnvironmentSources, HostFindings, LaunchRequest, ResolvedLaunch } from './request.ts';
import { collectAssignments } from './sources.ts';
import { UNTRUSTED_VARIABLES } from './untrusted.ts';

/**
 * Reads a request. If it needs files of the launcher's host that no answer has, it returns questions; then it is called
 * again with all answers so far. It asks in at most four rounds: unit file and drop-in directories,
 * drop-ins, what these name, and the matches of wildcards.
 * @throws DynuserError LaunchFailed, LimitReached, NotPermitted
 */
export function resolveLaunch(
  request: LaunchRequest,
  answers: readonly LaunchAnswer[],
): { readonly questions: readonly LaunchQuestion[] } | { readonly resolved: ResolvedLaunch } {
  const questions = new Questions(answers);
  try {
    const resolved = resolve(request, questions);
    return questions.open.length > 0 ? { questions: questions.open } : { resolved };
  } catch (error) {
    // What is wrong may be so only because something is not known yet.
    if (error instanceof DynuserError && error.code === 'LaunchFailed' && questions.open.length > 0) {
      return { questions: questions.open };
    }
    throw error;
  }
}

function resolve(request: LaunchRequest, questions: Questions): ResolvedLaunch {
  const warnings = new Set<string>();
  const warn = (text: string) => void warnings.add(text);
  const { assignments, unit } = collectAssignments(request, questions, warn);
  const supported = selectSupported(assignments, { ignoreUnknown: request.ignoreUnknown, warn });
  const parsed = parseProperties(supported, new Specifiers(unit, request.unitFile, questions));
  const { given, fields } = parsed;
  if (given.RuntimeDirectoryPreserve === 'restart') {
    warn('RuntimeDirectoryPreserve=restart: no launch knows that it is the last, so the directories are kept');
  }
  const dynamic = given.DynamicUser ?? request.unitFile === undefined;
  const settings = settingsOf(parsed, dynamic);
  const commands = commandsOf(parsed, request);
  if (request.untrusted) {
    checkUntrusted(settings, commands ?? []);
  }
  const places = accountPlaces(given, dynamic, commands ?? [], questions);
  const workingDirectory = workingDirectoryOf(settings, places);
  const privateKinds = dynamic ? DIRECTORY_KINDS.filter(kind => isPrivate(kind, settings)) : [];
  const environment = environmentOf(settings, request, questions, warn);
  const unitName = request.unit ?? unit?.name;
  return {
    ...(unitName === undefined ? {} : { unit: unitName }),
    ...(settings.User === undefined ? {} : { userName: settings.User }),
    ...(settings.Group === undefined || settings.Group === settings.User ? {} : { group: settings.Group }),
    dynamicUser: dynamic,
    untrusted: request.untrusted,
    directories: byKind(kind => settings[DIRECTORY_PROPERTIES[kind]]),
    modes: byKind(kind => settings[`${DIRECTORY_PROPERTIES[kind]}Mode`]),
    runtimePreserve: settings.RuntimeDirectoryPreserve !== 'no',
    privateKinds,
    configurationDirectories: [...new Set(settings.ConfigurationDirectory)].sort().map(path => `/etc/${path}`),
    removeIPC: settings.RemoveIPC,
    ...decideIsolation(settings, privateKinds.length > 0, request, fields),
    fields,
    warnings: [...warnings],
    given: givenNames(parsed),
    settings,
    ...(workingDirectory === undefined ? {} : { workingDirectory }),
    environment: { ...environment, ...places },
    host: findingsOf(settings, questions),
    ...(commands === undefined ? {} : { commands }),
  };
}

/** @returns the values that are not undefined */
function byKind<Value>(read: (kind: DirectoryKind) => Value): Record<DirectoryKind, Exclude<Value, undefined>> {
  const entries = DIRECTORY_KINDS.map(kind => [kind, read(kind)]).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries);
}

/** Nothing that the preset takes away would be out of root's reach. */
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

function workingDirectoryOf(
  { WorkingDirectory, DynamicUser }: ExecSettings,
  { home }: AccountPlaces,
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

function isPrivate(kind: DirectoryKind, settings: ExecSettings): boolean {
  return (
    settings[DIRECTORY_PROPERTIES[kind]].length > 0 &&
    (kind !== 'runtime' || settings.RuntimeDirectoryPreserve !== 'no')
  );
}

function findingsOf({ BindPaths, PrivateDevices }: ExecSettings, questions: Questions): HostFindings {
  const sources = BindPaths.map(({ source }) => source);
  return {
    bindDirectories: sources.filter(source => questions.directory(source) !== undefined),
    hasJournal: PrivateDevices && questions.glob(JOURNAL_SOCKET) !== undefined,
    hasKernelMemory: PrivateDevices && questions.glob(KERNEL_MEMORY) !== undefined,
  };
}

function environmentOf(
  settings: ExecSettings,
  request: LaunchRequest,
  questions: Questions,
  warn: (text: string) => void,
): EnvironmentSources {
  const ownCommand = request.unitFile === undefined;
  const inherit = request.inheritEnvironment ?? (ownCommand && !request.untrusted);
  const passes = request.untrusted && ownCommand && request.inheritEnvironment === undefined;
  const [passed] = settings.PassEnvironment;
  if (passed !== undefined && !inherit) {
    failFor('PassEnvironment')(
      `the service does not begin with the launcher's environment; give ${passed} with --setenv=`,
    );
  }
  for (const text of request.setEnvironment) {
    readVariable(text, failFor('setEnvironment'));
  }
  const files = readEnvironmentFiles(settings.EnvironmentFile, questions, warn);
  const assignments = [...settings.Environment, ...files, ...request.setEnvironment];
  checkLimit(assignments.length, VARIABLES_MAX, 'variables', 'setEnvironment');
  return {
    inherit,
    pass: passes ? UNTRUSTED_VARIABLES : [],
    // systemd 257: SetLoginEnvironment= is on with a user other than the manager's own.
    login: settings.SetLoginEnvironment ?? (settings.DynamicUser || settings.User !== undefined),
    assignments,
    unset: settings.UnsetEnvironment,
  };
}

function commandsOf({ given, fields }: ParsedProperties, request: LaunchRequest): CommandLine[] | undefined {
  const { Type, ExecStart = [], ExecStartPre = [] } = given;
  if (Type === 'forking') {
    failFor(fields.get('Type') ?? 'Type')(
      '"forking" cannot be launched: the service is the process itself; let it stay in the foreground',
    );
  }
  if (request.unitFile === undefined) {
    const name = ExecStart.length > 0 ? 'ExecStart' : ExecStartPre.length > 0 ? 'ExecStartPre' : undefined;
    return name === undefined
      ? undefined
      : failFor(name)('without a unit file the command is that of the command line; leave it out');
  }
  const fail = failFor(`${request.unitFile}: ExecStart`);
  if (ExecStart.length === 0) {
    fail('the unit file has no command to start; add one');
  }
  if (ExecStart.length > 1 && Type !== 'oneshot') {
    fail(`${ExecStart.length} commands; only a service of Type=oneshot may have more than one`);
  }
  checkLimit(ExecStart.length + ExecStartPre.length, COMMANDS_MAX, 'commands', 'ExecStart');
  return [...ExecStartPre, ...ExecStart];
}
