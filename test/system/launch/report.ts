/**
 * What a program can tell of the world that it is in: a script that prints it, and what its words mean, as facts that two runs
 * of it can be compared by, one by one.
 */

/** Where the script lies in the machine. */
export const REPORT = '/usr/local/bin/report';

/** Looked at with stat(1), and written to, beside the service's own directories and the arguments of the script. */
const PLACES = `/ /etc /usr /var /var/lib /var/cache /var/log /run /run/user /home /root /boot /opt /srv /sys /proc
/tmp /var/tmp /dev /dev/shm /dev/mqueue /var/lib/private /var/cache/private /var/log/private /run/private`.replace(
  /\s+/g,
  ' ',
);

/** Describes the session keyring, and looks for the key that systemd puts into it (keyctl(2), for which there is no program). */
const KEYS_SCRIPT = String.raw`use POSIX (); my $keyctl = (POSIX::uname())[4] eq "x86_64" ? 250 : 219;
  my $text = "\0" x 256; syscall($keyctl, 6, -3, $text, 256); $text =~ s/\0.*//s;
  print "session keyring=$text\n"; my ($type, $name) = ("user", "invocation_id");
  print "key invocation_id=there\n" if syscall($keyctl, 10, -3, $type, $name, 0) >= 0`;

/**
 * Prints sections, each of lines that partsOf() below splits. The environment is that of the shell's start: the shell adds to
 * its own.
 */
export const REPORT_SCRIPT = `#!/bin/sh
exec 2>&1
mask=$(umask)
section() { printf '== %s\\n' "$1"; }
section id
id -u; id -g; id -G; id -un; id -gn; id -Gn
section environment
tr '\\0' '\\n' </proc/$$/environ
section mounts
findmnt --raw --noheadings --output ID,PARENT,TARGET,FSTYPE,OPTIONS,PROPAGATION,FSROOT
section status
cat /proc/self/status
section devices
find /dev -maxdepth 1 -mindepth 1 -printf '%P=%M %u %g %l\\n'
section process
echo "umask=$mask"
echo "directory=$(/bin/pwd)"
echo "nice=$(nice)"
for descriptor in /proc/$$/fd/*; do
	# The shell keeps its script above 9, and that of the pattern is closed by now.
	[ "\${descriptor##*/}" -ge 10 ] || [ ! -e "$descriptor" ] || echo "descriptor \${descriptor##*/}=open"
done
section keys
perl -e '${KEYS_SCRIPT}'
section network
# With lo alone, and lo up, a port that nobody listens on refuses; without it there is no way there.
echo "interfaces=$(ls /sys/class/net | tr '\\n' ' ')"
echo "loopback=$(perl -MIO::Socket -e 'IO::Socket::INET->new(PeerAddr => "127.0.0.1:1") or print $!')"
echo "queues=$(perl -e 'print msgget(0x6475, 0) ? "seen" : "$!"')"
echo "processes of root=$(ls -d /proc/1 2>&1)"
section limits
cat /proc/self/limits
section places
own=$(echo "$STATE_DIRECTORY:$CACHE_DIRECTORY:$LOGS_DIRECTORY:$RUNTIME_DIRECTORY:$CONFIGURATION_DIRECTORY" | tr ':' ' ')
for place in ${PLACES} $own "$@"; do
	stat -c '%n=%F %a %U %G' "$place" 2>/dev/null || echo "$place=nothing"
	if [ -d "$place" ]; then
		echo "write $place=$(words=$(touch "$place/.mark" 2>&1) && stat -c 'as %U %G %a' "$place/.mark" && rm -f "$place/.mark" || echo "\${words##*: }")"
	fi
	[ ! -L "$place" ] || echo "link $place=$(readlink "$place")"
done
`;

/** What is known of a world: what it is about, and what is so. */
export type Facts = ReadonlyMap<string, string>;

/** Of the process itself, and different each time. */
const OF_THE_MOMENT =
  /^(?:Name|State|Pid|PPid|Tgid|Ngid|TracerPid|NS\w+|FDSize|Vm\w+|Rss\w+|HugetlbPages|Threads|SigQ|Cpus_\w+|Mems_\w+|\w*ctxt_\w+|CoreDumping|THP_\w+|untag_mask|x86_\w+|Kthread)$/;

/** @throws Error where the script did not get to its end */
export function factsOf(report: string): Facts {
  const facts = new Map<string, string>();
  const sections = report.split(/^== (\w+)\n/m).slice(1);
  for (let index = 0; index + 1 < sections.length; index += 2) {
    const [name = '', text = ''] = [sections[index], sections[index + 1]];
    for (const [what, value] of readSection(name, text.trimEnd().split('\n'))) {
      facts.set(what, value);
    }
  }
  if (!facts.has('write /')) {
    throw new Error(`a report without an end:\n${report}`);
  }
  return facts;
}

/** Of a namespace that is kept at a path: systemd takes no right to write from it, and there is nothing to write to. */
const NAMESPACE = 'nsfs';

const IDENTITIES = ['uid', 'gid', 'groups', 'user name', 'group name', 'group names'] as const;

function readSection(name: string, lines: readonly string[]): (readonly [what: string, value: string])[] {
  switch (name) {
    case 'id':
      return lines.map((line, index) => [IDENTITIES[index] ?? `id ${index}`, line]);
    case 'environment':
      return lines.map(line => [`variable ${before(line, '=')}`, after(line, '=')]);
    case 'mounts':
      return visible(lines.map(mountOf))
        .filter(({ type }) => type !== NAMESPACE)
        .flatMap(mountFacts);
    case 'status':
      return lines
        .map(line => [before(line, ':'), after(line, ':').trim()] as const)
        .filter(([what]) => !OF_THE_MOMENT.test(what))
        .map(([what, value]) => [`status ${what}`, value]);
    case 'devices':
      return lines.map(line => [`device ${before(line, '=')}`, after(line, '=').trim()]);
    case 'limits':
      return lines
        .slice(1)
        .map(line => [`limit ${line.slice(0, 26).trim()}`, line.slice(26).trim().replace(/\s+/g, ' ')]);
    default:
      return lines.filter(line => line !== '').map(line => [before(line, '='), after(line, '=')]);
  }
}

interface Mount {
  readonly id: string;
  readonly parent: string;
  readonly target: string;
  readonly type: string;
  readonly options: string;
  readonly propagation: string;
  readonly root: string;
}

function mountOf(line: string): Mount {
  const [id = '', parent = '', target = '', type = '', options = '', propagation = '', root = ''] = line.split(' ');
  return { id, parent, target, type, options, propagation, root };
}

/** Without those that others are mounted over: nobody gets there. */
function visible(mounts: readonly Mount[]): Mount[] {
  const ids = new Set(mounts.map(({ id }) => id));
  const root = mounts.find(({ parent }) => !ids.has(parent));
  return mounts.filter(mount => {
    let reached = root;
    for (let next = reached; next !== undefined; ) {
      reached = next;
      next = mounts
        .filter(({ parent, target }) => parent === reached?.id && isWithin(mount.target, target))
        .sort((one, other) => one.target.length - other.target.length)[0];
    }
    return reached === mount;
  });
}

function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory === '/' ? '/' : `${directory}/`);
}

/** The options one by one: a difference in one of them does not hide the others. */
function mountFacts({ target, type, options, propagation, root }: Mount): (readonly [string, string])[] {
  return [
    [`mount ${target}`, type],
    [`mount ${target} propagation`, propagation],
    [`mount ${target} root`, root],
    ...options
      .split(',')
      .map(option => [`mount ${target} option ${before(option, '=')}`, after(option, '=') || 'set'] as const),
  ];
}

function before(text: string, separator: string): string {
  return text.split(separator, 1)[0] ?? '';
}

function after(text: string, separator: string): string {
  return text.slice(before(text, separator).length + 1);
}
