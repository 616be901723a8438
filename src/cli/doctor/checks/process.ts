/** What the daemon's process is among: its namespaces, its helper, room in the runtime directory, and the accounts it allows. */
import { type Finding, findingsOf } from '../finding.ts';
import { Hidden, type Host, type Inode, type Ran, type Room, type Seen } from '../host.ts';

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
  /** where the namespaces of PIDs of the daemon and of process 1 are said */
  readonly pidNamespace: { readonly own: Seen<string>; readonly first: Seen<string> };
  /** the runtime directory as the daemon has it, and as it is here */
  readonly directory: { readonly daemons: Seen<Inode>; readonly ours: Seen<Inode> };
  readonly helper: { readonly path: string; readonly ran: Seen<Ran> } | undefined;
  readonly room: Seen<Room>;
  /** of AllowUsers= and AllowGroups=, each with what getent(1) says */
  readonly accounts: readonly { readonly key: string; readonly name: string; readonly ran: Seen<Ran> }[];
}

/** @param pid of the daemon, where it can be seen */
export async function lookAtProcess(host: Host, runtimeDirectory: string, pid: Seen<number>): Promise<ProcessFacts> {
  const at = typeof pid === 'number' ? `/proc/${pid}` : undefined;
  const of = <T>(look: (path: string) => Seen<T>): Seen<T> => (at === undefined ? undefined : look(at));
  const path = helperOf(of(base => host.text(`${base}/cmdline`)));
  return {
    runtimeDirectory,
    pidNamespace: { own: of(base => host.link(`${base}/ns/pid`)), first: host.link('/proc/1/ns/pid') },
    directory: {
      daemons: of(base => host.inode(`${base}/root${runtimeDirectory}`)),
      ours: host.inode(runtimeDirectory),
    },
    helper: path === undefined ? undefined : { path, ran: await host.run([path]) },
    room: host.room(runtimeDirectory),
    accounts: await Promise.all(
      allowed(host.text(CONFIG_FILE)).map(async ({ key, name }) => ({
        ...{ key, name },
        ran: await host.run(['getent', key === 'AllowUsers' ? 'passwd' : 'group', name]),
      })),
    ),
  };
}

/** The helper lies beside the bundle, which is the last word of Node's command line that ends so. */
function helperOf(commandLine: Seen<string>): string | undefined {
  if (typeof commandLine !== 'string') {
    return undefined;
  }
  const bundle = commandLine.split('\0').find(word => /^\/.*\/dynuserd\.js$/.test(word));
  return bundle?.replace(/dynuserd\.js$/, 'dynuser-helper');
}

/** Numbers need no account. */
function allowed(text: Seen<string>): { key: string; name: string }[] {
  if (typeof text !== 'string') {
    return [];
  }
  return [...text.matchAll(/^\s*(AllowUsers|AllowGroups)\s*=(.*)$/gm)]
    .flatMap(([, key = '', names = '']) => names.split(/\s+/).map(name => ({ key, name })))
    .filter(({ name }) => name !== '' && !/^\d+$/.test(name))
    .slice(0, ACCOUNTS_MAX);
}

export function judgeProcess(facts: ProcessFacts): Finding[] {
  return [...judgeNamespaces(facts), ...judgeHelper(facts), ...judgeRoom(facts), ...judgeAccounts(facts)];
}

function judgeNamespaces({ pidNamespace: { own, first }, directory }: ProcessFacts): Finding[] {
  const { ok, problem } = findingsOf('Namespaces of the daemon');
  if (typeof own !== 'string' || typeof first !== 'string') {
    // Whether its process can be seen is for the check of its rights to say.
    return [];
  }
  if (own !== first) {
    const words = 'dynuserd runs in a PID namespace of its own, and does not see the processes of the host';
    return [problem(words, 'run it in that of process 1: in a container with the PID namespace of the host')];
  }
  const { daemons, ours } = directory;
  if (daemons === undefined || daemons instanceof Hidden || ours === undefined || ours instanceof Hidden) {
    return [];
  }
  return daemons.device === ours.device && daemons.inode === ours.inode
    ? [ok('it sees the processes and the runtime directory of this host')]
    : [problem('the runtime directory of dynuserd is another one than is seen here', 'share /run with it')];
}

function judgeHelper({ helper }: ProcessFacts): Finding[] {
  const { ok, problem } = findingsOf('Helper');
  if (helper === undefined) {
    return [];
  }
  const { path, ran } = helper;
  if (ran !== undefined && !(ran instanceof Hidden) && ran.status === HELPER_REFUSES) {
    return [ok(`${path} runs`)];
  }
  const why = ran === undefined ? 'it is not there' : ran instanceof Hidden ? ran.why : ran.errors.trim();
  return [problem(`${path} cannot run: ${why}`, 'install dynuser again, and restart dynuserd')];
}

function judgeRoom({ room, runtimeDirectory }: ProcessFacts): Finding[] {
  const { ok, problem } = findingsOf('Room for leases');
  if (room === undefined || room instanceof Hidden) {
    return [];
  }
  if (room.isReadOnly) {
    return [problem(`${runtimeDirectory} is on a read-only file system`, 'remount it writable')];
  }
  return room.bytes < BYTES_LEAST || room.files < FILES_LEAST
    ? [problem(`the file system of ${runtimeDirectory} is full`, 'free some space there')]
    : [ok(`there is room in ${runtimeDirectory}`)];
}

function judgeAccounts({ accounts }: ProcessFacts): Finding[] {
  const { ok, warning } = findingsOf('Allowed accounts');
  // getent(1): 2, a key that was not found.
  const missing = accounts.filter(({ ran }) => ran !== undefined && !(ran instanceof Hidden) && ran.status === 2);
  if (missing.length > 0) {
    return missing.map(({ key, name }) =>
      warning(`${key}= names ${name}, which this host does not have`, `make the account, or mend ${CONFIG_FILE}`),
    );
  }
  return accounts.length === 0 ? [] : [ok('those of AllowUsers= and AllowGroups= are there')];
}
