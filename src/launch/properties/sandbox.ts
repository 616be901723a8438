/** What the service sees of the host as a whole, and what goes with it (systemd.exec(5), "Sandboxing"). */
import { defined } from '../defined.ts';
import { denying } from '../filter/filter.ts';
import type { MountEntry } from '../namespace/mount-entry.ts';
import { DEVICE_CAPABILITIES } from '../syntax/capabilities.ts';
import { readPath, type ValueContext } from '../syntax/values.ts';
import { boolean, choice, type Property, resettableBoolean, single, value, word } from './property.ts';

export const HOMES = ['/home', '/root', '/run/user'] as const;
/** They have protections of their own, and stay as they are if "/" becomes read-only. */
export const KERNEL_TREES = ['/dev', '/proc', '/sys'] as const;

/** The size of file systems that hold only directories to mount on; systemd has the same. */
export const SMALL = ['size=4m', 'nr_inodes=1k'] as const;

export const SANDBOX = {
  ProtectSystem: choice(['full', 'strict'], {
    manual:
      "yes: /usr and /boot are read-only; full: /etc, too; strict: everything but /dev, /proc, /sys and the service's directories. strict with a dynamic user.",
    // A dynamic user's UID is another's later: as with systemd, a weaker value becomes "strict". "no" is a decision.
    implied: given => (given === 'no' ? 'no' : 'strict'),
    untrusted: 'strict',
    needs: 'mounts',
    lost: 'the file system stays writable',
    meaning: 'the file system is read-only',
    mounts: protectSystem,
  }),
  ProtectHome: choice(['read-only', 'tmpfs'], {
    manual:
      'yes: /home, /root and /run/user are empty; read-only: they are read-only; tmpfs: empty file systems are in their place. read-only with a dynamic user.',
    implied: given => given ?? 'read-only',
    untrusted: 'yes',
    needs: 'mounts',
    lost: 'homes are as open as their modes',
    meaning: '/home, /root and /run/user are protected',
    mounts: value => HOMES.flatMap(path => protectHome(path, value)),
  }),
  // systemd 257 has two kinds; here both are an empty one that goes with the service.
  PrivateTmp: boolean(
    {
      manual: '/tmp and /var/tmp are new file systems in memory, which go with the service. On with a dynamic user.',
      implied: given => given ?? true,
      untrusted: 'yes',
      needs: 'mounts',
      lost: '/tmp and /var/tmp are shared with all',
      meaning: '/tmp and /var/tmp are its own, and go with it',
      mounts: () => [privateTmp('/tmp', 'tmp'), privateTmp('/var/tmp', 'var-tmp')],
    },
    'disconnected',
  ),
  RemoveIPC: boolean({
    manual: 'The IPC objects of the user are removed when it ends. On with a dynamic user.',
    implied: given => given ?? true,
    untrusted: 'yes',
    meaning: 'its IPC objects go with it',
  }),
  PrivateDevices: boolean({
    manual: '/dev has terminals, shared memory and devices such as /dev/null, and no capability for others is left.',
    untrusted: 'yes',
    needs: 'mounts',
    lost: 'all devices are there, each as open as its mode',
    meaning: '/dev has terminals, shared memory and devices that hold nothing',
    dropsCapabilities: DEVICE_CAPABILITIES,
    filter: () => denying('@raw-io'),
  }),
  // systemd's "self" and "yes" are the same for a service of the system.
  PrivateUsers: choice(['self', 'identity', 'full'], {
    manual:
      'A user namespace. yes, self: root, the user and its group are themselves, all others nobody; identity: the first 65536 are; full: all are.',
    untrusted: 'yes',
    needs: 'namespace',
    lost: 'the user sees all other users',
    meaning: 'it has rights only over users that it sees; everybody else is nobody',
    plan: value => (value === 'no' ? {} : { privateUsers: value === 'yes' ? 'self' : value }),
  }),
  PrivateMounts: resettableBoolean({
    manual: 'A mount namespace: mounts that the service makes are not seen outside.',
    needs: 'mounts',
    lost: 'mounts that it makes are seen outside',
    meaning: 'mounts that it makes are not seen outside',
  }),
  MountFlags: word(
    ['shared', 'slave', 'private'],
    {
      manual:
        'What becomes of later mounts. shared, slave: those of the host appear, too; private: none do. slave, private: no copies share them.',
      needs: 'mounts',
      lost: 'mounts are those of the host',
      meaning: 'which later mounts appear in its namespace, and in copies of it',
      plan: propagation => (propagation === 'shared' ? {} : { propagation }),
    },
    single,
  ),
  MountAPIVFS: resettableBoolean({
    manual: '/proc, /sys, /dev and an empty /run are mounted, if nothing is there. On with another root directory.',
    untrusted: 'yes',
  }),
  BindLogSockets: resettableBoolean({
    manual: "The sockets of systemd's journal are mounted, if there are some. On with another root directory.",
    needs: 'mounts',
    lost: 'the sockets of the log are where the host has them',
    meaning: "the sockets of systemd's journal are there",
  }),
  PrivateNetwork: boolean({
    manual: 'A network namespace with a loopback interface and nothing else.',
    untrusted: 'yes',
    needs: 'mounts',
    lost: "the network is the host's",
    meaning: 'its network has a loopback interface and nothing else',
    plan: privateNetwork => ({ privateNetwork }),
  }),
  NetworkNamespacePath: namespacePath({
    manual: 'The network namespace at this path, as ip-netns(8) makes them. It holds over PrivateNetwork.',
    meaning: 'its network is this network namespace',
    plan: networkNamespace => defined({ networkNamespace }),
  }),
  PrivateIPC: boolean({
    manual: "An IPC namespace: System V objects and message queues are the service's own.",
    untrusted: 'yes',
    needs: 'mounts',
    lost: 'System V objects and message queues are shared with all',
    meaning: 'System V objects and message queues are its own',
    plan: privateIPC => ({ privateIPC }),
  }),
  IPCNamespacePath: namespacePath({
    manual: 'The IPC namespace at this path. It holds over PrivateIPC.',
    meaning: 'System V objects and message queues are those of this IPC namespace',
    plan: ipcNamespace => defined({ ipcNamespace }),
  }),
  ProtectProc: word(['default', 'noaccess', 'invisible', 'ptraceable'], {
    manual:
      'noaccess: /proc keeps what processes of others do; invisible: it hides them; ptraceable: it has those alone that the service may trace.',
    untrusted: 'invisible',
    needs: 'mounts',
    lost: 'the processes of all users are seen',
    meaning: 'of the processes of others /proc shows less',
  }),
  ProcSubset: word(['all', 'pid'], {
    manual: 'pid: /proc has processes, and nothing else of the kernel.',
    untrusted: 'pid',
    needs: 'mounts',
    lost: 'all of /proc is there',
    meaning: '/proc has processes alone',
  }),
};

/** Of a namespace that somebody else made; --untrusted takes it out of a unit file. */
function namespacePath(
  row: Pick<Property<string | undefined>, 'manual' | 'meaning' | 'plan'>,
): Property<string | undefined> {
  const read = (text: string, { expand, fail }: ValueContext): string => readPath(expand(text), fail);
  return value(read, { ...row, untrusted: '', needs: 'mounts', isVital: true });
}

function protectSystem(value: 'no' | 'yes' | 'full' | 'strict'): MountEntry[] {
  const at = { field: 'ProtectSystem', optional: true };
  if (value === 'strict') {
    // Homes stay as they are, too, unless ProtectHome= has something stronger there.
    return [...KERNEL_TREES, ...HOMES].map(path => ({ ...at, path, kind: 'exempt' }));
  }
  return systemPaths(value).map(path => ({ ...at, path, kind: 'readOnly' }));
}

/** What becomes read-only, unless all does. */
export function systemPaths(value: 'no' | 'yes' | 'full' | 'strict'): readonly string[] {
  return value === 'no' ? [] : ['/usr', '/boot', '/efi', ...(value === 'full' ? ['/etc'] : [])];
}

function protectHome(path: string, value: 'no' | 'yes' | 'read-only' | 'tmpfs'): MountEntry[] {
  const at = { path, field: 'ProtectHome', optional: true };
  const mode = path === '/root' ? 0o700 : 0o755;
  switch (value) {
    case 'no':
      return [];
    case 'read-only':
      return [{ ...at, kind: 'readOnly' }];
    case 'yes':
      return [{ ...at, kind: 'hide' }];
    case 'tmpfs':
      return [
        { ...at, kind: 'cover', clears: true, readOnly: true, mode, options: SMALL, flags: ['noSuid', 'noDevices'] },
      ];
  }
}

/** As systemd has them, in one file system: the bounds are of both together. */
function privateTmp(path: string, scratch: string): MountEntry {
  return {
    kind: 'cover',
    path,
    field: 'PrivateTmp',
    optional: true,
    mode: 0o1777,
    options: ['size=10%', 'nr_inodes=400k'],
    scratch,
    flags: ['noDevices'],
  };
}
