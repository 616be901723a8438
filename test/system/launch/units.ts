/** The unit files whose worlds are compared: what each has in [Service] beside the program, and what lies on the host for it. */
import { BAD_UNITS } from './bad-units.ts';
import { CREDENTIAL_UNITS, CREDENTIALS_SCRIPT } from './credential-units.ts';
import { DYNAMIC_UNITS } from './dynamic-units.ts';
import { FILES_UNITS } from './files-units.ts';
import { FILTER_UNITS } from './filters-units.ts';
import { KERNEL_UNITS } from './kernel-units.ts';
import { NAMESPACE_SCRIPT, NAMESPACE_UNITS } from './namespace-units.ts';
import { NAMESPACES_SCRIPT } from './report.ts';
import { STATIC_UNITS } from './static-units.ts';
import { STREAM_UNITS, STREAMS_SCRIPT } from './stream-units.ts';

export interface ComparedUnit {
  /** the unit's name, without its suffix */
  readonly name: string;
  /** lines of [Service] */
  readonly lines: readonly string[];
  readonly instance?: string;
  /** paths to look at beside those that all look at, with the specifiers of unit files */
  readonly places?: readonly string[];
}

/** Makes what the units below find on the host. */
export const HOST_SCRIPT = `
mkdir -p /srv/world-data/inner /srv/world-hidden /srv/world-target /home/somebody
echo secret >/srv/world-hidden/file
echo data >/srv/world-data/file
chmod 1777 /srv/world-data
perl -e 'msgget(0x6475, 01000 | 0666) // die $!'
[ -e /dev/kmsg ] || mknod -m 644 /dev/kmsg c 1 3
mkdir -p /srv/world-root
mknod /srv/world-device c 1 3; mknod /dev/world-secret c 1 11; mknod /dev/world-read c 1 11; mknod /dev/world-block b 254 77
chmod 0666 /srv/world-device /dev/world-secret; chmod 0644 /dev/world-read
mknod /dev/world-target c 1 7; chmod 0666 /dev/world-target; ln -s world-target /dev/world-link
for name in bin lib lib64 sbin; do [ ! -e /usr/$name ] || ln -s usr/$name /srv/world-root/$name; done
chmod 0777 /srv/world-data/inner
${NAMESPACES_SCRIPT}
${STREAMS_SCRIPT}
${CREDENTIALS_SCRIPT}
${NAMESPACE_SCRIPT}
printf 'FROM_FILE=1 2\\nBOTH=file\\n' >/etc/world-environment
echo 'world-homeless:x:778:60::/:/bin/false' >>/etc/passwd
echo 'world-media:x:777:world-groups' >>/etc/group
`;

/** Takes away what a run of them leaves, but for the boundaries, which are the daemon's while it runs. */
export const CLEAN_SCRIPT = `
rm -rf /var/lib/world-* /var/lib/private/world-* /var/lib/deep /var/cache/world-* /var/cache/private/world-*
rm -rf /var/log/world-* /var/log/private/world-* /run/world-* /run/private/world-* /etc/world-configuration /etc/default/world
rm -f /run/report-output
`;

const KINDS: readonly (readonly ComparedUnit[])[] = [
  DYNAMIC_UNITS,
  STATIC_UNITS,
  FILES_UNITS,
  BAD_UNITS,
  KERNEL_UNITS,
  STREAM_UNITS,
  FILTER_UNITS,
  CREDENTIAL_UNITS,
  NAMESPACE_UNITS,
];

export const UNITS: readonly ComparedUnit[] = KINDS.flat();

const EVERY = 7;
/** Of each kind the first, and then a seventh. */
export const SOME_UNITS: readonly ComparedUnit[] = KINDS.flatMap(units =>
  units.filter((_, index) => index % EVERY === 0),
);
