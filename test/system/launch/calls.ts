/** System calls that are tried from within a world: what each answers tells of the filters of system calls. */
import process from 'node:process';
import { abisOf, targetsOf } from '../../../src/launch/filter/abi.ts';

/** None of them does anything if it gets past the filters: what they are called with is wrong. */
const CALLS: readonly (readonly [label: string, name: string, ...args: readonly number[]])[] = [
  ['getppid', 'getppid'],
  ['no call', 'none'],
  ['adjtimex', 'adjtimex', 0],
  ['clock_settime', 'clock_settime', 99, 0],
  ['clock_adjtime', 'clock_adjtime', 99, 0],
  ['init_module', 'init_module', 0, 0, 0],
  ['finit_module', 'finit_module', -1, 0, 0],
  ['delete_module', 'delete_module', 0, 0],
  ['syslog', 'syslog', 99, 0, 0],
  ['_sysctl', '_sysctl', 0],
  ['sethostname', 'sethostname', 0, -1],
  ['setdomainname', 'setdomainname', 0, -1],
  ['ioperm', 'ioperm', -1, 1, 0],
  ['iopl', 'iopl', 9],
  ['sched_setscheduler other', 'sched_setscheduler', -1, 0, 0],
  ['sched_setscheduler rr', 'sched_setscheduler', -1, 2, 0],
  ['sched_setscheduler reset on fork', 'sched_setscheduler', -1, 0x4000_0000, 0],
  ['unshare nothing', 'unshare', 0],
  ['unshare user', 'unshare', 0x1000_0008],
  ['unshare net', 'unshare', 0x4000_0008],
  ['unshare mnt', 'unshare', 0x0002_0008],
  ['clone user', 'clone', 0x1000_0200, 0, 0, 0, 0],
  ['clone net', 'clone', 0x4000_0800, 0, 0, 0, 0],
  ['clone3', 'clone3', 0, 0],
  ['setns any', 'setns', -1, 0],
  ['setns net', 'setns', -1, 0x4000_0000],
  ['setns user', 'setns', -1, 0x1000_0000],
  ['socket unix', 'socket', 1, 15, 0],
  ['socket inet', 'socket', 2, 15, 0],
  ['socket inet6', 'socket', 10, 15, 0],
  ['socket netlink', 'socket', 16, 15, 0],
  ['socket packet', 'socket', 17, 15, 0],
  ['socket alg', 'socket', 38, 15, 0],
  ['socket no family', 'socket', 0, 15, 0],
  ['socketpair', 'socketpair', 17, 15, 0, 0],
  ['mmap write execute', 'mmap', 0, 4096, 7, 0x22, -1, 0],
  ['mprotect execute', 'mprotect', 0, 0, 4],
  ['shmat execute', 'shmat', -1, 0, 0o100000],
  ['chmod setuid', 'fchmodat', -1, 0, 0o4755],
  ['openat2', 'openat2', -1, 0, 0, 24],
  ['ptrace', 'ptrace', 99, 0, 0, 0],
  ['kexec_load', 'kexec_load', 0, 0, 0, 0xff],
  ['reboot', 'reboot', 0, 0, 0, 0],
  ['swapon', 'swapon', 0, 0],
  ['mount', 'mount', 0, 0, 0, 0, 0],
  ['umount2', 'umount2', 0, 0xff],
  ['bpf', 'bpf', -1, 0, 0],
  ['perf_event_open', 'perf_event_open', 0, 0, 0, 0, 0],
  ['keyctl', 'keyctl', -1],
  ['io_uring_setup', 'io_uring_setup', 0, 0],
  ['chroot', 'chroot', 0],
  ['fchown', 'fchown', -1, 0, 0],
  ['setrlimit', 'setrlimit', 99, 0],
  ['sched_setaffinity', 'sched_setaffinity', -1, 0, 0],
  ['uname', 'uname', 0],
  ['fsync', 'fsync', -1],
  // The last ones, since they succeed: the process has another domain then.
  ['personality as it is', 'personality', 0],
  ['personality of another', 'personality', 8],
  ['personality asked for', 'personality', 0xffff_ffff],
];

/** Of no call. */
const NO_CALL = 700;

/**
 * For perl: prints "call LABEL=ERROR" for each call, or the signal that ended the process. A child tries all of them; if one ends it, there is
 * a child for each.
 */
export function callsScript(): string {
  const [native = 'x86-64'] = abisOf(process.arch) ?? [];
  const calls = CALLS.flatMap(([label, name, ...args]) => {
    const number = name === 'none' ? NO_CALL : targetsOf(name, native)[0]?.number;
    return number === undefined ? [] : [`["${label}", ${[number, ...args].join(', ')}]`];
  });
  return `my @calls = (${calls.join(', ')});
  sub attempt { my ($label, @call) = @_; $! = 0; my $result = syscall($call[0], @call[1 .. $#call]);
    return "call $label=" . ($result < 0 ? $! : "done") . "\\n"; }
  sub in_child { my $from = open(my $said, "-|") // die $!;
    if ($from == 0) { my $text = join("", map { attempt(@$_) } @_); print $text; exit 0; }
    my $text = join("", <$said>); close($said); return $? & 127 ? (undef, $? & 127) : ($text, 0); }
  my ($all) = in_child(@calls);
  if (defined $all) { print $all; }
  else { for my $call (@calls) { my ($one, $signal) = in_child($call); print $one // "call $call->[0]=signal $signal\\n"; } }`;
}
