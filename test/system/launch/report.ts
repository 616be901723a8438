/**
 * What a program can tell of the world that it is in: a script that prints it, and what its words mean, as facts that two runs
 * of it can be compared by, one by one.
 */

import { callsScript } from './calls.ts';

/** Where the script lies in the machine. */
export const REPORT = '/usr/local/bin/report';

/** Looked at with stat(1), and written to, beside the service's own directories and the arguments of the script. */
const PLACES = `/ /etc /usr /var /var/lib /var/cache /var/log /run /run/user /home /root /boot /opt /srv /sys /proc
/tmp /var/tmp /dev /dev/shm /dev/mqueue /var/lib/private /var/cache/private /var/log/private /run/private`.replace(
  /\s+/g,
  ' ',
);

/** Of the kernel: opened to read, and to set. */
const KERNEL_FILES = `/proc/kallsyms /proc/kcore /proc/kmsg /dev/kmsg /proc/sysrq-trigger /proc/sys/kernel/domainname
/proc/irq/default_smp_affinity /sys/kernel/rcu_expedited /sys/fs/cgroup/cgroup.procs`.replace(/\s+/g, ' ');

const NAMESPACES = 'cgroup ipc mnt net pid pid_for_children time user uts';
/** Where the machine keeps those of its process 1, as the report prints its own. */
const HOST_NAMESPACES = '/etc/world-namespaces';
export const NAMESPACES_SCRIPT = `
for name in ${NAMESPACES}; do echo "host $name=$(readlink /proc/1/ns/$name)"; done >${HOST_NAMESPACES}
`;

/** Describes the session keyring, and looks for the key that systemd puts into it (keyctl(2), for which there is no program). */
const KEYS_SCRIPT = String.raw`use POSIX (); my $keyctl = (POSIX::uname())[4] eq "x86_64" ? 250 : 219;
  my $text = "\0" x 256; syscall($keyctl, 6, -3, $text, 256); $text =~ s/\0.*//s;
  print "session keyring=$text\n"; my $list = "\0" x 256; my $size = syscall($keyctl, 11, -3, $list, 256);
  my $linked = grep { my $link = "\0" x 256; syscall($keyctl, 6, $_, $link, 256); $link =~ /;_uid\./ }
    unpack("l*", substr($list, 0, $size < 0 ? 0 : $size));
  print "user keyring=", $linked ? "linked" : "apart", "\n";
  print "secure bits=", syscall($keyctl == 250 ? 157 : 167, 27, 0, 0, 0, 0), "\n"; my ($type, $name) = ("user", "invocation_id");
  print "key invocation_id=there\n" if syscall($keyctl, 10, -3, $type, $name, 0) >= 0`;

/** O_ACCMODE and O_APPEND. Others say how a file was opened, and nothing of it. */
const ACCESS_AND_APPEND = 0o2003;

/**
 * Prints sections, each of lines that partsOf() below splits. The environment is that of the shell's start: the shell adds to
 * its own.
 */
export const REPORT_SCRIPT = `#!/bin/sh
streams=$(for stream in 0 1 2; do
	echo "stream $stream=$(readlink /proc/$$/fd/$stream | sed 's/:\\[.*//')"
	echo "stream $stream flags=$((0$(sed -n 's/^flags:[^0-9]*//p' /proc/$$/fdinfo/$stream) & ${ACCESS_AND_APPEND}))"
done)
[ "$JOURNAL_STREAM" != "$(stat -Lc %d:%i /proc/$$/fd/2)" ] || journal=told
case "$streams" in *"stream 0=/memfd:"* | *"stream 0=/srv/"*) input=$(head -c 100 | od -An -c) ;; esac
exec 2>&1
mask=$(umask)
section() { printf '== %s\\n' "$1"; }
section id
id -u; id -g; id -G
# Where a name is not known they print a number.
for names in -un -gn -Gn; do id $names 2>/dev/null; done
section environment
tr '\\0' '\\n' </proc/$$/environ | sed "/^JOURNAL_STREAM=/s/:.*//; s/^LISTEN_PID=$$$/LISTEN_PID=own/"
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
echo "oom score=$(cat /proc/self/oom_score_adj)"
echo "coredump filter=$(cat /proc/self/coredump_filter)"
read -r slack </proc/self/timerslack_ns; echo "timer slack=$slack"
echo "personality=$(cat /proc/self/personality)"
echo "machine=$(uname -m)"
echo "scheduling=$(chrt -p $$ | sed 's/.*: //' | tr '\\n' ' ')"
echo "processors=$(taskset -cp $$ | sed 's/.*: //')"
echo "input and output=$(ionice -p $$)"
echo "memory policy=$(sed 's/^[^ ]* \\([^ ]*\\).*/\\1/;q' /proc/self/numa_maps 2>&1)"
echo "merges pages=$(sed -n 's/ksm_merge_any: //p' /proc/self/ksm_stat 2>&1)"
for descriptor in /proc/$$/fd/*; do
	# The shell keeps its script above 9, and that of the pattern is closed by now.
	[ "\${descriptor##*/}" -ge 10 ] || [ "\${descriptor##*/}" -lt 3 ] || [ ! -e "$descriptor" ] ||
		echo "descriptor \${descriptor##*/}=$(readlink $descriptor | sed 's/:\\[.*//')"
done
section streams
echo "$streams"
echo "journal=$journal"
echo "input=$(echo $input)"
echo "terminal=$(stty size 2>&1; tty 2>&1)"
section credentials
echo "units with credentials=$(ls /run/credentials 2>&1 | tr '\\n' ' ')"
if [ -d "$CREDENTIALS_DIRECTORY" ]; then
	cd "$CREDENTIALS_DIRECTORY"
	for name in . *; do
		echo "credential $name=$(stat -c '%F %a %U %G' "$name") $(getfacl -cn "$name" | sed "s/:$(id -u):/:SELF:/" | tr '\\n' ' ')"
		[ ! -f "$name" ] || echo "content $name=$(od -An -c "$name" | tr '\\n' ' ')"
	done
	echo "write a credential=$(touch file 2>&1 | sed 's/.*: //')"
	cd /
fi
section keys
perl -e '${KEYS_SCRIPT}'
section calls
perl -e '${callsScript()}'
section network
# With lo alone, and lo up, a port that nobody listens on refuses; without it there is no way there.
echo "interfaces=$(ls /sys/class/net | tr '\\n' ' ')"
echo "loopback=$(perl -MIO::Socket -e 'IO::Socket::INET->new(PeerAddr => "127.0.0.1:1") or print $!')"
echo "queues=$(perl -e 'print msgget(0x6475, 0) ? "seen" : "$!"')"
echo "processes of root=$(ls -d /proc/1 2>&1)"
section kernel
opens() {
	[ -e "$1" ] || { echo "kernel $1=nothing"; return; }
	words=$(exec 2>&1; true <"$1") && echo "read $1=allowed" || echo "read $1=\${words##*: }"
	words=$(exec 2>&1; true >>"$1") && echo "set $1=allowed" || echo "set $1=\${words##*: }"
}
for file in ${KERNEL_FILES}; do opens $file; done
echo "host name=$(uname -n)"
for file in uid_map gid_map setgroups; do echo "$file=$(tr -s ' \n' ' ,' </proc/self/$file)"; done
# Where the unit is in the tree is the manager's business.
echo "control group=$(sed -n 's|/.*\\.service|(unit)|; s|^0::||p' /proc/self/cgroup)"
section namespaces
for name in ${NAMESPACES}; do echo "$name=$(readlink /proc/self/ns/$name)"; done
cat ${HOST_NAMESPACES}
section limits
cat /proc/self/limits
section places
own=$(echo "$STATE_DIRECTORY:$CACHE_DIRECTORY:$LOGS_DIRECTORY:$RUNTIME_DIRECTORY:$CONFIGURATION_DIRECTORY" | tr ':' ' ')
set -- ${PLACES} $own "$@"
# One program for all of them: there are hundreds of reports, and of each this is the longest part.
stat -c '%n=%F %a %U %G' "$@" 2>/dev/null
for place; do
	[ -e "$place" ] || [ -L "$place" ] || echo "$place=nothing"
	if [ -d "$place" ]; then
		if words=$(touch "$place/.mark" 2>&1); then
			echo "write $place=$(stat -c 'as %U %G %a' "$place/.mark")"
			rm -f "$place/.mark"
		else
			echo "write $place=\${words##*: }"
		fi
	fi
	[ ! -c "$place" ] || echo "use $place=$( (: <"$place") 2>&1 | sed 's/.*: //') $( (: >"$place") 2>&1 | sed 's/.*: //')"
	[ ! -L "$place" ] || echo "link $place=$(readlink "$place")"
done
`;

/** Prints what a unit left on the host, run there after it. Whose it is shows inside. */
export const HOST_REPORT = `cd / && find var/lib/world-* var/lib/deep var/lib/private/world-* var/cache/world-* \
  var/cache/private/world-* var/log/world-* var/log/private/world-* run/world-* run/private/world-* etc/world-* \
  etc/default/world -printf '%p=%y %m %l\\n' 2>/dev/null | grep -v '^etc/world-environment=' || true`;

/** What is known of a world: what it is about, and what is so. */
export type Facts = ReadonlyMap<string, string>;

/** The fact of a world that there is not. */
export const NOT_STARTED = 'not started';

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

export function hostFactsOf(report: string): Facts {
  const lines = report.split('\n').filter(line => line !== '');
  return new Map(lines.map(line => [`host /${before(line, '=')}`, after(line, '=').trim()]));
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
    case 'namespaces':
      return lines
        .filter(line => !line.startsWith('host '))
        .map(line => [`namespace ${before(line, '=')}`, lines.includes(`host ${line}`) ? "the host's" : 'its own']);
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
