/** The unit files whose worlds are compared: what each has in [Service] beside the program, and what lies on the host for it. */
import { DYNAMIC_UNITS } from './dynamic-units.ts';
import { STATIC_UNITS } from './static-units.ts';

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
mkdir -p /srv/world-root
for name in bin lib lib64 sbin; do [ ! -e /usr/$name ] || ln -s usr/$name /srv/world-root/$name; done
chmod 0777 /srv/world-data/inner
printf 'FROM_FILE=1 2\\nBOTH=file\\n' >/etc/world-environment
echo 'world-homeless:x:778:60::/:/bin/false' >>/etc/passwd
echo 'world-media:x:777:world-groups' >>/etc/group
`;

/** Takes away what a run of them leaves, but for the boundaries, which are the daemon's while it runs. */
export const CLEAN_SCRIPT = `
rm -rf /var/lib/world-* /var/lib/private/world-* /var/lib/deep /var/cache/world-* /var/cache/private/world-*
rm -rf /var/log/world-* /var/log/private/world-* /run/world-* /run/private/world-* /etc/world-configuration
rm -f /run/report-output
`;

export const UNITS: readonly ComparedUnit[] = [...DYNAMIC_UNITS, ...STATIC_UNITS];
