import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveLaunch } from '../../../../src/launch/launch.ts';
import { readIn, refuses, requestOf, resolvedOf, resolvedOfUnit, type World } from '../launches.ts';

const FILE = '/srv/a-b@.service';

function world(files: Readonly<Record<string, string>>, more: World = {}): World {
  const directories: Record<string, string[]> = {};
  for (const path of Object.keys(files)) {
    const slash = path.lastIndexOf('/');
    const names = directories[path.slice(0, slash)] ?? [];
    names.push(path.slice(slash + 1));
    directories[path.slice(0, slash)] = names;
  }
  const texts = Object.entries(files).map(([path, text]) => [path, `[Service]\n${text}\n`]);
  return { files: Object.fromEntries(texts), directories, ...more };
}

function assignmentsIn(files: Readonly<Record<string, string>>, properties: readonly string[] = []): readonly string[] {
  const request = requestOf(properties, { unitFile: FILE, instance: 'i' });
  return readIn(world(files), request).resolved.environment.assignments;
}

test('a unit file is asked for with the directories of its drop-ins, and these then with their names', () => {
  const files = { [FILE]: 'ExecStart=/bin/true', '/srv/a-@.service.d/x.conf': 'User=%p' };
  const { resolved, asked, rounds } = readIn(world(files), requestOf([], { unitFile: FILE, instance: 'i' }));
  assert.equal(resolved.userName, 'a-b');
  assert.equal(resolved.unit, 'a-b@i.service');
  assert.equal(rounds, 2);
  assert.equal(asked[0], FILE);
  assert.equal(asked.at(-1), '/srv/a-@.service.d/x.conf');
});

test('drop-ins follow the file in order of their names, and a higher directory masks equal names', () => {
  const files = {
    [FILE]: 'ExecStart=/bin/true\nEnvironment=A=file',
    '/usr/lib/systemd/system/service.d/10-all.conf': 'Environment=A=all',
    '/usr/lib/systemd/system/a-b@.service.d/20-lib.conf': 'Environment=A=masked',
    '/run/systemd/system/a-@.service.d/20-lib.conf': 'Environment=A=run',
    '/etc/systemd/system/a-b@i.service.d/05-etc.conf': 'Environment=A=etc',
  };
  assert.deepEqual(assignmentsIn(files, ['Environment=A=line']), ['A=file', 'A=etc', 'A=all', 'A=run', 'A=line']);
  assert.deepEqual(assignmentsIn(files, ['Environment=']), []);
});

test('names that are not drop-ins are left out', () => {
  const request = requestOf([], { unitFile: '/srv/x.service' });
  const names = ['../evil.conf', 'a/b.conf', '.conf', 'notes', 'nul\0.conf'];
  const outcome = resolveLaunch(request, [
    { kind: 'file', path: '/srv/x.service', found: true, text: '[Service]\nExecStart=/x\n' },
    { kind: 'directory', path: '/srv/x.service.d', found: true, names },
  ]);
  assert.ok('questions' in outcome);
  assert.deepEqual(
    outcome.questions.filter(({ kind }) => kind === 'file'),
    [],
  );
});

test('properties of the command line and variables come after the file', () => {
  const resolved = resolvedOfUnit(['ExecStart=/x', 'User=file', 'Environment=A=1'], {
    properties: ['User=line'],
    setEnvironment: ['A=2'],
    unit: 'other',
  });
  assert.equal(resolved.userName, 'line');
  assert.equal(resolved.unit, 'other');
  assert.deepEqual(resolved.environment.assignments, ['A=1', 'A=2']);
});

test('what no unit name can have is escaped, as by systemd-run', () => {
  for (const [unit, name] of [
    ['a b', 'a\\x20b'],
    ['/srv/x', '-srv-x'],
    ['ü@i', '\\xc3\\xbc@i'],
    ['web.service', 'web.service'],
  ] as const) {
    assert.equal(resolvedOf(['Environment=A=%n'], { unit }).unit, name);
  }
  assert.deepEqual(resolvedOf(['Environment=A=%p'], { unit: 'a b' }).environment.assignments, ['A=a\\x20b']);
});

test('a unit file says itself whether there is a dynamic user', () => {
  assert.equal(resolvedOfUnit(['ExecStart=/x']).dynamicUser, false);
  assert.equal(resolvedOfUnit(['ExecStart=/x', 'DynamicUser=yes']).dynamicUser, true);
  assert.equal(resolvedOfUnit(['ExecStart=/x']).environment.inherit, false);
  assert.equal(resolvedOfUnit(['ExecStart=/x'], { inheritEnvironment: true }).environment.inherit, true);
});

test('errors of a unit file say where they are', () => {
  refuses(() => resolvedOfUnit(['ExecStart=/x', 'DynamicUser=9']), '/srv/wuff.service:3: DynamicUser', /boolean/);
  refuses(() => resolvedOfUnit(['[x']), '/srv/wuff.service:2', /section/);
  refuses(() => resolvedOfUnit(['ExecStart=/x', 'User=%m']), '/srv/wuff.service:3: User', /machine-id/);
});

test('a unit file that is not there, or is not a service, is refused', () => {
  refuses(() => readIn({}, requestOf([], { unitFile: '/srv/x.service' })), 'unitFile', /no readable file/);
  refuses(() => readIn({}, requestOf([], { unitFile: 'x.service' })), 'unitFile', /absolute/);
  refuses(() => readIn({}, requestOf([], { unitFile: '/srv/x.socket' })), 'unitFile', /\.service/);
  refuses(() => readIn({}, requestOf([], { unitFile: FILE })), 'instance', /--instance=/);
  refuses(() => readIn({}, requestOf([], { instance: 'i' })), 'instance', /--unit-file=/);
  refuses(() => readIn({}, requestOf([], { unit: 'x'.repeat(256) })), 'unit', /unit name/);
});

test('commands: one, or several of a oneshot', () => {
  refuses(() => resolvedOfUnit(['User=x']), '/srv/wuff.service: ExecStart', /no command/);
  refuses(() => resolvedOfUnit(['ExecStart=/x', 'ExecStart=/y']), '/srv/wuff.service: ExecStart', /Type=oneshot/);
  refuses(() => resolvedOfUnit(['Type=forking', 'ExecStart=/x']), '/srv/wuff.service:2: Type', /foreground/);
  refuses(() => resolvedOf(['Type=forking']), 'Type', /foreground/);
  assert.equal(resolvedOf(['Type=forking', 'Type=simple']).dynamicUser, true);
  const several = resolvedOfUnit(['Type=oneshot', 'ExecStart=/x', 'ExecStart=/y ; /z', 'ExecStartPre=/w']);
  assert.deepEqual(
    several.commands?.map(({ path }) => path),
    ['/w', '/x', '/y', '/z'],
  );
  assert.equal(resolvedOfUnit(['ExecStart=/x', 'ExecStart=', 'ExecStart=/y']).commands?.length, 1);
  refuses(() => readIn({}, requestOf(['ExecStartPre=/x'])), 'ExecStartPre', /command line/);
});

test('answers have a bound, in number and in length', () => {
  const answer = { kind: 'file', path: '/x', found: true, text: 'x'.repeat(2_000) } as const;
  refuses(
    () => resolveLaunch(requestOf([]), Array(5_000).fill(answer)),
    'answers',
    /too many answers.*4096/,
    'LimitReached',
  );
  refuses(() => resolveLaunch(requestOf([]), Array(600).fill(answer)), 'answers', /characters/, 'LimitReached');
});

test('a request that says nothing is a trusted program of a dynamic user, with the launcher’s environment', () => {
  const { resolved, asked } = readIn({}, { mayMount: true });
  assert.deepEqual(asked, []);
  const { dynamicUser, untrusted, unit, userName, group, commands, workingDirectory, warnings, missing } = resolved;
  assert.deepEqual(
    { dynamicUser, untrusted, unit, userName, group, commands, workingDirectory, warnings, missing },
    {
      dynamicUser: true,
      untrusted: false,
      unit: undefined,
      userName: undefined,
      group: undefined,
      commands: undefined,
      workingDirectory: undefined,
      warnings: [],
      missing: [],
    },
  );
  assert.deepEqual(resolved.environment, { inherit: true, pass: [], login: true, assignments: [], unset: [] });
  const devices = { listing: [], groups: '' };
  assert.deepEqual(resolved.host, {
    bindDirectories: [],
    devices,
    hasJournal: false,
    hasKernelMemory: false,
    rootHasMusl: false,
  });
  assert.deepEqual([resolved.makesMounts, resolved.exposeDirectories, resolved.removeIPC], [true, false, true]);
  refuses(() => readIn({}, { mayMount: false }), 'isolation', /CAP_SYS_ADMIN/, 'NotPermitted');
  refuses(() => readIn({}, { mayMount: true, properties: ['Foo=x'] }), 'properties', /unknown property "Foo"/);
});

test('directories are kept apart by kind, with what makes them private', () => {
  const kinds = ['RuntimeDirectory=r', 'StateDirectory=s', 'CacheDirectory=c', 'LogsDirectory=l'];
  const all = resolvedOf([...kinds, 'LogsDirectoryMode=0700', 'RuntimeDirectoryMode=0711']);
  assert.deepEqual(all.directories, { runtime: ['r'], state: ['s'], cache: ['c'], logs: ['l'] });
  assert.deepEqual(all.modes, { runtime: 0o711, logs: 0o700 });
  assert.deepEqual([all.privateKinds, all.runtimePreserve], [['state', 'cache', 'logs'], false]);
  const kept = resolvedOf([...kinds, 'RuntimeDirectoryPreserve=yes']);
  assert.deepEqual([kept.privateKinds, kept.runtimePreserve], [['runtime', 'state', 'cache', 'logs'], true]);
  assert.deepEqual(kept.warnings, []);
  assert.deepEqual(resolvedOf([...kinds, 'DynamicUser=no']).privateKinds, []);
  assert.deepEqual(resolvedOf(['CacheDirectory=c']).privateKinds, ['cache']);
});

test('what is asked of the host is what the launch has a use for', () => {
  const asked = (...properties: string[]): readonly string[] => readIn({}, requestOf(properties)).asked;
  assert.deepEqual(asked('BindPaths=/a:/b', 'BindReadOnlyPaths=/c'), ['/a', '/c']);
  assert.deepEqual(asked('PrivateDevices=yes'), ['/run/systemd/journal/dev-log', '/proc/kcore']);
  assert.deepEqual(asked('User=games', 'WorkingDirectory=/x'), []);
  const passwd = { files: { '/etc/passwd': 'games:x:5:60::/usr/games:/bin/sh\n' } };
  const lines = (...more: string[]) => resolvedOfUnit(['User=games', ...more], {}, passwd).environment;
  for (const word of ['$HOME', `\${HOME}`, '$SHELL', `x\${SHELL}y`, `"$HOME"`]) {
    const { home, shell } = lines(`ExecStart=/x ${word}`);
    assert.deepEqual([home, shell], ['/usr/games', '/bin/sh'], word);
  }
  for (const line of ['ExecStart=/x $HOMES', 'ExecStart=:/x $HOME', 'ExecStart=/x HOME', 'ExecStart=/x $USER']) {
    assert.equal(lines(line).home, undefined, line);
  }
});

test('a home or a shell that is not a path is not known', () => {
  const login = (home: string, shell: string) => {
    const world = { files: { '/etc/passwd': `games:x:5:60::${home}:${shell}\n` } };
    const { environment } = resolvedOfUnit(['User=games', 'ExecStart=/x $HOME $SHELL'], {}, world);
    return [environment.home, environment.shell];
  };
  assert.deepEqual(login('/h', '/s'), ['/h', '/s']);
  assert.deepEqual(login('', '/s'), [undefined, '/s']);
  assert.deepEqual(login('/h', 'sh'), ['/h', undefined]);
  const root = { files: { '/etc/passwd': 'root:x:0:0::/root:/bin/sh\n' } };
  assert.equal(resolvedOfUnit(['ExecStart=/x $HOME'], {}, root).environment.home, '/root');
});

test('a question that is open comes before an error that may be there because of it', () => {
  const request = requestOf(['WorkingDirectory=~', 'DynamicUser=no', 'User=games']);
  const outcome = resolveLaunch(request, []);
  assert.ok('questions' in outcome);
  assert.deepEqual(outcome.questions, [{ kind: 'file', path: '/etc/passwd' }]);
  // What was found first holds, if a launcher answers twice.
  const answers = [
    { kind: 'file', path: '/etc/passwd', found: true, text: 'games:x:5:60::/first:/x\n' },
    { kind: 'file', path: '/etc/passwd', found: true, text: 'games:x:5:60::/second:/x\n' },
  ] as const;
  const answered = resolveLaunch(request, answers);
  assert.ok('resolved' in answered);
  assert.equal(answered.resolved.workingDirectory, '/first');
  // A limit is one, whatever is still open.
  const many = Array(4_097).fill('EnvironmentFile=/x');
  refuses(() => resolveLaunch(requestOf(many), []), 'properties', /4096/, 'LimitReached');
});

test('commands of a unit file are what they are; those of a command line are its own', () => {
  refuses(() => resolvedOf(['ExecStart=/x']), 'ExecStart', /without a unit file.*leave it out/);
  refuses(() => resolvedOf(['ExecStartPre=/x', 'ExecStart=/y']), 'ExecStart', /without a unit file/);
  assert.equal(resolvedOf(['ExecStart=/x', 'ExecStart=']).commands, undefined);
  refuses(() => resolvedOfUnit(['ExecStartPre=/x']), '/srv/wuff.service: ExecStart', /no command to start; add one/);
  const ofTypes = ['simple', 'exec', 'notify', 'dbus', 'idle', 'notify-reload'];
  for (const type of ofTypes) {
    assert.equal(resolvedOfUnit([`Type=${type}`, 'ExecStart=/x', 'ExecStartPre=/y']).commands?.length, 2, type);
    refuses(
      () => resolvedOfUnit([`Type=${type}`, 'ExecStart=/x', 'ExecStart=/y']),
      '/srv/wuff.service: ExecStart',
      /^2 commands; only a service of Type=oneshot/,
    );
  }
});

test('properties have a name before their "=", and white space around both means nothing', () => {
  assert.equal(resolvedOf([' User = wuff ']).userName, 'wuff');
  assert.equal(resolvedOf(['Environment=A=b=c']).environment.assignments[0], 'A=b=c');
  for (const text of ['User', '=x', '']) {
    refuses(() => resolvedOf([text]), 'properties', /use NAME=VALUE$/);
  }
});

test('a unit file has a path that begins with "/", whatever its directory', () => {
  const asked = (unitFile: string): readonly string[] => {
    const files = { [unitFile]: '[Service]\nExecStart=/x\n' };
    return readIn({ files }, requestOf([], { unitFile })).asked.filter(path => path.endsWith('.d'));
  };
  assert.equal(asked('/x.service')[0], '/x.service.d');
  assert.equal(asked('//x.service')[0], '/x.service.d');
  assert.equal(asked('/a/b//x.service')[0], '/a/b/x.service.d');
  refuses(() => readIn({}, requestOf([], { unitFile: '/a\0/x.service' })), 'unitFile', /absolute/);
});
