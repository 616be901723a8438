import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planLaunch } from '../../../../src/launch/launch.ts';
import type { ExecSettings } from '../../../../src/launch/properties/table.ts';
import { ALL_CAPABILITIES, capabilityMask } from '../../../../src/launch/syntax/capabilities.ts';
import { acquiredOf, refuses, resolvedOf, resolvedOfUnit } from '../launches.ts';

function settings(...properties: string[]): ExecSettings {
  return resolvedOf(properties, { unit: 'wuff' }).settings;
}

test('what a dynamic user implies, each to be turned off by its name', () => {
  const implied = settings();
  const shown = (given: ExecSettings) =>
    (['ProtectSystem', 'ProtectHome', 'PrivateTmp', 'RemoveIPC', 'NoNewPrivileges', 'RestrictSUIDSGID'] as const)
      .map(name => given[name])
      .join(' ');
  assert.equal(shown(implied), 'strict read-only true true true true');
  assert.equal(shown(settings('DynamicUser=no')), 'no no false false false false');
  assert.equal(shown(settings('ProtectSystem=no')), 'no read-only true true true true');
  assert.equal(shown(settings('ProtectHome=no', 'PrivateTmp=no')), 'strict no false true true true');
  assert.equal(shown(settings('RemoveIPC=no', 'NoNewPrivileges=0')), 'strict read-only true false false true');
  assert.equal(shown(settings('RestrictSUIDSGID=off')), 'strict read-only true true true false');
  // Weaker values than the implied one are made up to it, as with systemd; stronger ones are kept.
  assert.equal(shown(settings('ProtectSystem=full', 'ProtectHome=tmpfs')), 'strict tmpfs true true true true');
  assert.equal(shown(settings('DynamicUser=no', 'ProtectSystem=full')), 'full no false false false false');
  assert.deepEqual(resolvedOf(['PrivateTmp=disconnected', 'ProtectHome=no', 'User=', 'ReadOnlyPaths=']).given, [
    'ProtectHome',
    'PrivateTmp',
  ]);
});

test('booleans, choices and modes', () => {
  for (const [word, value] of [
    ['1', true],
    ['Yes', true],
    ['t', true],
    ['ON', true],
    ['0', false],
    ['n', false],
    ['false', false],
    ['off', false],
  ] as const) {
    assert.equal(settings(`PrivateDevices=${word}`).PrivateDevices, value, word);
  }
  assert.equal(settings('PrivateUsers=self').PrivateUsers, 'self');
  assert.equal(settings('PrivateNetwork=on').PrivateNetwork, true);
  assert.equal(settings('PrivateIPC=1').PrivateIPC, true);
  assert.equal(settings('ProtectProc=noaccess').ProtectProc, 'noaccess');
  assert.equal(settings('ProcSubset=pid').ProcSubset, 'pid');
  refuses(() => settings('PrivateDevices=maybe'), 'PrivateDevices', /^not a boolean: "maybe"; use yes or no$/);
  refuses(
    () => settings('PrivateUsers=half'),
    'PrivateUsers',
    /^unknown value: "half"; use one of yes, no, self, identity, full$/,
  );
  refuses(() => settings('ProtectProc=yes'), 'ProtectProc', /default, noaccess, invisible, ptraceable/);
  refuses(() => settings('ProcSubset=no'), 'ProcSubset', /all, pid/);
  assert.equal(settings('UMask=0077').UMask, 0o077);
  // systemd has no reset for them.
  for (const name of ['ProtectSystem', 'ProtectProc', 'PrivateTmp', 'UMask', 'StateDirectoryMode', 'Type']) {
    refuses(() => settings(`${name}=`), name, /: ""; use /);
  }
  const { modes } = resolvedOf(['StateDirectoryMode=0700']);
  assert.deepEqual(modes, { state: 0o700 });
  for (const property of [
    'PrivateDevices=maybe',
    'ProtectSystem=Full',
    'ProtectHome=readonly',
    'PrivateTmp=connected',
    'PrivateUsers=others',
    'UMask=8',
    'UMask=10000',
    'UMask=-1',
    'StateDirectoryMode=rwx',
    'Type=what',
    'RuntimeDirectoryPreserve=never',
  ]) {
    refuses(() => settings(property), property.replace(/=.*/, ''));
  }
});

test('users and groups', () => {
  const resolved = resolvedOf([
    'User=wuff',
    'Group=dialout',
    'SupplementaryGroups=audio video',
    'SupplementaryGroups=44 audio',
  ]);
  assert.equal(resolved.userName, 'wuff');
  assert.equal(resolved.group, 'dialout');
  assert.deepEqual(resolved.settings.SupplementaryGroups, ['audio', 'video', '44', 'audio']);
  assert.deepEqual(planLaunch(resolved, acquiredOf({ groups: [44, 61_214] })).groups, [44, 61_214]);
  assert.equal(resolvedOf(['User=wuff', 'Group=wuff']).group, undefined);
  assert.equal(resolvedOf(['User=wuff', 'User=']).userName, undefined);
  assert.deepEqual(settings('SupplementaryGroups=a', 'SupplementaryGroups=').SupplementaryGroups, []);
  for (const property of ['User=a:b', 'User=a/b', 'Group=-1', 'SupplementaryGroups=a 4294967295', 'User=..']) {
    refuses(() => settings(property), property.replace(/=.*/, ''));
  }
});

test('directories are lists of words that keep their escapes', () => {
  const resolved = resolvedOf([
    'StateDirectory=a "b c"',
    'StateDirectory=d\\:e:f:ro',
    'CacheDirectory=x',
    'CacheDirectory=',
  ]);
  assert.deepEqual(resolved.directories, { runtime: [], state: ['a', 'b c', 'd\\:e:f:ro'], cache: [], logs: [] });
  const configuration = (value: string) =>
    resolvedOf([`ConfigurationDirectory=${value}`]).configurationDirectories.map(({ path, readOnly }) =>
      readOnly ? `${path} ro` : path,
    );
  assert.deepEqual(configuration('b a//b ./b'), ['/etc/a/b', '/etc/b']);
  assert.deepEqual(configuration('a\\:b c\\\\d\\x41'), ['/etc/a:b', '/etc/c\\dA']);
  assert.deepEqual(configuration('a b::ro b a::'), ['/etc/a', '/etc/b ro']);
  assert.equal(resolvedOf(['RuntimeDirectory=a', 'RuntimeDirectoryPreserve=yes']).runtimePreserve, true);
  const kept = resolvedOf(['RuntimeDirectory=a', 'RuntimeDirectoryPreserve=restart']);
  assert.equal(kept.runtimePreserve, true);
  assert.match(kept.warnings.join(), /RuntimeDirectoryPreserve=restart/);
  for (const value of ['../x', '/x', 'a:b', '.', 'x/../y', 'a\\q', 'a\\xff', 'a\\:b:c', 'a::rw', 'a::ro:']) {
    refuses(() => settings(`ConfigurationDirectory=${value}`), 'ConfigurationDirectory');
  }
});

test('lists of paths', () => {
  const { ReadWritePaths, ReadOnlyPaths, InaccessiblePaths } = settings(
    'ReadWritePaths=/a -/b +/c',
    'ReadWritePaths=-+/d "/e f"',
    'ReadOnlyPaths=/%p//x/./y',
    'InaccessibleDirectories=/a',
    'InaccessiblePaths=',
  );
  assert.deepEqual(ReadWritePaths, [
    { path: '/a', optional: false, inRoot: false },
    { path: '/b', optional: true, inRoot: false },
    { path: '/c', optional: false, inRoot: true },
    { path: '/d', optional: true, inRoot: true },
    { path: '/e f', optional: false, inRoot: false },
  ]);
  assert.deepEqual(
    ReadOnlyPaths.map(({ path }) => path),
    ['/wuff/x/y'],
  );
  assert.deepEqual(InaccessiblePaths, []);
  for (const value of ['a', '/a/../b', '/..', '--/a', '+-/a', '-', `/${'x'.repeat(256)}`, '/x'.repeat(3_000)]) {
    refuses(() => settings(`ReadWritePaths=${value}`), 'ReadWritePaths');
  }
});

test('bind mounts have a source, a destination and options', () => {
  const bind = { readOnly: false, optional: false, recursive: true };
  const { BindPaths } = settings(
    'BindPaths=/a /b:/c -/d:/e:norbind "/f g":/h:rbind /i\\:j',
    'BindReadOnlyPaths=/k/:/l/',
  );
  assert.deepEqual(BindPaths, [
    { ...bind, source: '/a', destination: '/a' },
    { ...bind, source: '/b', destination: '/c' },
    { ...bind, source: '/d', destination: '/e', optional: true, recursive: false },
    { ...bind, source: '/f g', destination: '/h' },
    { ...bind, source: '/i:j', destination: '/i:j' },
    { ...bind, source: '/k', destination: '/l', readOnly: true },
  ]);
  assert.deepEqual(settings('BindPaths=/a', 'BindReadOnlyPaths=').BindPaths, []);
  for (const value of ['a', '/a:b', '/a:/b:ro', '/a:/', '/a:', '/a: /b', ':/b', '/a/..:/b', '/a:/b/../c']) {
    refuses(() => settings(`BindPaths=${value}`), 'BindPaths');
  }
  refuses(() => settings('BindPaths=/a:/b:rbind:x'), 'BindPaths', /unknown option.*"rbind:x"/);
});

test('temporary file systems have a path and options of tmpfs(5)', () => {
  const { TemporaryFileSystem } = settings('TemporaryFileSystem=/a /b:ro,size=10M,mode=0700 "/c d:nodev"');
  assert.deepEqual(TemporaryFileSystem, [
    { path: '/a', options: [] },
    { path: '/b', options: ['ro', 'size=10M', 'mode=0700'] },
    { path: '/c d', options: ['nodev'] },
  ]);
  for (const value of ['a', '/', '/a:bind', '/a:size=x', '/a:ro,,rw', '/a:mode=9', '/a/..']) {
    refuses(() => settings(`TemporaryFileSystem=${value}`), 'TemporaryFileSystem');
  }
});

test('capability sets are replaced, added to and inverted as systemd does', () => {
  const mask = (...values: string[]) =>
    capabilityMask(settings(...values.map(value => `CapabilityBoundingSet=${value}`)).CapabilityBoundingSet);
  assert.equal(mask(), '000001ffffffffff');
  assert.equal(mask(''), '0000000000000000');
  assert.equal(mask('~'), '000001ffffffffff');
  assert.equal(mask('CAP_CHOWN cap_kill'), '0000000000000021');
  assert.equal(mask('CAP_CHOWN', 'CAP_KILL'), '0000000000000021');
  assert.equal(mask('~CAP_CHOWN'), '000001fffffffffe');
  assert.equal(mask('~CAP_CHOWN', '~CAP_KILL'), '000001ffffffffde');
  assert.equal(mask('CAP_CHOWN CAP_KILL', '~CAP_KILL'), '0000000000000001');
  assert.equal(mask('CAP_CHOWN', '', 'CAP_CHECKPOINT_RESTORE'), '0000010000000000');
  const ambient = settings(
    'AmbientCapabilities=CAP_NET_BIND_SERVICE',
    'AmbientCapabilities=CAP_SYS_ADMIN',
  ).AmbientCapabilities;
  assert.equal(capabilityMask(ambient), '0000000000200400');
  assert.equal(settings('AmbientCapabilities=~').AmbientCapabilities, ALL_CAPABILITIES);
  for (const value of ['CHOWN', 'CAP_NOTHING', '0', 'CAP_']) {
    refuses(() => settings(`CapabilityBoundingSet=${value}`), 'CapabilityBoundingSet', /capabilities\(7\)/);
  }
});

test('working and root directories', () => {
  const optional = settings('WorkingDirectory=-/srv/%p');
  assert.deepEqual(optional.WorkingDirectory, { path: '/srv/wuff', optional: true });
  assert.equal(settings('WorkingDirectory=/a', 'WorkingDirectory=').WorkingDirectory, undefined);
  assert.equal(settings('WorkingDirectory=-/a', 'WorkingDirectory=-').WorkingDirectory, undefined);
  assert.equal(settings('RootDirectory=/').RootDirectory, undefined);
  assert.equal(settings('RootDirectory=/srv//root/').RootDirectory, '/srv/root');
  refuses(() => settings('WorkingDirectory=~'), 'WorkingDirectory', /dynamic user/);
  refuses(() => settings('WorkingDirectory=a'), 'WorkingDirectory');
  refuses(() => settings('RootDirectory=/a/..'), 'RootDirectory');
  const passwd = { files: { '/etc/passwd': 'root:x:0:0::/root:/bin/sh\ngames:x:5:60::/usr/games:/bin/false\n' } };
  const home = (...more: string[]) =>
    resolvedOf(['DynamicUser=no', 'WorkingDirectory=~', ...more], {}, passwd).workingDirectory;
  assert.equal(home('User=games'), '/usr/games');
  assert.equal(home('User=5'), '/usr/games');
  assert.equal(home(), '/root');
  refuses(() => home('User=wuff'), 'WorkingDirectory', /\/etc\/passwd/);
});

test('what systemd knows and a launcher does not do is passed over, said, or refused', () => {
  const ignored = ['Restart=always', 'KillMode=process', 'StandardOutput=journal', 'X-Mine=1', 'PrivateBPF=no'];
  assert.deepEqual(resolvedOf([...ignored, 'PAMName=', 'Type=notify']).warnings, []);
  assert.deepEqual(
    resolvedOf(['MemoryMax=1G', 'TasksMax=', 'CPUWeight=5', 'MemoryMax=2G', 'Delegate=yes', 'NetClass=']).warnings,
    [
      'control groups are left to what starts the launcher: MemoryMax=, CPUWeight=, Delegate=',
      'NetClass= is ignored: it is obsolete, and systemd ignores it, too',
    ],
  );
  for (const property of ['PAMName=login', 'PrivateBPF=yes', 'RootVerity=/x']) {
    const name = property.replace(/=.*/, '');
    refuses(
      () => resolvedOf([property]),
      'properties',
      new RegExp(`unsupported property ${name}= \\(.*\\); use --ignore-unknown`),
    );
    const [warning] = resolvedOf([property], { ignoreUnknown: true }).warnings;
    assert.match(warning ?? '', new RegExp(`^${name}= is ignored: `));
  }
});

test('what is not a specifier stays as it is on the command line, and falls out of a unit file', () => {
  const ofCommandLine = resolvedOf(['Environment=A=%z%%', 'StateDirectory=%1']);
  assert.deepEqual(ofCommandLine.warnings, []);
  assert.deepEqual(ofCommandLine.settings.Environment, ['A=%z%']);
  assert.deepEqual(ofCommandLine.directories.state, ['%1']);
  const { settings: ofFile, warnings } = resolvedOfUnit(['Environment=A=%z B=1', 'ExecStart=/x']);
  assert.deepEqual(ofFile.Environment, ['B=1']);
  assert.deepEqual(warnings, [
    '/srv/wuff.service:2: Environment=: an entry is ignored: unknown specifier %z; write a percent sign as %%',
  ]);
});

test('an unknown property is refused by its name, with the nearest known one', () => {
  const words = (...properties: string[]): RegExp =>
    new RegExp(`^unknown propert(y|ies) ${properties.join(', ')}; use --ignore-unknown to skip (it|them)$`);
  refuses(
    () => resolvedOf(['StateDirectry=x']),
    'properties',
    words('"StateDirectry" \\(did you mean StateDirectory=\\?\\)'),
  );
  refuses(() => resolvedOf(['Restrt=x']), 'properties', words('"Restrt" \\(did you mean Restart=\\?\\)'));
  refuses(() => resolvedOf(['constructor=x']), 'properties', words('"constructor"'));
  refuses(() => resolvedOf(['Qqqqqqqqqqqq=x', 'Zzz=y']), 'properties', words('"Qqqqqqqqqqqq"', '"Zzz"'));
  assert.deepEqual(resolvedOf(['Foo=x', 'Foo=y'], { ignoreUnknown: true }).warnings, [
    'Foo= is ignored: it is unknown',
  ]);
  refuses(() => resolvedOf(['User']), 'properties', /NAME=VALUE/);
  refuses(() => resolvedOf(['=x']), 'properties', /NAME=VALUE/);
  refuses(() => resolvedOf(['User=a\0b']), 'User', /NUL/);
});

test('a setting of another section is refused by that reason, and in its own section it is not read', () => {
  const names = ['Description', 'After', 'WantedBy', 'ConditionPathExists', 'AssertHost', 'OnFailure'];
  for (const name of names) {
    refuses(
      () => resolvedOf([`${name}=x`]),
      'properties',
      new RegExp(`^\\[Unit\\] or \\[Install\\] property ${name}=; use --ignore-unknown to skip it$`),
    );
  }
  assert.deepEqual(resolvedOf(['After=x'], { ignoreUnknown: true }).warnings, [
    'After= is ignored: it is a setting of [Unit] or [Install]',
  ]);
  const others = names.filter(name => !/^(?:Condition|Assert)/.test(name));
  const file = ['ExecStart=/x', '[Unit]', ...others.map(name => `${name}=x`), '[Install]', 'Also=y'];
  assert.deepEqual(resolvedOfUnit(file).warnings, []);
});

test('what systemd does not know in a unit file is ignored, with a warning', () => {
  const lines = ['ExecStart=/x', 'Usr=x', 'After=y', 'X-Mine=1'];
  assert.deepEqual(resolvedOfUnit(lines).warnings, [
    '/srv/wuff.service:3: Usr= is ignored: it is unknown (did you mean User=?)',
    '/srv/wuff.service:4: After= is ignored: it is a setting of [Unit] or [Install]',
  ]);
});

test('all properties of a unit file that cannot be had are named at once, each with its line', () => {
  const lines = ['ExecStart=/x', 'PAMName=a', 'PrivateBPF=yes', 'PAMName=b', 'UMask=zz'];
  refuses(
    () => resolvedOfUnit(lines),
    'properties',
    /^unsupported properties PAMName= \(\/srv\/wuff.service:3: a PAM session .*\), PrivateBPF= \(\/srv\/wuff.service:4: systemd has it since version 258\); use --ignore-unknown to run without them, less/,
  );
  const many = Array.from({ length: 40 }, (_, index) => `Qqqqqqq${index}=x`);
  refuses(() => resolvedOf(many), 'properties', /"Qqqqqqq31" and 8 more; use/);
});

test('directories have a bound on their space, or it is only counted', () => {
  const quotasOf = (lines: readonly string[]) => resolvedOf(lines).quotas;
  for (const [kind, name] of [
    ['state', 'State'],
    ['cache', 'Cache'],
    ['logs', 'Logs'],
  ] as const) {
    const quota = `${name}DirectoryQuota`;
    const counted = `${name}DirectoryAccounting=yes`;
    assert.deepEqual(quotasOf([`${quota}=1G`]), { [kind]: { kind: 'bytes', bytes: 1_073_741_824 } });
    assert.deepEqual(quotasOf([`${quota}=4096`, counted]), { [kind]: { kind: 'bytes', bytes: 4_096 } });
    assert.deepEqual(quotasOf([`${quota}=5%`]), { [kind]: { kind: 'share', permyriad: 500 } });
    assert.deepEqual(quotasOf([`${quota}=0.25%`]), { [kind]: { kind: 'share', permyriad: 25 } });
    assert.deepEqual(quotasOf([`${quota}=12.5%`]), { [kind]: { kind: 'share', permyriad: 1_250 } });
    assert.deepEqual(quotasOf([`${quota}=100%`]), { [kind]: { kind: 'share', permyriad: 10_000 } });
    assert.deepEqual(quotasOf([counted]), { [kind]: { kind: 'counted' } });
    assert.deepEqual(quotasOf([`${quota}=off`, counted]), { [kind]: { kind: 'counted' } });
    assert.deepEqual(quotasOf([`${quota}=off`]), {});
    assert.deepEqual(quotasOf([`${quota}=1G`, `${quota}=`]), {});
    for (const bad of ['on', '-1', '101%', '100.01%', '1.234%', '8192T', '16E', 'infinity']) {
      refuses(() => quotasOf([`${quota}=${bad}`]), quota, /not a quota|more than the whole/);
    }
  }
  refuses(() => resolvedOf(['RuntimeDirectoryQuota=1G']), 'properties', /RuntimeDirectoryQuota/);
});

test('a service that could take its files out of a quota is warned of', () => {
  const warning =
    'StateDirectoryQuota=: the service can take its files out of the quota; PrivateUsers=yes keeps it from that';
  assert.deepEqual(resolvedOf(['StateDirectoryQuota=1G']).warnings, [warning]);
  assert.deepEqual(resolvedOf(['StateDirectoryQuota=1G', 'PrivateUsers=yes']).warnings, []);
  assert.deepEqual(resolvedOf(['StateDirectoryQuota=off', 'StateDirectoryAccounting=yes']).warnings, []);
});

test('lists, properties and text have bounds, which are said', () => {
  const many = Array.from({ length: 10_000 }, (_, index) => `/x${index}`).join(' ');
  for (const name of ['ReadWritePaths', 'InaccessiblePaths', 'TemporaryFileSystem', 'BindPaths']) {
    refuses(() => resolvedOf([`${name}=${many}`]), name, /too many list entries.*1024/, 'LimitReached');
  }
  refuses(() => resolvedOf([`StateDirectory=${many.replaceAll('/', '')}`]), 'StateDirectory', /1024/, 'LimitReached');
  refuses(
    () => resolvedOf([`Environment=${many.replaceAll(/\/(x\d+)/g, '$1=y')}`]),
    'Environment',
    /1024/,
    'LimitReached',
  );
  refuses(() => resolvedOf(Array(2_000).fill('BindPaths=/x')), 'BindPaths', /1024/, 'LimitReached');
  refuses(() => resolvedOf(Array(5_000).fill('User=x')), 'properties', /too many properties.*4096/, 'LimitReached');
  refuses(() => resolvedOf([`Environment=A=${'x'.repeat(1_100_000)}`]), 'properties', /1048576/, 'LimitReached');
});
