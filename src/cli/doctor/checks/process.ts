/** What the daemon's process is among: its namespaces, its helper, free space in the runtime directory, and the accounts it allows. */
import { type Finding, findingsOf } from '../finding.ts';
import { type CommandResult, type FreeSpace, type Host, type Inode, type Observed, Unreadable } from '../host.ts';

/** More accounts than these are not asked for: each is a process. */
const ACCOUNTS_MAX = 16;
const CONFIG_FILE = '/etc/dynuser/dynuserd.conf';
/** What dynuser-helper answers to whoever is not the daemon. */
const HELPER_REFUSES = 2;
/** Less than a lease file and its links take, with some to spare. */
const BYTES_LEAST = 1024 * 1024;
const FILES_LEAST = 64;

export interface ProcessFacts {
  readonly runtimeDirectory: string;
  /** the PID namespaces of the daemon and of process 1 */
  readonly pidNamespace: { readonly own: Observed<string>; readonly first: Observed<string> };
  /** the runtime directory as the daemon has it, and as it is here */
  readonly directory: { readonly daemons: Observed<Inode>; readonly ours: Observed<Inode> };
  readonly helper: { readonly path: string; readonly result: Observed<CommandResult> } | undefined;
  readonly freeSpace: Observed<FreeSpace>;
  /** of AllowUsers= and AllowGroups=, each with what getent(1) says */
  readonly accounts: readonly {
    readonly key: string;
    readonly name: string;
    readonly result: Observed<CommandResult>;
  }[];
}

/** @param pid of the daemon, if it is visible */
export async function inspectProcess(
  host: Host,
  runtimeDirectory: string,
  pid: Observed<number>,
): Promise<ProcessFacts> {
  const at = typeof pid === 'number' ? `/proc/${pid}` : undefined;
  const of = <T>(read: (path: string) => Observed<T>): Observed<T> => (at === undefined ? undefined : read(at));
  const path = helperOf(of(base => host.text(`${base}/cmdline`)));
  return {
    runtimeDirectory,
    pidNamespace: { own: of(base => host.link(`${base}/ns/pid`)), first: host.link('/proc/1/ns/pid') },
    directory: {
      daemons: of(base => host.inode(`${base}/root${runtimeDirectory}`)),
      ours: host.inode(runtimeDirectory),
    },
    helper: path === undefined ? undefined : { path, result: await host.run([path]) },
    freeSpace: host.freeSpace(runtimeDirectory),
    accounts: await Promise.all(
      allowed(host.text(CONFIG_FILE)).map(async ({ key, name }) => ({
        ...{ key, name },
        result: await host.run(['getent', key === 'AllowUsers' ? 'passwd' : 'group', name]),
      })),
    ),
  };
}

/** The helper is in the directory of the bundle, which Node's command line names. */
function helperOf(commandLine: Observed<string>): string | undefined {
  if (typeof commandLine !== 'string') {
    return undefined;
  }
  const bundle = commandLine.split('\0').find(word => /^\/.*\/dynuserd\.js$/.test(word));
  return bundle?.replace(/dynuserd\.js$/, 'dynuser-helper');
}

/** Numbers need no account. */
function allowed(text: Observed<string>): { key: string; name: string }[] {
  if (typeof text !== 'string') {
    return [];
  }
  return [...text.matchAll(/^\s*(AllowUsers|AllowGroups)\s*=(.*)$/gm)]
    .flatMap(([, key = '', names = '']) => names.split(/\s+/).map(name => ({ key, name })))
    .filter(({ name }) => name !== '' && !/^\d+$/.test(name))
    .slice(0, ACCOUNTS_MAX);
}

export function judgeProcess(facts: ProcessFacts): Finding[] {
  return [...judgeNamespaces(facts), ...judgeHelper(facts), ...judgeFreeSpace(facts), ...judgeAccounts(facts)];
}

function judgeNamespaces({ pidNamespace: { own, first }, directory }: ProcessFacts): Finding[] {
  const { ok, problem } = findingsOf('Namespaces of the daemon');
  if (typeof own !== 'string' || typeof first !== 'string') {
    // Whether its process can be seen is for the check of its rights to say.
    return [];
  }
  if (own !== first) {
    const words = 'dynuserd runs in another PID namespace, so it does not see the processes of the host';
    return [
      problem(words, 'run it in the PID namespace of process 1; a container needs that of the host (--pid=host)'),
    ];
  }
  const { daemons, ours } = directory;
  if (daemons === undefined || daemons instanceof Unreadable || ours === undefined || ours instanceof Unreadable) {
    return [];
  }
  return daemons.device === ours.device && daemons.inode === ours.inode
    ? [ok('it sees the processes and the runtime directory of this host')]
    : [
        problem(
          'dynuserd has another runtime directory than this host',
          'share /run of the host with its mount namespace',
        ),
      ];
}

function judgeHelper({ helper }: ProcessFacts): Finding[] {
  const { ok, problem } = findingsOf('Helper');
  if (helper === undefined) {
    return [];
  }
  const { path, result } = helper;
  if (result !== undefined && !(result instanceof Unreadable) && result.status === HELPER_REFUSES) {
    return [ok(`${path} runs`)];
  }
  const why =
    result === undefined ? 'it is not there' : result instanceof Unreadable ? result.why : result.errors.trim();
  return [problem(`${path} cannot run: ${why}`, 'install dynuser again, and restart dynuserd')];
}

function judgeFreeSpace({ freeSpace, runtimeDirectory }: ProcessFacts): Finding[] {
  const { ok, problem } = findingsOf('Space for leases');
  if (freeSpace === undefined || freeSpace instanceof Unreadable) {
    return [];
  }
  if (freeSpace.isReadOnly) {
    return [problem(`${runtimeDirectory} is on a read-only file system`, 'remount it writable')];
  }
  return freeSpace.bytes < BYTES_LEAST || freeSpace.files < FILES_LEAST
    ? [problem(`the file system of ${runtimeDirectory} is full`, 'free some space there')]
    : [ok(`there is space in ${runtimeDirectory}`)];
}

function judgeAccounts({ accounts }: ProcessFacts): Finding[] {
  const { ok, warning } = findingsOf('Allowed accounts');
  // getent(1): 2, a key that was not found.
  const missing = accounts.filter(
    ({ result }) => result !== undefined && !(result instanceof Unreadable) && result.status === 2,
  );
  if (missing.length > 0) {
    return missing.map(({ key, name }) =>
      warning(
        `${key}= names ${name}, which this host does not have`,
        `create the account, or remove it from ${CONFIG_FILE}`,
      ),
    );
  }
  return accounts.length === 0 ? [] : [ok('those of AllowUsers= and AllowGroups= are there')];
}
