/**
 * What systemd-analyze(1) says that a unit keeps its service from, dynuser-run keeps it from: each of its lines is tried by a
 * program in the service, and by root outside of it, who can do it.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { failFor } from '../../../src/launch/errors.ts';
import { readCapability } from '../../../src/launch/syntax/capabilities.ts';
import { DYNUSER_NSSWITCH, Installed } from '../../support/installed.ts';
import { Machine } from '../../support/machine.ts';
import { callsScript } from './calls.ts';

const UNIT = '/etc/systemd/system/exposed.service';
const PROBE = '/usr/local/bin/probe';
const PROPERTIES = [
  ...['DynamicUser=yes', 'PrivateTmp=yes', 'PrivateDevices=yes', 'PrivateUsers=yes', 'PrivateIPC=yes'],
  ...['PrivateMounts=yes', 'PrivateNetwork=yes', 'ProtectSystem=strict', 'ProtectHome=yes', 'ProtectProc=invisible'],
  ...['ProcSubset=pid', 'ProtectKernelTunables=yes', 'ProtectKernelModules=yes', 'ProtectKernelLogs=yes'],
  ...['ProtectControlGroups=yes', 'ProtectClock=yes', 'ProtectHostname=yes', 'NoNewPrivileges=yes'],
  ...['RestrictSUIDSGID=yes', 'RestrictRealtime=yes', 'RestrictNamespaces=yes', 'RestrictAddressFamilies=AF_UNIX'],
  ...['LockPersonality=yes', 'MemoryDenyWriteExecute=yes', 'SystemCallArchitectures=native'],
  ...['SystemCallFilter=@system-service', 'SystemCallFilter=~@privileged @resources', 'SystemCallErrorNumber=EPERM'],
  ...['CapabilityBoundingSet=', 'UMask=0077', 'RemoveIPC=yes', 'IPAddressDeny=any', 'KeyringMode=private'],
];

/** Prints "done NAME" for what can be done, and lines of its status. */
const SCRIPT = `#!/bin/sh
try() { name=$1; shift; "$@" >/dev/null 2>&1 && echo "done $name"; }
grep -E '^(Cap|NoNewPrivs|Groups|Uid)' /proc/self/status
try system touch /usr/local/written
try home ls /home/somebody
try temporary cat /tmp/of-others
try processes test -e /proc/1/status
try memory test -e /proc/meminfo
try devices test -e /dev/exposed
try log test -e /dev/kmsg
try groups mkdir /sys/fs/cgroup/exposed
try modules ls /usr/lib/modules/exposed
try tunables sh -c ': >>/proc/sys/kernel/domainname'
try network test -e /sys/class/net/exposed
try users grep -q 4294967295 /proc/self/uid_map
try readable sh -c 'cd /var/tmp && touch mode && [ "$(stat -c %a mode)" != 600 ]'
try setuid sh -c 'cd /var/tmp && touch bits && chmod 4755 bits'
try queues perl -e 'msgget(0x6475, 0) // exit 1'
perl -e '${callsScript()}'
`;

/** Of the lines that no capability and no group of system calls is in: what the script does, or calls, and may not be done. */
const TRIED: Readonly<Record<string, readonly string[]>> = {
  SystemCallFilter_swap: ['swapon'],
  SystemCallFilter_resources: ['setrlimit', 'sched_setaffinity'],
  SystemCallFilter_reboot: ['reboot', 'kexec_load'],
  SystemCallFilter_raw_io: ['iopl', 'ioperm'],
  SystemCallFilter_privileged: ['chroot', 'fchown'],
  SystemCallFilter_mount: ['mount', 'umount2'],
  SystemCallFilter_module: ['finit_module', 'delete_module'],
  SystemCallFilter_debug: ['ptrace', 'perf_event_open'],
  SystemCallFilter_clock: ['clock_settime', 'adjtimex'],
  RestrictRealtime: ['sched_setscheduler rr'],
  ProtectSystem: ['system'],
  ProtectProc: ['processes'],
  PrivateNetwork: ['network'],
  PrivateTmp: ['temporary'],
  ProcSubset: ['memory'],
  ProtectHome: ['home'],
  PrivateDevices: ['devices'],
  PrivateUsers: ['users'],
  ProtectClock: ['clock_settime'],
  ProtectKernelLogs: ['log', 'syslog'],
  ProtectControlGroups: ['groups'],
  ProtectKernelModules: ['modules', 'finit_module'],
  ProtectKernelTunables: ['tunables'],
  ProtectHostname: ['sethostname', 'setdomainname'],
  MemoryDenyWriteExecute: ['mmap write execute'],
  RestrictNamespaces_user: ['unshare user', 'clone user', 'clone3'],
  RestrictNamespaces_net: ['unshare net', 'clone net'],
  RestrictNamespaces_mnt: ['unshare mnt'],
  LockPersonality: ['personality of another'],
  RestrictAddressFamilies_AF_PACKET: ['socket packet'],
  RestrictAddressFamilies_AF_NETLINK: ['socket netlink'],
  RestrictAddressFamilies_OTHER: ['socket alg'],
  RestrictAddressFamilies_AF_INET_INET6: ['socket inet', 'socket inet6'],
  RestrictSUIDSGID: ['setuid', 'chmod setuid'],
  UMask: ['readable'],
};
/** How a call is refused; with what they are called with, it gets another error past all filters. */
const REFUSED =
  /^call (.*)=(?:Operation not permitted|Permission denied|Address family not supported by protocol|Function not implemented)$/;

interface Line {
  readonly set: boolean | null;
  readonly json_field: string;
  readonly name: string;
}

describe('what systemd-analyze counts as kept from a service', () => {
  let machine: Machine;
  let lines: readonly Line[];
  let inside: string;
  let outside: string;

  before(async () => {
    machine = await Machine.boot({ init: 'plain', stage: true, nsswitch: DYNUSER_NSSWITCH });
    await machine.write(UNIT, ['[Service]', ...PROPERTIES, `ExecStart=${PROBE}`, ''].join('\n'));
    await machine.write(PROBE, SCRIPT, 0o755);
    await machine.sh(`mkdir -p /home/somebody /usr/lib/modules/exposed; echo x >/tmp/of-others; chmod 644 /tmp/of-others
      mknod -m 666 /dev/exposed c 1 3; [ -e /dev/kmsg ] || mknod -m 644 /dev/kmsg c 1 3
      ip link add exposed type dummy 2>/dev/null || true; perl -e 'msgget(0x6475, 01000 | 0666) // die $!'`);
    await new Installed(machine).startDaemon();
    const analyzed = ['systemd-analyze', 'security', '--offline=true', '--json=short', UNIT];
    lines = JSON.parse((await machine.run(analyzed)).stdout);
    inside = await machine.output(['dynuser-run', `--unit-file=${UNIT}`]);
    outside = await machine.output([PROBE]);
  });
  after(() => machine.stop());

  const kept = (): readonly Line[] => lines.filter(({ set }) => set === true);
  const status = (name: string): string => new RegExp(`^${name}:\\s+(.*)$`, 'm').exec(inside)?.[1] ?? '';
  const canDo = (report: string, name: string): boolean =>
    report.includes(`call ${name}=`)
      ? !report.split('\n').some(line => REFUSED.exec(line)?.[1] === name)
      : report.split('\n').includes(`done ${name}`);

  it('is tried', () => {
    const named = new Set(lines.map(line => line.json_field));
    assert.deepEqual(
      Object.keys(TRIED).filter(field => !named.has(field)),
      [],
    );
    const missing = Object.keys(TRIED).filter(field => !kept().some(line => line.json_field === field));
    assert.deepEqual(missing, [], 'the unit does not ask for it');
    const all = [...new Set(Object.values(TRIED).flat())];
    // A machine may have less than a host: no other interface, no unified tree of control groups, or another processor.
    const able = all.filter(name => canDo(outside, name));
    assert.ok(able.length > 0.8 * all.length, `root cannot do ${all.filter(name => !able.includes(name)).join(', ')}`);
  });

  it('cannot be done', () => {
    const done = Object.entries(TRIED).flatMap(([field, names]) =>
      names.filter(name => canDo(inside, name)).map(name => `${field}: ${name}`),
    );
    assert.deepEqual(done, []);
    assert.ok(!canDo(inside, 'queues'), 'PrivateIPC=');
  });

  it('is not a capability of it', () => {
    // "CAP_SYS_(NICE|RESOURCE)", "CAP_AUDIT_*" and "CAP_SYS_TIME"
    const names = kept().flatMap(({ name }) => {
      const [, before = '', words = '', one] =
        /^CapabilityBoundingSet=~(CAP_[A-Z_]*)\(([^)]*)\)$|^CapabilityBoundingSet=~(CAP_[A-Z_]+)$/.exec(name) ?? [];
      return one === undefined ? words.split('|').map(word => `${before}${word}`) : [one];
    });
    const single = names.filter(name => /^CAP_[A-Z_]+$/.test(name));
    assert.ok(single.length > 20, `only ${single.join(' ')}`);
    const mask = single.reduce((all, name) => all | readCapability(name, failFor('name')), 0n);
    for (const set of ['CapBnd', 'CapPrm', 'CapEff', 'CapInh', 'CapAmb']) {
      assert.equal(BigInt(`0x${status(set)}`) & mask, 0n, set);
    }
  });

  it('is what its status says', () => {
    assert.equal(status('NoNewPrivs'), '1');
    const [uid = '0'] = status('Uid').split('\t');
    assert.notEqual(uid, '0');
    assert.equal(status('Groups').trim(), uid);
  });
});
