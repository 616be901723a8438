import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainPlan, planLaunch } from '../../../../src/launch/launch.ts';
import type { ResolvedLaunch } from '../../../../src/launch/plan/request.ts';
import { acquiredOf, privateDirectory, resolvedOf, resolvedOfUnit } from '../launches.ts';

function explain(resolved: ResolvedLaunch, acquired = acquiredOf()): string {
  const lines = explainPlan(resolved, acquired, planLaunch(resolved, acquired));
  for (const line of lines) {
    assert.ok(line.length <= 100 && line.length > 0 && !/\p{Cc}/u.test(line), JSON.stringify(line));
  }
  return lines.join('\n');
}

test('a plan in words: who, what is implied and how that is turned off, where and what', () => {
  const directories = [privateDirectory('wuff', { handover: 'map', diskUid: 65_534, diskGid: 65_534 })];
  const text = explain(resolvedOf(['StateDirectory=wuff', 'PrivateTmp=no', 'UMask=077']), acquiredOf({ directories }));
  for (const words of [
    'User:\n  wuff, UID 61214, GID 61214: dynamic',
    '  StateDirectory=wuff\n  /var/lib/private/wuff: shown as the user',
    '  ProtectSystem=strict, implied: the file system is read-only; ProtectSystem=no turns it off',
    '  PrivateTmp=no, by name: off; PrivateTmp=yes turns it on',
    '  / and all below it becomes read-only, nosuid',
    '  an empty file system at /var/lib/private, mode 0755',
    '  capabilities: none\n  bounding set: all\n  umask 0077',
    '  USER=wuff',
    'Commands:\n  that of the command line, as the user',
  ]) {
    assert.ok(text.includes(words), `${words}\n---\n${text}`);
  }
});

test('what is implied comes in the order of the rows: what is seen, and then what may be done', () => {
  const implied = /Implied by DynamicUser=:\n((?: {2}.*\n)+)/.exec(explain(resolvedOf([])))?.[1] ?? '';
  assert.deepEqual(
    [...implied.matchAll(/^ {2}(\w+)=/gm)].map(([, name]) => name),
    ['ProtectSystem', 'ProtectHome', 'PrivateTmp', 'RemoveIPC', 'NoNewPrivileges', 'RestrictSUIDSGID'],
  );
});

test('namespaces are said if there are some, and not if they are left out', () => {
  const properties = ['PrivateNetwork=yes', 'PrivateUsers=yes', 'ProtectProc=invisible'];
  const text = explain(resolvedOf(properties));
  assert.match(text, /Namespaces:\n {2}a mount namespace\n/);
  assert.match(text, /\n {2}PrivateNetwork=yes: its network has a loopback interface and nothing else\n/);
  assert.match(text, /\n {2}PrivateUsers=yes: it has rights only over users that it sees; everybody else is nobody\n/);
  assert.match(text, /\n {2}ProtectProc=invisible: of the processes of others \/proc shows less\n/);
  assert.doesNotMatch(text, /PrivateIPC|ProcSubset/);
  const open = explain(resolvedOf(properties, { mayMount: false, isolation: 'bestEffort' }));
  assert.match(open, /Namespaces:\n {2}no mount namespace: [^\n]*\nPrivileges:/);
  assert.match(open, /Missing:\n(?: {2}.*\n)* {2}PrivateNetwork=yes: the network is the host's\n/);
});

test('what is missing is said, and is not said to be on', () => {
  const text = explain(resolvedOf([], { mayMount: false, isolation: 'bestEffort' }));
  assert.match(text, /ProtectSystem=strict, implied: left out/);
  assert.match(text, /Missing:\n {2}ProtectSystem=strict: /);
  assert.match(text, /no mount namespace/);
});

test('commands are shown as a shell would take them, and nothing reaches the terminal as it is', () => {
  const resolved = resolvedOfUnit([
    'DynamicUser=yes',
    'ExecStartPre=-!/p',
    `ExecStart=@/x y "it's" \\x1b[31m ${'z'.repeat(300)}`,
  ]);
  const text = explain(resolved);
  assert.match(text, / {2}\/p \(as root, its failure is ignored\)/);
  assert.match(text, / {2}\/x as y 'it'\\''s' '\\x1b\[31m'/);
});

test('a static user is said to be one', () => {
  const games = acquiredOf({ uid: 5, gid: 60, userName: 'games', dynamic: false });
  assert.match(explain(resolvedOf(['User=games']), games), /games, UID 5, GID 60: a static user of that name/);
  assert.match(explain(resolvedOf(['User=games', 'DynamicUser=no']), games), /ProtectHome=no, not implied: off/);
});

test('capabilities are shown by name', () => {
  const text = explain(resolvedOf(['PrivateDevices=yes', 'AmbientCapabilities=CAP_NET_BIND_SERVICE']));
  assert.match(text, /capabilities: CAP_NET_BIND_SERVICE\n {2}bounding set: all but CAP_SYS_RAWIO CAP_MKNOD/);
});

/** The lines of one section. */
function section(title: string, ...given: Parameters<typeof explain>): string[] {
  const lines = explain(...given).split('\n');
  const start = lines.indexOf(`${title}:`);
  assert.ok(start >= 0, `no ${title}`);
  const length = lines.slice(start + 1).findIndex(line => !line.startsWith(' '));
  return lines.slice(start + 1, length < 0 ? undefined : start + 1 + length).map(line => line.slice(2));
}

test('the sections come in one order, and those that have nothing to say are left out', () => {
  const titles = (resolved: ResolvedLaunch): string[] =>
    explain(resolved)
      .split('\n')
      .filter(line => /^\S/.test(line));
  assert.deepEqual(titles(resolvedOf([])), [
    'User:',
    'Implied by DynamicUser=:',
    'Namespaces:',
    'Privileges:',
    'Environment:',
    'Commands:',
  ]);
  const all = ['StateDirectory=x', 'MemoryMax=1G'];
  assert.deepEqual(
    titles(resolvedOf(all, { mayMount: false, isolation: 'bestEffort' })),
    'User Directories Implied_by_DynamicUser= Namespaces Privileges Environment Commands Left_to_the_supervisor Missing Warnings'
      .split(' ')
      .map(title => `${title.replaceAll('_', ' ')}:`),
  );
  assert.equal(titles(resolvedOf(['StateDirectory=x'], { untrusted: true }))[2], 'Set by --untrusted:');
});

test('what is left to others, and what is not supported, is said by name', () => {
  const lines = ['Restart=always', 'RestartSec=1', 'TasksMax=5', 'PAMName=login', 'RootVerity=/x'];
  const resolved = resolvedOfUnit(['ExecStart=/x', ...lines], { ignoreUnknown: true });
  assert.deepEqual(section('Left to the supervisor', resolved), ['Restart=, RestartSec=, TasksMax=']);
  const [first, , second] = section('Not supported', resolved);
  assert.match(first ?? '', /^unsupported property PAMName= \(\/srv\/wuff\.service:6: a PAM session needs/);
  assert.match(second ?? '', /^unsupported property RootVerity= \(\/srv\/wuff\.service:7: images are not verified/);
});

test('a user is said with its supplementary groups, each once', () => {
  assert.deepEqual(section('User', resolvedOf(['SupplementaryGroups=audio b audio'])), [
    'wuff, UID 61214, GID 61214: dynamic',
    'supplementary groups: audio, b',
  ]);
  const games = acquiredOf({ uid: 5, gid: 60, userName: 'games', dynamic: false, processGid: 61 });
  assert.deepEqual(section('User', resolvedOf(['User=games', 'DynamicUser=no']), games), [
    'games, UID 5, GID 61: static',
  ]);
});

test('directories are said by their properties; which are id-mapped, and which are root’s', () => {
  const map = { handover: 'map', diskUid: 65_534, diskGid: 65_534 } as const;
  const directories = [privateDirectory('a', map), privateDirectory('b', { kind: 'cache' })];
  const properties = ['StateDirectory=a b', 'CacheDirectory=c', 'RuntimeDirectory=r', 'ConfigurationDirectory=x y'];
  assert.deepEqual(section('Directories', resolvedOf(properties), acquiredOf({ directories })), [
    'RuntimeDirectory=r',
    'StateDirectory=a b',
    'CacheDirectory=c',
    "/var/lib/private/a: shown as the user's by an id-mapped mount, 65534's on disk",
    "/etc/x: configuration, root's",
    "/etc/y: configuration, root's",
  ]);
});

test('what is implied is said with what turns it off, or on again', () => {
  const words = (properties: readonly string[], name: string): string | undefined =>
    section('Implied by DynamicUser=', resolvedOf(properties)).find(line => line.startsWith(`${name}=`));
  for (const [properties, name, expected] of [
    [[], 'RemoveIPC', 'RemoveIPC=yes, implied: its IPC objects go with it; RemoveIPC=no turns it off'],
    [['RemoveIPC=yes'], 'RemoveIPC', 'RemoveIPC=yes, by name: its IPC objects go with it; RemoveIPC=no turns it off'],
    [['ProtectHome=no'], 'ProtectHome', 'ProtectHome=no, by name: off; ProtectHome=yes turns it on'],
    [['ProtectSystem=no'], 'ProtectSystem', 'ProtectSystem=no, by name: off; ProtectSystem=strict turns it on'],
    [['DynamicUser=no'], 'ProtectSystem', 'ProtectSystem=no, not implied: off; ProtectSystem=strict turns it on'],
  ] as const) {
    assert.equal(words(properties, name), expected);
  }
});

test('every op of the mount namespace has its words', () => {
  const bare = ['ProtectSystem=no', 'ProtectHome=no', 'PrivateTmp=no', 'RestrictSUIDSGID=no'];
  const ops = (...properties: string[]) => section('Namespaces', resolvedOf([...bare, ...properties]));
  assert.deepEqual(ops(), ['no mount namespace: the mounts are those of the host']);
  // A list of the namespaces that stay: that it is empty does not turn the property off.
  assert.deepEqual(ops('RestrictNamespaces=yes').slice(1), [
    'RestrictNamespaces: it can make and enter no namespaces, or some alone',
  ]);
  assert.deepEqual(ops('PrivateMounts=yes', 'NoNewPrivileges=no'), [
    'a mount namespace',
    'PrivateMounts=yes: mounts that it makes are not seen outside',
    'hide /run/credentials, if it is there',
  ]);
  assert.deepEqual(ops('BindReadOnlyPaths=/a -/b', 'BindPaths=/c:/d', 'ReadOnlyPaths=-/e /f'), [
    'a mount namespace',
    'keep #0: /a (read-only, nosuid)',
    'keep #1: /b, if it is there (read-only, nosuid)',
    'keep #2: /c (nosuid)',
    'keep #4: /f, taken away (read-only, nosuid)',
    'keep #3: /e, if it is there, taken away (read-only, nosuid)',
    '/ and all below it becomes nosuid',
    'put #0 at /a',
    'put #1 at /b',
    'put #2 at /d',
    'put #3 at /e',
    'put #4 at /f',
    'hide /run/credentials, if it is there',
  ]);
  assert.deepEqual(
    ops('ConfigurationDirectory=x', 'PrivateTmp=yes', 'TemporaryFileSystem=/y:ro,nodev', 'ProtectProc=invisible'),
    [
      'a mount namespace',
      'ProtectProc=invisible: of the processes of others /proc shows less',
      'make /etc/x, mode 0755',
      'make /y, mode 0755',
      'keep #0: /etc/x (nosuid)',
      'keep #2: a new proc for /proc, if it is there (hidepid=invisible, nosuid, nodev, noexec)',
      'take away what is mounted at /y, if it is there',
      'take away what is mounted at /proc, if it is there',
      '/ and all below it becomes nosuid',
      'put #0 at /etc/x',
      'put #2 at /proc',
      'hide /run/credentials, if it is there',
      'the part tmp of an empty file system at /tmp, if it is there, mode 1777 (size=10%, nr_inodes=400k,',
      '  nodev, nosuid)',
      'the part var-tmp of an empty file system at /var/tmp, if it is there, mode 1777 (size=10%,',
      '  nr_inodes=400k, nodev, nosuid)',
      'an empty file system at /y, mode 0755 (size=10%, nr_inodes=400k, nodev, nosuid)',
      '/y becomes read-only',
    ],
  );
  const devices = ops(
    ...['PrivateDevices=yes', 'RootDirectory=/srv/r', 'NoNewPrivileges=no', 'PrivateIPC=yes'],
    ...['MountAPIVFS=no', 'BindLogSockets=no'],
  );
  assert.equal(devices[0], 'its root is /srv/r');
  for (const line of [
    'link /dev/ptmx to pts/ptmx',
    'keep #1: a new tmpfs for /dev (size=4m, nr_inodes=64k, mode=755, nosuid, noexec)',
    'a device like /dev/null in #1, or keep #7: /dev/null, if it is there',
    'keep #8: /dev/pts, if it is there',
    'keep #6: a new mqueue for /dev/mqueue, if it is there (nosuid, nodev, noexec)',
  ]) {
    assert.ok(devices.includes(line), `${line}\n---\n${devices.join('\n')}`);
  }
});

test('privileges: sets of capabilities, and the umask', () => {
  const words = (...properties: string[]) => section('Privileges', resolvedOf(properties));
  assert.deepEqual(words(), ['capabilities: none', 'bounding set: all', 'umask 0022']);
  assert.deepEqual(words('CapabilityBoundingSet=', 'UMask=7'), [
    'capabilities: none',
    'bounding set: none',
    'umask 0007',
  ]);
  assert.deepEqual(words('CapabilityBoundingSet=~CAP_KILL CAP_CHOWN', 'AmbientCapabilities=CAP_SETUID CAP_SETGID'), [
    'capabilities: CAP_SETGID CAP_SETUID',
    'bounding set: all but CAP_CHOWN CAP_KILL',
    'umask 0022',
  ]);
});

test('an environment: with what it begins, what is set and unset in it, and where the program starts', () => {
  const unit = (...lines: string[]) => section('Environment', resolvedOfUnit(['ExecStart=/x', 'User=w', ...lines]));
  const set = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin', 'USER=wuff', 'LOGNAME=wuff'];
  assert.deepEqual(unit(), ['begins empty', ...set]);
  assert.deepEqual(unit('Environment=A=1', 'UnsetEnvironment=B C', 'WorkingDirectory=/w'), [
    'begins empty',
    ...set,
    'A=1',
    'without B C',
    'starts in /w',
  ]);
  assert.deepEqual(unit('WorkingDirectory=-/w').at(-1), 'starts in /w, if it is there');
  assert.equal(section('Environment', resolvedOf([]))[0], "begins with the launcher's own");
  assert.equal(
    section('Environment', resolvedOf([], { untrusted: true }))[0],
    "begins with these of the launcher's own: PATH TERM LANG LC_*",
  );
});

test('commands are said in their order, with who runs each', () => {
  const lines = ['ExecStartPre=-+/q a', 'ExecStartPre=!/r', "ExecStart=@/x 'y z' A=1,@%%:./_+-"];
  assert.deepEqual(section('Commands', resolvedOfUnit(lines)), [
    '/q a (as root, outside of the mount namespace, its failure is ignored)',
    '/r (as root)',
    "/x as 'y z' A=1,@%:./_+- (as the user)",
  ]);
});

test('lines are broken at white space up to 100 columns, and in the middle of what has none', () => {
  const words = (value: string): string[] => {
    const lines = explain(resolvedOfUnit(['ExecStart=/x', `Environment="A=${value}"`])).split('\n');
    const from = lines.findIndex(line => line.startsWith('  A='));
    return lines.slice(from, lines.indexOf('Commands:'));
  };
  const fits = `${'x'.repeat(93)} y`;
  assert.deepEqual(words(`${fits}y`), [`  A=${fits}y`]);
  assert.deepEqual(words(`${fits}yy`), [`  A=${'x'.repeat(93)}`, '    yyy']);
  assert.deepEqual(words(`${fits}y z`), [`  A=${fits}y`, '    z']);
  assert.deepEqual(words('x'.repeat(200)), [`  A=${'x'.repeat(96)}`, `    ${'x'.repeat(96)}`, `    ${'x'.repeat(8)}`]);
});

test('control characters are shown by their number', () => {
  const text = explain(resolvedOfUnit(['ExecStart=/x', 'Environment="A=\\x07\\n\\xc2\\x9b"']));
  assert.ok(text.includes('\n  A=\\x07\\x0a\\x9b\n'), text);
});
