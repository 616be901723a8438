/** What becomes of a bad value: as with systemd 257, which test/system/launch-syntax.test.ts and the compared worlds show. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExecSettings } from '../../../../src/launch/properties/table.ts';
import { refuses, resolvedOf, resolvedOfUnit } from '../launches.ts';

interface Read {
  readonly settings: ExecSettings;
  /** without the path and "is ignored" */
  readonly warnings: readonly string[];
}

function read(...lines: string[]): Read {
  const { settings, warnings } = resolvedOfUnit(['ExecStart=/x', ...lines]);
  return { settings, warnings: warnings.map(text => text.replace(/^\/srv\/wuff\.service:/, '')) };
}

test('of a list, bad entries fall out alone', () => {
  const { settings, warnings } = read(
    'ReadWritePaths=/a b /c/../d /%z /e',
    'TemporaryFileSystem=x /y:ro',
    'BindPaths=/a:b /c:/d:foo /e: /f /g:/h x:/i',
    'Environment=A=1 1=2 B=2 C',
    'PassEnvironment=A 1B C',
    'UnsetEnvironment=1A=x D',
    'AmbientCapabilities=CAP_CHOWN CAP_X # x',
    'ConfigurationDirectory=a b:c /d e',
    'StateDirectory=a ../b /c a:b:c d',
  );
  assert.deepEqual(
    settings.ReadWritePaths.map(({ path }) => path),
    ['/a', '/e'],
  );
  assert.deepEqual(settings.TemporaryFileSystem, [{ path: '/y', options: ['ro'] }]);
  assert.deepEqual(
    settings.BindPaths.map(({ source, destination }) => `${source}:${destination}`),
    ['/f:/f', '/g:/h'],
  );
  assert.deepEqual(settings.Environment, ['A=1', 'B=2']);
  assert.deepEqual(settings.PassEnvironment, ['A', 'C']);
  assert.deepEqual(settings.UnsetEnvironment, ['D']);
  assert.equal(settings.AmbientCapabilities, 1n);
  assert.deepEqual(
    settings.ConfigurationDirectory.map(({ path }) => path),
    ['a', 'e'],
  );
  assert.deepEqual(settings.StateDirectory, ['a', 'd']);
  assert.equal(warnings.length, 20);
  assert.equal(warnings[0], '3: ReadWritePaths=: an entry is ignored: not an absolute path: "b"; begin it with "/"');
});

test('what cannot be split into words falls out with all that follows', () => {
  const { settings, warnings } = read('ReadOnlyPaths=/a "/b', 'Environment=A=1 "B=2', 'BindPaths=/c "/d:/e');
  assert.deepEqual(
    settings.ReadOnlyPaths.map(({ path }) => path),
    ['/a'],
  );
  assert.deepEqual(settings.Environment, ['A=1']);
  assert.equal(settings.BindPaths.length, 1);
  assert.equal(warnings.length, 3);
  assert.deepEqual(read('ExecSearchPath=/a:b:/c').settings.ExecSearchPath, ['/a']);
});

test('of a single value, the assignment falls out, and the one before it holds', () => {
  const { settings, warnings } = read(
    ...['PrivateTmp=yes', 'PrivateTmp=maybe', 'PrivateTmp=', 'ProtectSystem=full', 'ProtectSystem=fool'],
    ...['UMask=0077', 'UMask=9', 'UMask=', 'Nice=5', 'Nice=77', 'LimitNOFILE=1:2', 'LimitNOFILE=2:1', 'LimitNOFILE='],
    ...['WorkingDirectory=/a', 'WorkingDirectory=-b', 'EnvironmentFile=c', 'CPUAffinity=0', 'CPUAffinity=1 x'],
    ...['CoredumpFilter=all', 'CoredumpFilter=elf-headers x', 'Type=oneshot', 'Type=x'],
  );
  assert.equal(settings.PrivateTmp, true);
  assert.equal(settings.ProtectSystem, 'full');
  assert.equal(settings.UMask, 0o077);
  assert.equal(settings.Nice, 5);
  assert.deepEqual(settings.LimitCPU, [{ resource: 'nofile', soft: '1', hard: '2' }]);
  assert.deepEqual(settings.WorkingDirectory, { path: '/a', optional: false });
  assert.deepEqual(settings.EnvironmentFile, []);
  assert.deepEqual(settings.CPUAffinity, [0]);
  assert.equal(settings.CoredumpFilter, 0xffff_ffffn);
  assert.equal(settings.Type, 'oneshot');
  assert.equal(warnings.length, 13);
  assert.equal(warnings[0], '4: PrivateTmp= is ignored: not a boolean: "maybe"; use yes, no or disconnected');
});

test('an empty value resets what systemd can reset, and falls out elsewhere', () => {
  const { settings, warnings } = read(
    ...['PrivateMounts=yes', 'PrivateMounts=', 'BindLogSockets=yes', 'BindLogSockets=', 'KillMode=none', 'KillMode='],
    ...['StandardOutput=null', 'StandardOutput=', 'KillSignal=INT', 'KillSignal=', 'TimeoutStopSec=1', 'TimeoutSec='],
    ...[
      'SyslogLevelPrefix=no',
      'SyslogLevelPrefix=',
      'WatchdogSec=2',
      'WatchdogSec=',
      'SendSIGKILL=no',
      'SendSIGKILL=',
    ],
  );
  assert.deepEqual(
    [settings.PrivateMounts, settings.BindLogSockets, settings.KillMode],
    [false, false, 'control-group'],
  );
  assert.deepEqual(settings.StandardOutput, { kind: 'null' });
  assert.deepEqual([settings.KillSignal, settings.TimeoutStopSec, settings.SendSIGKILL], [2, 1_000_000_000n, false]);
  assert.deepEqual([settings.SyslogLevelPrefix, settings.WatchdogSec], [false, 2_000_000_000n]);
  assert.deepEqual(
    warnings.map(text => text.replace(/^\d+: (\w+)= is ignored: .*/, '$1')),
    ['StandardOutput', 'KillSignal', 'TimeoutSec', 'SyslogLevelPrefix', 'WatchdogSec', 'SendSIGKILL'],
  );
});

test('what systemd refuses to start is refused', () => {
  for (const line of [
    ...['User=%z', 'Group=%z', 'SupplementaryGroups=a %z', 'DynamicUser=maybe', 'DynamicUser='],
    ...['WorkingDirectory=a', 'WorkingDirectory=/%z', 'RootDirectory=a', 'RootDirectory=/%z'],
    ...['ExecStartPre=a/b', 'ExecStart=/bin/', 'ExecStartPre=/x %z', 'ExecStartPre=/x "y', 'ExecStartPre=+!/x'],
  ]) {
    refuses(() => read(line), `/srv/wuff.service:3: ${line.replace(/=.*/, '')}`);
  }
});

test('what cannot be had here is refused', () => {
  for (const line of ['TemporaryFileSystem=/a:foo=1', 'TemporaryFileSystem=/', 'BindPaths=/a:/', 'CPUAffinity=numa']) {
    refuses(() => read(line), `/srv/wuff.service:3: ${line.replace(/=.*/, '')}`);
  }
});

test('a bad command whose failure is ignored falls out, and one that cannot be read at all', () => {
  const lines = ['ExecStartPre=/a ; -b/c ; /d', 'ExecStartPre=-/e "f', 'ExecStartPre="g', 'ExecStartPre=-/h %z'];
  const { commands, warnings } = resolvedOfUnit(['ExecStart=/x', ...lines]);
  assert.deepEqual(
    commands?.map(({ path }) => path),
    ['/a', '/x'],
  );
  assert.equal(warnings.length, 4);
  refuses(() => resolvedOfUnit(['ExecStart=-x/y']), '/srv/wuff.service:2: ExecStart', /no command/);
});

test('on the command line all of it is an error', () => {
  for (const property of [
    ...['PrivateTmp=maybe', 'PrivateTmp=', 'ReadWritePaths=/a b', 'Environment=A=1 1=2', 'AmbientCapabilities=CAP_X'],
    ...['EnvironmentFile=c', 'WorkingDirectory=-b', 'ExecSearchPath=a', 'BindPaths=/a:b', 'BindPaths=/a "/b'],
  ]) {
    refuses(() => resolvedOf([property]), property.replace(/=.*/, ''));
  }
});
