/** What the service sees of the host as a whole, and what goes with it (systemd.exec(5), "Sandboxing"). */
import type { MountEntry } from '../namespace/mount-entry.ts';
import { DEVICE_CAPABILITIES } from '../syntax/capabilities.ts';
import { boolean, choice, word } from './property.ts';

const HOMES = ['/home', '/root', '/run/user'] as const;
/** They have protections of their own, and stay as they are if "/" becomes read-only. */
const KERNEL_TREES = ['/dev', '/proc', '/sys'] as const;

/** The size of file systems that hold only directories to mount on; systemd has the same. */
export const SMALL = ['size=4m', 'nr_inodes=1k'] as const;

export const SANDBOX = {
  ProtectSystem: choice(['full', 'strict'], {
    // A dynamic user's UID is another's later: as with systemd, a weaker value becomes "strict". "no" is a decision.
    implied: given => (given === 'no' ? 'no' : 'strict'),
    untrusted: 'strict',
    needs: 'mounts',
    lost: 'the file system stays writable',
    meaning: 'the file system is read-only',
    mounts: protectSystem,
  }),
  ProtectHome: choice(['read-only', 'tmpfs'], {
    implied: given => given ?? 'read-only',
    untrusted: 'yes',
    needs: 'mounts',
    lost: 'homes are as open as their modes',
    meaning: '/home, /root and /run/user are protected',
    mounts: (value, { isStrict }) => HOMES.flatMap(path => protectHome(path, value, isStrict)),
  }),
  // systemd 257 has two kinds; here both are an empty one that goes with the service.
  PrivateTmp: boolean(
    {
      implied: given => given ?? true,
      untrusted: 'yes',
      needs: 'mounts',
      lost: '/tmp and /var/tmp are shared with all',
      meaning: '/tmp and /var/tmp are its own, and go with it',
      mounts: on => (on ? [privateTmp('/tmp', 'tmp'), privateTmp('/var/tmp', 'var-tmp')] : []),
    },
    'disconnected',
  ),
  RemoveIPC: boolean({
    implied: given => given ?? true,
    untrusted: 'yes',
    meaning: 'its IPC objects go with it',
  }),
  PrivateDevices: boolean({
    untrusted: 'yes',
    needs: 'mounts',
    lost: 'all devices are there, each as open as its mode',
    meaning: '/dev has terminals, shared memory and devices that hold nothing',
    dropsCapabilities: DEVICE_CAPABILITIES,
  }),
  // systemd's "self" and "yes" are the same for a service of the system.
  PrivateUsers: boolean(
    {
      untrusted: 'yes',
      needs: 'namespace',
      lost: 'the user sees all other users',
      meaning: 'it sees itself and root; everybody else is nobody',
      plan: privateUsers => ({ privateUsers }),
    },
    'self',
  ),
  PrivateMounts: boolean({
    needs: 'mounts',
    lost: 'mounts that it makes are seen outside',
    meaning: 'mounts that it makes are not seen outside',
  }),
  PrivateNetwork: boolean({
    untrusted: 'yes',
    needs: 'mounts',
    lost: "the network is the host's",
    meaning: 'its network has a loopback interface and nothing else',
    plan: privateNetwork => ({ privateNetwork }),
  }),
  PrivateIPC: boolean({
    untrusted: 'yes',
    needs: 'mounts',
    lost: 'System V objects and message queues are shared with all',
    meaning: 'System V objects and message queues are its own',
    plan: privateIPC => ({ privateIPC }),
  }),
  ProtectProc: word(['default', 'noaccess', 'invisible', 'ptraceable'], {
    untrusted: 'invisible',
    needs: 'mounts',
    lost: 'the processes of all users are seen',
    meaning: 'of the processes of others /proc shows less',
  }),
  ProcSubset: word(['all', 'pid'], {
    untrusted: 'pid',
    needs: 'mounts',
    lost: 'all of /proc is there',
    meaning: '/proc has processes alone',
  }),
};

function protectSystem(value: 'no' | 'yes' | 'full' | 'strict'): MountEntry[] {
  const at = (path: string) => ({ path, field: 'ProtectSystem', optional: true });
  switch (value) {
    case 'no':
      return [];
    case 'strict':
      return KERNEL_TREES.map(path => ({ ...at(path), kind: 'exempt' }));
    default:
      return ['/usr', '/boot', '/efi', ...(value === 'full' ? ['/etc'] : [])].map(path => ({
        ...at(path),
        kind: 'readOnly',
      }));
  }
}

function protectHome(path: string, value: 'no' | 'yes' | 'read-only' | 'tmpfs', isStrict: boolean): MountEntry[] {
  const at = { path, field: 'ProtectHome', optional: true };
  switch (value) {
    case 'no':
      return isStrict ? [{ ...at, kind: 'exempt' }] : [];
    case 'read-only':
      return [{ ...at, kind: 'readOnly' }];
    case 'yes':
      return [{ ...at, kind: 'hide' }];
    case 'tmpfs':
      return [
        {
          ...at,
          kind: 'cover',
          clears: true,
          readOnly: true,
          mode: path === '/root' ? 0o700 : 0o755,
          options: SMALL,
          flags: ['noSuid', 'noDevices'],
        },
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
    flags: ['noSuid', 'noDevices'],
  };
}
