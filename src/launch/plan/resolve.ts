/** The first stage of a launch: from a request, and what the launcher saw, to what it wants of the allocator. Pure. */

import type { LaunchAnswer, LaunchQuestion } from '../../api/generated/io-dynuser-allocator.ts';
import { DIRECTORY_KINDS, type DirectoryKind } from '../../core/directory.ts';
import { DynuserError } from '../../core/errors.ts';
import { checkLimit, failFor, quote } from '../errors.ts';
import { COMMANDS_MAX, VARIABLES_MAX } from '../limits.ts';
import { JOURNAL_SOCKET, KERNEL_MEMORY } from '../namespace/devices.ts';
import { readVariable } from '../properties/environment.ts';
import type { CommandLine, ExecSettings } from '../properties/exec-settings.ts';
import { setByName, withImplied } from '../properties/implied.ts';
import { newParsedProperties, type ParsedProperties } from '../properties/parsed-properties.ts';
import { selectSupported } from '../properties/supported.ts';
import { applyAssignment } from '../properties/table.ts';
import { Specifiers } from '../syntax/specifiers.ts';
import { accountPlaces } from './account.ts';
import { readEnvironmentFiles } from './environment-files.ts';
import { decideIsolation } from './isolation.ts';
import { Questions } from './questions.ts';
import type { LaunchRequest, ResolvedLaunch } from './request.ts';
import { collectAssignments } from './sources.ts';
import { UNTRUSTED_VARIABLES } from './untrusted.ts';

/**
 * Reads a request. Where it needs to see files of the launcher's world that no answer has, these are the questions; then
 * it is called again with all answers so far. It asks in at most four rounds: unit file and drop-in directories,
 * drop-ins, what these name, and the matches of wildcards.
 * @throws DynuserError LaunchFailed, LimitReached, NotPermitted
 */
export function resolveLaunch(
  request: LaunchRequest,
  answers: readonly LaunchAnswer[],
): { readonly questions: readonly LaunchQuestion[] } | { readonly resolved: ResolvedLaunch } {
  const questions = new Questions(answers);
  try {
    const resolved = read(request, questions);
    return questions.open.length > 0 ? { questions: questions.open } : { resolved };
  } catch (error) {
    // What is wrong may be so only because something is not known yet.
    if (error instanceof DynuserError && error.code === 'LaunchFailed' && questions.open.length > 0) {
      return { questions: questions.open };
    }
    throw error;
  }
}

function read(request: LaunchRequest, questions: Questions): ResolvedLaunch {
  const warnings = new Set<string>();
  const warn = (text: string) => void warnings.add(text);
  const { assignments, unit } = collectAssignments(request, questions, warn);
  const specifiers = new Specifiers(unit, request.unitFile, questions);
  const parsed = newParsedProperties();
  for (const assignment of selectSupported(assignments, { ignoreUnknown: request.ignoreUnknown, warn })) {
    applyAssignment(parsed, assignment, specifiers);
  }
  if (parsed.runtimePreserve === 'restart') {
    warn('RuntimeDirectoryPreserve=restart: nobody says which stop is the last, so the directories are kept');
  }
  const settings = settle(parsed, request, questions, warn);
  const outcome = decideIsolation(settings, request, parsed.fields);
  const unitName = request.unit ?? unit?.name;
  return {
    ...(unitName === undefined ? {} : { unit: unitName }),
    ...(parsed.user === undefined ? {} : { userName: parsed.user }),
    ...(parsed.group === undefined || parsed.group === parsed.user ? {} : { group: parsed.group }),
    dynamicUser: settings.dynamicUser,
    untrusted: request.untrusted,
    directories: parsed.directories,
    modes: parsed.modes,
    runtimePreserve: preservesRuntime(parsed),
    configurationDirectories: settings.configuration.map(path => `/etc/${path}`),
    removeIPC: settings.removeIPC,
    ...outcome,
    fields: parsed.fields,
    warnings: [...warnings],
    settings,
  };
}

function settle(
  parsed: ParsedProperties,
  request: LaunchRequest,
  questions: Questions,
  warn: (text: string) => void,
): ExecSettings {
  const dynamic = parsed.dynamicUser ?? request.unitFile === undefined;
  const { workingDirectory, rootDirectory } = parsed;
  const commands = commandsOf(parsed, request);
  if (request.untrusted) {
    checkUntrusted(parsed, dynamic, commands ?? []);
  }
  const places = accountPlaces(parsed, dynamic, commands ?? [], questions);
  if (workingDirectory === '~' && dynamic) {
    failFor('WorkingDirectory')('"~" is the home of the user, and a dynamic user has none');
  }
  const directory =
    workingDirectory === '~'
      ? (places.home ?? failFor('WorkingDirectory')('"~" is the home of the user, and /etc/passwd has none of it'))
      : workingDirectory;
  return {
    dynamicUser: dynamic,
    byName: setByName(parsed),
    supplementaryGroups: [...new Set(parsed.supplementaryGroups)],
    configuration: [...new Set(parsed.configuration)].sort(),
    configurationMode: parsed.configurationMode ?? 0o755,
    ...withImplied(parsed, dynamic),
    privateDevices: parsed.privateDevices ?? false,
    privateUsers: parsed.privateUsers ?? false,
    privateNetwork: parsed.privateNetwork ?? false,
    privateIPC: parsed.privateIPC ?? false,
    protectProc: parsed.protectProc ?? 'default',
    procSubset: parsed.procSubset ?? 'all',
    readWrite: parsed.readWrite,
    readOnly: parsed.readOnly,
    inaccessible: parsed.inaccessible,
    temporary: parsed.temporary,
    binds: parsed.binds,
    bindDirectories: parsed.binds.map(bind => bind.source).filter(source => questions.directory(source) !== undefined),
    hasJournal: parsed.privateDevices === true && questions.glob(JOURNAL_SOCKET) !== undefined,
    hasKernelMemory: parsed.privateDevices === true && questions.glob(KERNEL_MEMORY) !== undefined,
    privateClasses: dynamic ? DIRECTORY_KINDS.filter(kind => isPrivate(kind, parsed)) : [],
    ...(rootDirectory === undefined || rootDirectory === '/' ? {} : { rootDirectory }),
    umask: parsed.umask ?? 0o022,
    ...(directory === undefined ? {} : { workingDirectory: directory }),
    workingDirectoryOptional: parsed.workingDirectoryOptional,
    boundingSet: parsed.boundingSet,
    ambientSet: parsed.ambientSet,
    environment: { ...environmentOf(parsed, request, dynamic, questions, warn), ...places },
    ...(commands === undefined ? {} : { commands }),
  };
}

/** Of root, nothing that the preset takes away would be out of reach. */
function checkUntrusted({ user }: ParsedProperties, dynamic: boolean, commands: readonly CommandLine[]): void {
  const fail = failFor('untrusted');
  if (!dynamic && (user === undefined || user === 'root' || user === '0')) {
    fail('the program would be root; leave DynamicUser=no out, or name a user');
  }
  const privileged = commands.find(command => command.as !== 'user');
  if (privileged !== undefined) {
    fail(`${quote(privileged.path)} would run as root; take its prefix "+" or "!" away`);
  }
}

function preservesRuntime(parsed: ParsedProperties): boolean {
  return (parsed.runtimePreserve ?? 'no') !== 'no';
}

function isPrivate(kind: DirectoryKind, parsed: ParsedProperties): boolean {
  return parsed.directories[kind].length > 0 && (kind !== 'runtime' || preservesRuntime(parsed));
}

function environmentOf(
  parsed: ParsedProperties,
  request: LaunchRequest,
  dynamic: boolean,
  questions: Questions,
  warn: (text: string) => void,
): ExecSettings['environment'] {
  const ownCommand = request.unitFile === undefined;
  const inherit = request.inheritEnvironment ?? (ownCommand && !request.untrusted);
  const passes = request.untrusted && ownCommand && request.inheritEnvironment === undefined;
  if (parsed.passEnvironment.length > 0 && !inherit) {
    failFor('PassEnvironment')(
      `the service does not begin with the launcher's environment; give ${parsed.passEnvironment[0]} with --setenv=`,
    );
  }
  for (const text of request.setEnvironment) {
    readVariable(text, failFor('setEnvironment'));
  }
  const files = readEnvironmentFiles(parsed.environmentFiles, questions, warn);
  const assignments = [...parsed.environment, ...files, ...request.setEnvironment];
  checkLimit(assignments.length, VARIABLES_MAX, 'variables', 'setEnvironment');
  return {
    inherit,
    pass: passes ? UNTRUSTED_VARIABLES : [],
    // systemd 257: SetLoginEnvironment= is on where there is a user other than the manager's own.
    login: parsed.loginEnvironment ?? (dynamic || parsed.user !== undefined),
    assignments,
    unset: parsed.unsetEnvironment,
  };
}

function commandsOf(parsed: ParsedProperties, request: LaunchRequest): CommandLine[] | undefined {
  const { type, start, startBefore } = parsed;
  if (type === 'forking') {
    failFor(parsed.fields.get('Type') ?? 'Type')(
      '"forking" cannot be launched: the service is the process itself; let it stay in the foreground',
    );
  }
  if (request.unitFile === undefined) {
    const name = start.length > 0 ? 'ExecStart' : startBefore.length > 0 ? 'ExecStartPre' : undefined;
    return name === undefined
      ? undefined
      : failFor(name)('without a unit file the command is that of the command line');
  }
  const fail = failFor(`${request.unitFile}: ExecStart`);
  if (start.length === 0) {
    fail('the unit file has no command to start');
  }
  if (start.length > 1 && type !== 'oneshot') {
    fail(`there are ${start.length} commands; only a service of Type=oneshot may have more than one`);
  }
  checkLimit(start.length + startBefore.length, COMMANDS_MAX, 'commands', 'ExecStart');
  return [...startBefore, ...start];
}
