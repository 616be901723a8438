import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planLaunch } from '../../../../src/launch/launch.ts';
import type { Acquired } from '../../../../src/launch/plan/request.ts';
import { parseEnvironmentFile } from '../../../../src/launch/syntax/environment-file.ts';
import { acquiredOf, planOf, readIn, refuses, requestOf, resolvedOf, resolvedOfUnit } from '../launches.ts';

function file(text: string): string[] {
  return parseEnvironmentFile(text).map(({ name, value }) => `${name}=${value}`);
}

test('environment files are read as systemd reads them', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['A=1\nB=2', ['A=1', 'B=2']],
    ['# c\n; c\n  A = 1 2  \n', ['A=1 2']],
    ['A="1 2" # no comment', ['A=1 2# no comment']],
    ["A='1\n2'\nB=3", ['A=1\n2', 'B=3']],
    ['A="1\\\n2"', ['A=12']],
    ['A=1\\\n2', ['A=12']],
    ['A="\\"\\$\\n"', ['A="$\\n']],
    ["A='\\n'", ['A=\\n']],
    ['A=\\n', ['A=n']],
    ['A="x"\'y\'z', ['A=xyz']],
    ['A=a"b"', ['A=a"b"']],
    ['A=', ['A=']],
    ['nothing\nA=1', ['A=1']],
    ['export A=1', ['export A=1']],
    ['A="1', ['A=1']],
    ['A=1\r\nB=2\r\n', ['A=1', 'B=2']],
    ['A=a  \\  ', ['A=a   ']],
    ['', []],
  ];
  for (const [text, expected] of cases) {
    assert.deepEqual(file(text), expected, JSON.stringify(text));
  }
});

test('EnvironmentFile= asks for its files, and may have wildcards and do without', () => {
  const world = {
    files: { '/e/a.env': 'A=a\n1=x', '/e/b.env': 'A=b\nB=b' },
    globs: { '/e/*.env': ['/e/a.env', '/e/b.env'] },
  };
  const { resolved, asked, rounds } = readIn(world, requestOf(['EnvironmentFile=/e/*.env', 'EnvironmentFile=-/none']));
  assert.deepEqual(resolved.environment.assignments, ['A=a', 'A=b', 'B=b']);
  assert.deepEqual(asked, ['/e/*.env', '/none', '/e/a.env', '/e/b.env']);
  assert.equal(rounds, 2);
  assert.match(resolved.warnings.join(), /\/e\/a\.env: "1" is not the name/);
  refuses(() => resolvedOf(['EnvironmentFile=/none']), 'EnvironmentFile', /no readable file "\/none"/);
  refuses(() => resolvedOf(['EnvironmentFile=/none/*']), 'EnvironmentFile', /no file matches/);
  assert.deepEqual(resolvedOf(['EnvironmentFile=/none', 'EnvironmentFile=']).environment.assignments, []);
  refuses(() => resolvedOf(['EnvironmentFile=rel']), 'EnvironmentFile', /absolute/);
});

test('Environment= has quotes, escapes and specifiers', () => {
  const { assignments } = resolvedOf(['Environment="A=1 2" B=x\\x20y \'C="\' D=%%', 'Environment=E=']).environment;
  assert.deepEqual(assignments, ['A=1 2', 'B=x y', 'C="', 'D=%', 'E=']);
  for (const value of ['A', '1=x', '=x', 'A B=1', 'Ä=1']) {
    refuses(() => resolvedOf([`Environment=${value}`]), 'Environment', /NAME=VALUE/);
  }
  refuses(() => resolvedOf([], { setEnvironment: ['A'] }), 'setEnvironment', /NAME=VALUE/);
  refuses(() => resolvedOf([], { setEnvironment: ['A=\0'] }), 'setEnvironment', /NUL/);
});

test('later sources of a variable hold: allocator, Environment=, files, command line; UnsetEnvironment= has the last word', () => {
  const world = { files: { '/e': 'C=file\nD=file\nE=file' } };
  const plan = planOf(
    ['Environment=B=own C=own D=own USER=me', 'EnvironmentFile=/e', 'UnsetEnvironment=E D=other F'],
    { environment: { STATE_DIRECTORY: '/var/lib/x', B: 'allocator' } },
    { setEnvironment: ['D=line'], inheritEnvironment: false },
    world,
  );
  assert.deepEqual(plan.environment, [
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin',
    'USER=me',
    'LOGNAME=wuff',
    'STATE_DIRECTORY=/var/lib/x',
    'B=own',
    'C=file',
    'D=line',
  ]);
  assert.deepEqual(plan.unsetEnvironment, ['E', 'D=other', 'F']);
  assert.equal(plan.inheritEnvironment, false);
});

test('an inherited environment does not say of the service what is so of the launcher', () => {
  const plan = planOf([], { environment: { STATE_DIRECTORY: '/var/lib/x' } });
  assert.equal(plan.inheritEnvironment, true);
  assert.deepEqual(plan.environment, ['USER=wuff', 'LOGNAME=wuff', 'STATE_DIRECTORY=/var/lib/x']);
  assert.ok(plan.unsetEnvironment.includes('HOME'));
  assert.ok(plan.unsetEnvironment.includes('CACHE_DIRECTORY'));
  assert.ok(!plan.unsetEnvironment.includes('STATE_DIRECTORY'));
  assert.ok(!planOf(['Environment=HOME=/x']).unsetEnvironment.includes('HOME'));
});

test('HOME and SHELL come from an account that has them: not from that of a dynamic user', () => {
  const login = { home: '/home/x', shell: '/bin/sh' };
  const ofLogin = (properties: readonly string[], account: Partial<Acquired>): string[] =>
    planOf(properties, { login, ...account }).environment.filter(variable => /^(?:HOME|SHELL)=/.test(variable));
  const both = ['HOME=/home/x', 'SHELL=/bin/sh'];
  const games = { uid: 5, gid: 60, userName: 'games', dynamic: false };
  assert.deepEqual(ofLogin(['User=games'], games), both);
  assert.ok(!planOf(['User=games'], games).unsetEnvironment.includes('HOME'));
  assert.deepEqual(ofLogin([], {}), []);
  const nobody = { uid: 65_534, gid: 65_534, userName: 'nobody', dynamic: false };
  assert.deepEqual(ofLogin(['User=nobody'], nobody), []);
  const root = { uid: 0, gid: 0, userName: 'root', dynamic: false };
  assert.deepEqual(planOf(['DynamicUser=no'], { ...root, login }).environment, ['USER=root']);
  assert.deepEqual(ofLogin(['DynamicUser=no', 'SetLoginEnvironment=yes'], root), both);
  assert.deepEqual(ofLogin(['User=games', 'Environment=HOME=/given', 'UnsetEnvironment=SHELL'], games), [
    'HOME=/given',
  ]);
  assert.deepEqual(planOf(['SetLoginEnvironment=no']).environment, ['USER=wuff']);
});

test('CONFIGURATION_DIRECTORY names the directories below /etc', () => {
  const resolved = resolvedOf(['ConfigurationDirectory=b a']);
  const plan = planLaunch(resolved, acquiredOf());
  assert.ok(plan.environment.includes('CONFIGURATION_DIRECTORY=/etc/a:/etc/b'));
});

test('PassEnvironment= passes on what is inherited, and is refused where nothing is', () => {
  assert.deepEqual(resolvedOf(['PassEnvironment=A B']).warnings, []);
  refuses(() => resolvedOf(['PassEnvironment=A'], { inheritEnvironment: false }), 'PassEnvironment', /--setenv=/);
  refuses(() => resolvedOf(['PassEnvironment=A=1']), 'PassEnvironment', /not the name/);
  assert.equal(resolvedOfUnit(['ExecStart=/x', 'PassEnvironment=A', 'PassEnvironment=']).warnings.length, 0);
});
