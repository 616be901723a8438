/** The surroundings of the daemon's process: its namespaces, its helper, free space in the runtime directory, and the accounts that it allows. */
import { CONFIG_FILE, settingsIn } from '../../configured-ranges.ts';
import { GETENT_NOT_FOUND, type Host, isSeen, type Observed } from '../../host.ts';
import { type Finding, findingsOf } from '../finding.ts';

/** More accounts than these are not asked for: each is a process. */
const ACCOUNTS_MAX = 16;
/** What dynuser-helper answers to whoever is not the daemon. */
const HELPER_REFUSES = 2;
/** Less than a lease file and its links take, with some to spare. */
const BYTES_LEAST = 1024 * 1024;
const FILES_LEAST = 64;

/** @param pid of the daemon; what cannot be seen without it is for the check of its rights to say */
export async function checkProcess(host: Host, runtimeDirectory: string, pid: Observed<number>): Promise<Finding[]> {
  const ofProcess = isSeen(pid)
    ? [...checkNamespaces(host, runtimeDirectory, `/proc/${pid}`), ...(await checkHelper(host, `/proc/${pid}/cmdline`))]
    : [];
  return [...ofProcess, ...checkFreeSpace(host, runtimeDirectory), ...(await checkAccounts(host))];
}

function checkNamespaces(host: Host, runtimeDirectory: string, process: string): Finding[] {
  const { ok, problem } = findingsOf('Namespaces of the daemon');
  const own = host.link(`${process}/ns/pid`);
  const first = host.link('/proc/1/ns/pid');
  if (!isSeen(own) || !isSeen(first)) {
    return [];
  }
  if (own !== first) {
    const words = 'dynuserd runs in another PID namespace, so it does not see the processes of the host';
    return [
      problem(words, 'run it in the PID namespace of process 1; a container needs that of the host (--pid=host)'),
    ];
  }
  const daemons = host.inode(`${process}/root${runtimeDirectory}`);
  const ours = host.inode(runtimeDirectory);
  if (!isSeen(daemons) || !isSeen(ours)) {
    return [];
  }
  const isSame = daemons.device === ours.device && daemons.inode === ours.inode;
  const words = 'dynuserd has another runtime directory than this host';
  return isSame
    ? [ok('it sees the processes and the runtime directory of this host')]
    : [problem(words, 'share /run of the host with its mount namespace')];
}

/** The helper is in the directory of the bundle, which Node's command line names. */
async function checkHelper(host: Host, commandLine: string): Promise<Finding[]> {
  const { ok, problem } = findingsOf('Helper');
  const words = host.text(commandLine);
  const bundle = isSeen(words) ? words.split('\0').find(word => /^\/.*\/dynuserd\.js$/.test(word)) : undefined;
  if (bundle === undefined) {
    return [];
  }
  const path = bundle.replace(/dynuserd\.js$/, 'dynuser-helper');
  const result = await host.run([path]);
  if (isSeen(result) && result.status === HELPER_REFUSES) {
    return [ok(`${path} runs`)];
  }
  const why = isSeen(result) ? result.errors.trim() : (result?.why ?? 'it is not there');
  return [problem(`${path} cannot run: ${why}`, 'install dynuser again, and restart dynuserd')];
}

function checkFreeSpace(host: Host, runtimeDirectory: string): Finding[] {
  const { ok, problem } = findingsOf('Space for leases');
  const freeSpace = host.freeSpace(runtimeDirectory);
  if (!isSeen(freeSpace)) {
    return [];
  }
  if (freeSpace.isReadOnly) {
    return [problem(`${runtimeDirectory} is on a read-only file system`, 'remount it writable')];
  }
  return freeSpace.bytes < BYTES_LEAST || freeSpace.files < FILES_LEAST
    ? [problem(`the file system of ${runtimeDirectory} is full`, 'free some space there')]
    : [ok(`there is space in ${runtimeDirectory}`)];
}

/** Those of AllowUsers= and AllowGroups=; numbers need no account. */
async function checkAccounts(host: Host): Promise<readonly Finding[]> {
  const { warning, orOk } = findingsOf('Allowed accounts');
  const text = host.text(CONFIG_FILE);
  const accounts = settingsIn(isSeen(text) ? text : '')
    .filter(({ key }) => key === 'AllowUsers' || key === 'AllowGroups')
    .flatMap(({ key, value }) => value.split(/\s+/).map(name => ({ key, name })))
    .filter(({ name }) => name !== '' && !/^\d+$/.test(name))
    .slice(0, ACCOUNTS_MAX);
  if (accounts.length === 0) {
    return [];
  }
  const findings = await Promise.all(
    accounts.map(async ({ key, name }) => {
      const result = await host.run(['getent', key === 'AllowUsers' ? 'passwd' : 'group', name]);
      return isSeen(result) && result.status === GETENT_NOT_FOUND
        ? warning(
            `${key}= names ${name}, which this host does not have`,
            `create the account, or remove it from ${CONFIG_FILE}`,
          )
        : [];
    }),
  );
  return orOk(findings.flat(), 'those of AllowUsers= and AllowGroups= are there');
}
