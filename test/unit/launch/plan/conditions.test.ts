import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refuses, resolvedOfUnit, type World } from '../launches.ts';

const FILES = {
  '/proc/sys/kernel/arch': 'x86_64\n',
  '/proc/sys/kernel/hostname': 'Web7.example\n',
  '/proc/sys/kernel/osrelease': '6.12.3-1-amd64\n',
  '/etc/machine-id': '0123456789abcdef0123456789abcdef\n',
  '/proc/cmdline': 'quiet root=/dev/sda1 debug=1\n',
  '/proc/self/status': 'Name:\tx\nCapBnd:\t0000000000000003\nCpus_allowed_list:\t0-2,5\n',
  '/proc/self/uid_map': '         0          0 4294967295\n',
  '/proc/meminfo': 'MemTotal:        2097152 kB\nMemFree: 1 kB\n',
  '/sys/fs/cgroup/cgroup.controllers': 'cpu memory pids\n',
  '/etc/os-release': 'ID=debian\nVERSION_ID="13"\n',
};
const PATHS = {
  '/file': ['exists', 'file', 'notEmpty', 'executable'],
  '/empty': ['exists', 'file'],
  '/link': ['link'],
  '/directory': ['exists', 'directory'],
  '/full': ['exists', 'directory', 'notEmpty', 'mountPoint', 'readOnly'],
};

function launch(lines: readonly string[], more: World = {}) {
  const world = { ...more, files: { ...FILES, ...more.files }, paths: { ...PATHS, ...more.paths } };
  return resolvedOfUnit(['ExecStart=/x', '[Unit]', ...lines], {}, { globs: { '/glob/*': ['/glob/a'] }, ...world });
}

const isStarted = (line: string, more: World = {}): boolean => launch([line], more).skipped === undefined;

test('conditions that hold, and those that do not', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['PathExists', '/file', '/nothing'],
    ['PathExists', '/directory', '/link'],
    ['PathExistsGlob', '/glob/*', '/glob/x*'],
    ['PathIsDirectory', '/full', '/file'],
    ['PathIsSymbolicLink', '/link', '/file'],
    ['PathIsMountPoint', '/full', '/directory'],
    ['PathIsReadWrite', '/directory', '/full'],
    ['PathIsReadWrite', '/file', '/nothing'],
    ['DirectoryNotEmpty', '/full', '/directory'],
    ['DirectoryNotEmpty', '/full', '/file'],
    ['FileNotEmpty', '/file', '/empty'],
    ['FileNotEmpty', '/file', '/full'],
    ['FileIsExecutable', '/file', '/empty'],
    ['Architecture', 'x86-64', 'arm64'],
    ['Architecture', 'native', 'x86_64'],
    ['Host', 'web*', 'db*'],
    ['Host', 'WEB7.?xample', 'web7'],
    ['Host', '0123456789ABCDEF0123456789abcdef', '1123456789abcdef0123456789abcdef'],
    ['KernelCommandLine', 'quiet', 'quie'],
    ['KernelCommandLine', 'root', 'sda1'],
    ['KernelCommandLine', 'debug=1', 'debug=2'],
    ['KernelVersion', '>=6.1', '>6.12.3-1-amd64'],
    ['KernelVersion', '>= 6.2', '< 6.2'],
    ['KernelVersion', '6.12.*', '6.1.*'],
    ['KernelVersion', '">= 6.1" "< 7"', '>=6.1 <6.12'],
    ['KernelVersion', '<>6.1', '=6.12'],
    ['Capability', 'CAP_DAC_OVERRIDE', 'CAP_KILL'],
    ['Capability', 'cap_chown', 'CAP_NOTHING'],
    ['CPUs', '4', '5'],
    ['CPUs', '<5', '>4'],
    ['Memory', '2G', '2.5G'],
    ['Memory', '<= 2048M', '= 1G'],
    ['ControlGroupController', 'cpu memory', 'cpu io'],
    ['ControlGroupController', 'v2', 'v1'],
    ['OSRelease', 'ID=debian', 'ID=ubuntu'],
    ['OSRelease', 'ID=debian VERSION_ID>=12', 'ID=debian VERSION_ID<13'],
    ['OSRelease', 'ID$=deb*', 'NAME=x'],
    ['User', 'root', 'games'],
    ['User', '@system', '5'],
    ['Group', '0', 'games'],
    ['FirstBoot', 'no', 'yes'],
    ['Virtualization', '!container', 'container'],
    ['Virtualization', '!private-users', 'docker'],
    ['Security', '!selinux', 'apparmor'],
    ['Firmware', '!uefi', 'device-tree'],
  ];
  for (const [about, holding, failing] of cases) {
    assert.equal(isStarted(`Condition${about}=${holding}`), true, `${about}=${holding}`);
    assert.equal(isStarted(`Condition${about}=${failing}`), false, `${about}=${failing}`);
    if (!holding.startsWith('!')) {
      assert.equal(isStarted(`Condition${about}=!${holding}`), false, `${about}=!${holding}`);
    }
    assert.equal(isStarted(`Condition${about}=!${failing}`), true, `${about}=!${failing}`);
  }
});

test('a container says what it is', () => {
  const docker = { paths: { '/.dockerenv': ['exists'] } };
  const nspawn = { files: { '/run/systemd/container': 'systemd-nspawn\n' } };
  for (const [line, world, expected] of [
    ['container', docker, true],
    ['!container', docker, false],
    ['docker', docker, true],
    ['podman', docker, false],
    ['yes', docker, true],
    ['no', docker, false],
    ['vm', docker, false],
    ['systemd-nspawn', nspawn, true],
    ['docker', nspawn, false],
  ] as const) {
    assert.equal(isStarted(`ConditionVirtualization=${line}`, world), expected, line);
  }
});

test('what cannot be judged counts as if it held, and is said', () => {
  for (const line of ['ACPower=yes', 'CPUFeature=avx', 'Virtualization=vm', 'Security=audit', 'PathIsEncrypted=/x']) {
    for (const value of [line, line.replace('=', '=!'), line.replace('=', '=|')]) {
      const { skipped, warnings } = launch([`Condition${value}`]);
      assert.equal(skipped, undefined);
      assert.match(
        warnings.join('\n'),
        /^\/srv\/wuff\.service:4: Condition\w+= cannot be judged, and counts as if it held/,
      );
    }
  }
});

test('of alternatives one is enough, and all others have to hold', () => {
  const skipped = (...lines: string[]): string | undefined => launch(lines).skipped;
  const no = 'ConditionPathExists=|/nothing';
  assert.equal(skipped(no, 'ConditionPathExists=|!/no', 'ConditionUser=root'), undefined);
  assert.match(skipped(no, 'ConditionUser=|games') ?? '', /service:4: ConditionPathExists=: .*"ConditionPathExists=\|/);
  assert.match(skipped('ConditionUser=games', 'ConditionUser=|root') ?? '', /"ConditionUser=games" does not hold/);
  assert.equal(skipped('ConditionUser=games', 'ConditionPathExists=', 'ConditionUser=root'), undefined);
  assert.equal(skipped('ConditionPathExists=nothing', 'ConditionPathExists=/%z', 'ConditionFoo=x'), undefined);
  assert.equal(launch(['ConditionPathExists=nothing', 'ConditionPathExists=/%z', 'ConditionFoo=x']).warnings.length, 3);
  assert.equal(
    skipped('ConditionPathExists=/%p'),
    '/srv/wuff.service:4: ConditionPathExists=: the condition "ConditionPathExists=/wuff" does not hold: nothing is started',
  );
});

test('an assertion that does not hold is an error', () => {
  assert.equal(launch(['AssertPathExists=/file', 'AssertUser=root']).skipped, undefined);
  refuses(
    () => launch(['AssertPathExists=/nothing']),
    '/srv/wuff.service:4: AssertPathExists',
    /"AssertPathExists=\/nothing"/,
  );
  refuses(() => launch(['ConditionUser=games', 'AssertUser=games']), '/srv/wuff.service:5: AssertUser');
});

test('an explanation has each condition', () => {
  const { conditions } = launch([
    'ConditionPathExists=/file',
    'ConditionUser=|games',
    'AssertACPower=yes',
    'ConditionUser=|root',
  ]);
  assert.deepEqual(conditions, [
    'AssertACPower=yes: cannot be judged',
    'ConditionPathExists=/file: holds',
    'ConditionUser=|games: does not hold',
    'ConditionUser=|root: holds',
  ]);
});
