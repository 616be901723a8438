/** The environment of a service: from where its variables come, and which of them wins (systemd.exec(5), "Environment"). Pure. */
import { OVERFLOW_ID } from '../../core/ids.ts';
import { checkLimit, failFor, quote } from '../errors.ts';
import { VARIABLES_MAX } from '../limits.ts';
import { type EnvironmentFile, isVariableName } from '../properties/environment.ts';
import type { Login } from '../syntax/account-files.ts';
import { parseEnvironmentFile } from '../syntax/environment-file.ts';
import { credentialsDirectory } from './credentials.ts';
import type { Questions } from './questions.ts';
import type { Acquired, ResolvedLaunch } from './request.ts';
import { ownTerminal } from './streams.ts';

/** systemd's default for services of the system, if /usr/sbin is not a link to /usr/bin. */
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin';
const CONFIGURATION = 'CONFIGURATION_DIRECTORY';
const CREDENTIALS_DIRECTORY = 'CREDENTIALS_DIRECTORY';
/** Variables of the launcher's own unit and account, which would be wrong for the service. */
const OF_LAUNCHER = [
  'RUNTIME_DIRECTORY',
  'STATE_DIRECTORY',
  'CACHE_DIRECTORY',
  'LOGS_DIRECTORY',
  CREDENTIALS_DIRECTORY,
  CONFIGURATION,
] as const;
const OF_ACCOUNT = ['HOME', 'SHELL'] as const;

export interface PlannedEnvironment {
  readonly variables: ReadonlyMap<string, string>;
  /** NAME, or NAME=VALUE: what of an inherited environment goes */
  readonly unset: readonly string[];
  /** HOME and SHELL come from the account if nothing else sets them */
  readonly account: boolean;
}

export function planEnvironment(resolved: ResolvedLaunch, acquired: Acquired): PlannedEnvironment {
  const { environment, settings, configurationDirectories } = resolved;
  const account = usesAccount(resolved, acquired);
  const inheritsPath = environment.inherit || environment.pass.includes('PATH');
  const terminal = ownTerminal(settings);
  const own: Readonly<Record<string, string | undefined>> = {
    PATH: settings.ExecSearchPath.length > 0 ? settings.ExecSearchPath.join(':') : inheritsPath ? undefined : PATH,
    MAINPID: acquired.main && String(acquired.main.pid),
    ...Object.fromEntries(resolved.phaseVariables),
    TERM: terminal && (/^\/dev\/(?:tty\d+|console)$/.test(terminal) ? 'linux' : 'vt220'),
    // systemd 257 sets USER in any case.
    USER: acquired.userName,
    LOGNAME: environment.login ? acquired.userName : undefined,
    ...(account ? loginVariables(acquired.login) : {}),
    ...acquired.environment,
    [CONFIGURATION]: configurationDirectories.map(({ path }) => path).join(':') || undefined,
    [CREDENTIALS_DIRECTORY]: credentialsDirectory(resolved),
  };
  const given = Object.entries(own).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
  const variables = new Map(given);
  for (const assignment of environment.assignments) {
    const equals = assignment.indexOf('=');
    variables.set(assignment.slice(0, equals), assignment.slice(equals + 1));
  }
  for (const entry of environment.unset) {
    const equals = entry.indexOf('=');
    const name = equals < 0 ? entry : entry.slice(0, equals);
    if (equals < 0 || variables.get(name) === entry.slice(equals + 1)) {
      variables.delete(name);
    }
  }
  // An account without a home or a shell leaves the inherited one.
  const names = account || acquired.uid === 0 ? OF_LAUNCHER : [...OF_LAUNCHER, ...OF_ACCOUNT];
  const stale = environment.inherit ? names.filter(name => !variables.has(name)) : [];
  return { variables, unset: [...new Set([...environment.unset, ...stale])], account };
}

/** Whether HOME and SHELL come from the account of the user. */
export function usesAccount(
  { environment }: Pick<ResolvedLaunch, 'environment'>,
  { dynamic, uid }: Pick<Acquired, 'dynamic' | 'uid'>,
): boolean {
  // systemd knows the user nobody by itself, and gives it no home, whatever the account database says.
  return environment.login && !dynamic && uid !== OVERFLOW_ID;
}

/** What stands for "none" in a record is neither a home nor a shell for a program either (systemd.exec(5), SetLoginEnvironment=). */
function loginVariables(login: Login | undefined): Readonly<Record<'HOME' | 'SHELL', string | undefined>> {
  const { home = '', shell = '' } = login ?? {};
  const hasHome = home.startsWith('/') && /[^/]/.test(home);
  const hasShell = shell.startsWith('/') && !/\/(?:|nologin|false|true)$/.test(shell);
  return { HOME: hasHome ? home : undefined, SHELL: hasShell ? shell : undefined };
}

/** Reads the files of EnvironmentFile=. @returns their assignments, NAME=VALUE, in order; other names are warnings */
export function readEnvironmentFiles(
  files: readonly EnvironmentFile[],
  questions: Questions,
  warn: (text: string) => void,
): string[] {
  const found: string[] = [];
  for (const file of files) {
    for (const path of pathsOf(file, questions)) {
      const text = questions.file(path);
      if (text === undefined && !file.optional && questions.knows('file', path)) {
        failFor(file.field)(`no readable file ${quote(path)}; create it, or put "-" before the path to do without it`);
      }
      for (const { name, value } of parseEnvironmentFile(text ?? '')) {
        if (isVariableName(name) && !value.includes('\0')) {
          found.push(`${name}=${value}`);
        } else {
          warn(`${path}: ${quote(name)} is not the name of a variable; it is ignored`);
        }
      }
      checkLimit(found.length, VARIABLES_MAX, 'variables of environment files', file.field);
    }
  }
  return found;
}

function pathsOf(file: EnvironmentFile, questions: Questions): readonly string[] {
  // glob(7): a path without these is one file.
  if (!/[*?[\]{}\\]/.test(file.path)) {
    return [file.path];
  }
  const paths = questions.glob(file.path);
  if (paths === undefined && !file.optional && questions.knows('glob', file.path)) {
    failFor(file.field)(`no file matches ${quote(file.path)}; create one, or put "-" before the path to do without it`);
  }
  return (paths ?? []).filter(path => path.startsWith('/') && !path.includes('\0'));
}
