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

test('names that are no drop-ins are left out', () => {
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

test('a unit file says itself whether there is a dynamic user', () => {
  assert.equal(resolvedOfUnit(['ExecStart=/x']).dynamicUser, false);
  assert.equal(resolvedOfUnit(['ExecStart=/x', 'DynamicUser=yes']).dynamicUser, true);
  assert.equal(resolvedOfUnit(['ExecStart=/x']).environment.inherit, false);
  assert.equal(resolvedOfUnit(['ExecStart=/x'], { inheritEnvironment: true }).environment.inherit, true);
});

test('errors of a unit file say where they are', () => {
  refuses(() => resolvedOfUnit(['ExecStart=/x', 'UMask=9']), '/srv/wuff.service:3: UMask', /mode/);
  refuses(() => resolvedOfUnit(['ExecStart=/x', 'Stat=9']), 'properties', /"Stat" \(\/srv\/wuff.service:3;/);
  refuses(() => resolvedOfUnit(['.include /srv/wuff.service']), '/srv/wuff.service:2', /\.include/);
  refuses(() => resolvedOfUnit(['ExecStart=/x', 'User=%d']), '/srv/wuff.service:3: User', /credentials/);
});

test('a unit file that is not there, or is no service, is refused', () => {
  refuses(() => readIn({}, requestOf([], { unitFile: '/srv/x.service' })), 'unitFile', /no readable file/);
  refuses(() => readIn({}, requestOf([], { unitFile: 'x.service' })), 'unitFile', /absolute/);
  refuses(() => readIn({}, requestOf([], { unitFile: '/srv/x.socket' })), 'unitFile', /\.service/);
  refuses(() => readIn({}, requestOf([], { unitFile: FILE })), 'instance', /--instance=/);
  refuses(() => readIn({}, requestOf([], { instance: 'i' })), 'instance', /--unit-file=/);
  refuses(() => readIn({}, requestOf([], { unit: 'a b' })), 'unit', /unit name/);
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
