/** The first stage of a launch: from a request, and what the launcher saw, to what it wants of the allocator. Pure. */
import { DIRECTORY_KINDS, type DirectoryKind } from '../../core/directory.ts';
import { DynuserError } from '../../core/errors.ts';
import { bound, failing, show } from '../errors.ts';
import { COMMANDS_MAX, VARIABLES_MAX } from '../limits.ts';
import { JOURNAL_SOCKET, KERNEL_MEMORY } from '../namespace/devices.ts';
import type { LaunchAnswer, LaunchQuestion } from '../plan.ts';
import { readVariable } from '../properties/environment.ts';
import type { CommandLine, Settings } from '../properties/exec-settings.ts';
import { setByName, withImplied } from '../properties/implied.ts';
import { type Draft, newDraft } from '../properties/parsed-properties.ts';
import { withoutUnsupported } from '../properties/supported.ts';
import { applyAssignment } from '../properties/table.ts';
import { Specifiers } from '../syntax/specifiers.ts';
import { accountPlaces } from './account.ts';
import { readEnvironmentFiles } from './environment-files.ts';
import { decideIsolation } from './isolation.ts';
import { Questions } from './questions.ts';
import type { LaunchRequest, Wanted } from './request.ts';
import { collectAssignments } from './sources.ts';
import { UNTRUSTED_VARIABLES } from './untrusted.ts';

/**
 * Reads a request. Where it needs to see files of the launcher's world that no answer has, these are the questions; then
 * it is called again with all answers so far. It asks in at most four rounds: unit file and drop-in directories,
 * drop-ins, what these name, and the matches of wildcards.
 * @throws DynuserError LaunchFailed, LimitReached, NotPermitted
 */
export function readLaunch(
  request: LaunchRequest,
  answers: readonly LaunchAnswer[],
): { readonly questions: readonly LaunchQuestion[] } | { readonly wanted: Wanted } {
  const questions = new Questions(answers);
  try {
    const wanted = read(request, questions);
    return questions.open.length > 0 ? { questions: questions.open } : { wanted };
  } catch (error) {
    // What is wrong may be so only because something is not known yet.
    if (error instanceof DynuserError && error.code === 'LaunchFailed' && questions.open.length > 0) {
      return { questions: questions.open };
    }
    throw error;
  }
}

function read(request: LaunchRequest, questions: Questions): Wanted {
  const warnings = new Set<string>();
  const warn = (text: string) => void warnings.add(text);
  const { assignments, unit } = collectAssignments(request, questions, warn);
  const specifiers = new Specifiers(unit, request.unitFile, questions);
  const draft = newDraft();
  for (const assignment of withoutUnsupported(assignments, { ignoreUnknown: request.ignoreUnknown, warn })) {
    applyAssignment(draft, assignment, specifiers);
  }
  if (draft.runtimePreserve === 'restart') {
    warn('RuntimeDirectoryPreserve=restart: nobody says which stop is the last, so the directories are kept');
  }
  const settings = settle(draft, request, questions, warn);
  const outcome = decideIsolation(settings, request, draft.fields);
  const unitName = request.unit ?? unit?.name;
  return {
    ...(unitName === undefined ? {} : { unit: unitName }),
    ...(draft.user === undefined ? {} : { userName: draft.user }),
    ...(draft.group === undefined || draft.group === draft.user ? {} : { group: draft.group }),
    dynamicUser: settings.dynamicUser,
    untrusted: request.untrusted,
    directories: draft.directories,
    modes: draft.modes,
    runtimePreserve: preservesRuntime(draft),
    configurationDirectories: settings.configuration.map(path => `/etc/${path}`),
    removeIPC: settings.removeIPC,
    ...outcome,
    fields: draft.fields,
    warnings: [...warnings],
    settings,
  };
}

function settle(draft: Draft, request: LaunchRequest, questions: Questions, warn: (text: string) => void): Settings {
  const dynamic = draft.dynamicUser ?? request.unitFile === undefined;
  const { workingDirectory, rootDirectory } = draft;
  const commands = commandsOf(draft, request);
  if (request.untrusted) {
    checkUntrusted(draft, dynamic, commands ?? []);
  }
  const places = accountPlaces(draft, dynamic, commands ?? [], questions);
  if (workingDirectory === '~' && dynamic) {
    failing('WorkingDirectory')('"~" is the home of the user, and a dynamic user has none');
  }
  const directory =
    workingDirectory === '~'
      ? (places.home ?? failing('WorkingDirectory')('"~" is the home of the user, and /etc/passwd has none of it'))
      : workingDirectory;
  return {
    dynamicUser: dynamic,
    byName: setByName(draft),
    supplementaryGroups: [...new Set(draft.supplementaryGroups)],
    configuration: [...new Set(draft.configuration)].sort(),
    configurationMode: draft.configurationMode ?? 0o755,
    ...withImplied(draft, dynamic),
    privateDevices: draft.privateDevices ?? false,
    privateUsers: draft.privateUsers ?? false,
    privateNetwork: draft.privateNetwork ?? false,
    privateIPC: draft.privateIPC ?? false,
    protectProc: draft.protectProc ?? 'default',
    procSubset: draft.procSubset ?? 'all',
    readWrite: draft.readWrite,
    readOnly: draft.readOnly,
    inaccessible: draft.inaccessible,
    temporary: draft.temporary,
    binds: draft.binds,
    bindDirectories: draft.binds.map(bind => bind.source).filter(source => questions.directory(source) !== undefined),
    hasJournal: draft.privateDevices === true && questions.glob(JOURNAL_SOCKET) !== undefined,
    hasKernelMemory: draft.privateDevices === true && questions.glob(KERNEL_MEMORY) !== undefined,
    privateClasses: dynamic ? DIRECTORY_KINDS.filter(kind => isPrivate(kind, draft)) : [],
    ...(rootDirectory === undefined || rootDirectory === '/' ? {} : { rootDirectory }),
    umask: draft.umask ?? 0o022,
    ...(directory === undefined ? {} : { workingDirectory: directory }),
    workingDirectoryOptional: draft.workingDirectoryOptional,
    boundingSet: draft.boundingSet,
    ambientSet: draft.ambientSet,
    environment: { ...environmentOf(draft, request, dynamic, questions, warn), ...places },
    ...(commands === undefined ? {} : { commands }),
  };
}

/** Of root, nothing that the preset takes away would be out of reach. */
function checkUntrusted({ user }: Draft, dynamic: boolean, commands: readonly CommandLine[]): void {
  const fail = failing('untrusted');
  if (!dynamic && (user === undefined || user === 'root' || user === '0')) {
    fail('the program would be root; leave DynamicUser=no out, or name a user');
  }
  const privileged = commands.find(command => command.as !== 'user');
  if (privileged !== undefined) {
    fail(`${show(privileged.path)} would run as root; take its prefix "+" or "!" away`);
  }
}

function preservesRuntime(draft: Draft): boolean {
  return (draft.runtimePreserve ?? 'no') !== 'no';
}

function isPrivate(kind: DirectoryKind, draft: Draft): boolean {
  return draft.directories[kind].length > 0 && (kind !== 'runtime' || preservesRuntime(draft));
}

function environmentOf(
  draft: Draft,
  request: LaunchRequest,
  dynamic: boolean,
  questions: Questions,
  warn: (text: string) => void,
): Settings['environment'] {
  const ownCommand = request.unitFile === undefined;
  const inherit = request.inheritEnvironment ?? (ownCommand && !request.untrusted);
  const passes = request.untrusted && ownCommand && request.inheritEnvironment === undefined;
  if (draft.passEnvironment.length > 0 && !inherit) {
    failing('PassEnvironment')(
      `the service does not begin with the launcher's environment; give ${draft.passEnvironment[0]} with --setenv=`,
    );
  }
  for (const text of request.setEnvironment) {
    readVariable(text, failing('setEnvironment'));
  }
  const files = readEnvironmentFiles(draft.environmentFiles, questions, warn);
  const assignments = [...draft.environment, ...files, ...request.setEnvironment];
  bound(assignments.length, VARIABLES_MAX, 'variables', 'setEnvironment');
  return {
    inherit,
    pass: passes ? UNTRUSTED_VARIABLES : [],
    // systemd 257: SetLoginEnvironment= is on where there is a user other than the manager's own.
    login: draft.loginEnvironment ?? (dynamic || draft.user !== undefined),
    assignments,
    unset: draft.unsetEnvironment,
  };
}

function commandsOf(draft: Draft, request: LaunchRequest): CommandLine[] | undefined {
  const { type, start, startBefore } = draft;
  if (type === 'forking') {
    failing(draft.fields.get('Type') ?? 'Type')(
      '"forking" cannot be launched: the service is the process itself; let it stay in the foreground',
    );
  }
  if (request.unitFile === undefined) {
    const name = start.length > 0 ? 'ExecStart' : startBefore.length > 0 ? 'ExecStartPre' : undefined;
    return name === undefined
      ? undefined
      : failing(name)('without a unit file the command is that of the command line');
  }
  const fail = failing(`${request.unitFile}: ExecStart`);
  if (start.length === 0) {
    fail('the unit file has no command to start');
  }
  if (start.length > 1 && type !== 'oneshot') {
    fail(`there are ${start.length} commands; only a service of Type=oneshot may have more than one`);
  }
  bound(start.length + startBefore.length, COMMANDS_MAX, 'commands', 'ExecStart');
  return [...startBefore, ...start];
}
