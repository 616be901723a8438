/** A portable service image in a machine: the machine's own /usr, and the files of another system. */
import type { Machine } from './machine.ts';

export const IMAGE = '/srv/minimal_1';
export const IMAGE_STATE = '/var/lib/private/minimal/log';

/** Everything that attach could have made. */
export const PLACES =
  '/etc/systemd/system.attached /run/systemd/system.attached /etc/portables /run/portables /etc/dynuser /etc/init.d /etc/runlevels /etc/sv /etc/s6 /etc/service/ /run/service';

/** @returns what a program is started by that is killed at a call of the kernel: the first one is 1 */
export function killedAt(call: string, at: number): string[] {
  return [
    'strace',
    '-f',
    '-qq',
    '-o',
    '/dev/null',
    '-e',
    `trace=${call}`,
    '-e',
    `inject=${call}:signal=KILL:when=${at}`,
  ];
}

/** Each start is a line of its state: who it is, and what of the host it sees. */
export const IMAGE_UNITS: Readonly<Record<string, string>> = {
  'minimal.service': `[Unit]
Description=A minimal service
[Service]
StateDirectory=minimal
ExecStart=/bin/sh -c 'echo "$$(id -u) $$PORTABLE $$(cat /etc/image) $$(ls /srv | wc -l)" >>$STATE_DIRECTORY/log; exec sleep 1000'
[Install]
WantedBy=multi-user.target
`,
  'minimal-tick.timer': '[Timer]\nOnBootSec=1h\nUnit=minimal.service\n',
  'minimal@.service': '[Service]\nExecStart=/bin/sleep 1000\n',
  'other.service': '[Service]\nExecStart=/bin/true\n',
};

/** @param more lines of its os-release file */
export async function makeImage(machine: Machine, path = IMAGE, more = ''): Promise<void> {
  await machine.sh(`
    mkdir -p ${path} && cd ${path}
    mkdir -p usr etc/systemd/system proc sys dev run tmp var/tmp var/lib root srv
    for name in bin sbin lib lib64; do [ ! -L /$name ] || ln -s usr/$name $name; done
    touch etc/machine-id etc/resolv.conf && echo image >etc/image
    printf 'ID=test\\nVERSION_ID=1\\nPRETTY_NAME="A test image"\\nPORTABLE_PREFIXES="minimal other"\\n${more}' >etc/os-release
    mount --bind /usr usr`);
  for (const [name, text] of Object.entries(IMAGE_UNITS)) {
    await machine.write(`${path}/etc/systemd/system/${name}`, text);
  }
}
