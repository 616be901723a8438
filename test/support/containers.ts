/** podman in a machine, from Debian's packages. */
import type { Machine } from './machine.ts';
import { unpackSupervisor } from './supervisors/packages.ts';

/**
 * What a machine lacks: a /proc/sys that can be written to, its own control groups, a network. Images are plain directories, since
 * /var/lib may be on an overlay.
 */
const CONTAINERS = `[containers]
default_sysctls = []
cgroups = "disabled"
netns = "none"
log_driver = "none"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
`;
const STORAGE = `[storage]
driver = "vfs"
runroot = "/run/containers/storage"
graphroot = "/var/lib/containers/storage"
`;

/** In the machine, once it has podman as the tests want it: the host may have one, with what its owner configured. */
const INSTALLED = '/run/podman-is-installed';

/** Unpacks it, with crun, unless that is done. */
export async function installPodman(machine: Machine): Promise<void> {
  if ((await machine.run(['test', '-e', INSTALLED])).status === 0) {
    return;
  }
  for (const name of ['podman', 'crun', 'netavark']) {
    await unpackSupervisor(machine, name);
  }
  await machine.write('/etc/containers/containers.conf', CONTAINERS);
  await machine.write('/etc/containers/storage.conf', STORAGE);
  await machine.write(INSTALLED, '');
}
