// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are variables of unit files
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LaunchCommand } from '../../../../src/api/generated/io-dynuser-allocator.ts';
import { planLaunch } from '../../../../src/launch/launch.ts';
import type { Acquired } from '../../../../src/launch/plan/request.ts';
import { acquiredOf, refuses, resolvedOfUnit, type World } from '../launches.ts';

const ENVIRONMENT = 'Environment="ONE=one" "TWO=two three" "QUOTED=a \'b c\' \\"d" EMPTY= "DOLLAR=$ONE"';

function commands(
  line: string,
  more: readonly string[] = [],
  acquired: Partial<Acquired> = {},
  world: World = {},
): readonly LaunchCommand[] {
  const resolved = resolvedOfUnit(['Type=oneshot', `ExecStart=${line}`, ENVIRONMENT, ...more], {}, world);
  return planLaunch(resolved, acquiredOf(acquired)).commands ?? [];
}

function words(line: string): readonly string[] {
  return commands(line)[0]?.arguments ?? [];
}

test('a command line is words, escapes, specifiers and variables', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['/bin/a b  "c d" \'e f\'', ['/bin/a', 'b', 'c d', 'e f']],
    ['/bin/a a\\x20b \\101 \\q', ['/bin/a', 'a b', 'A', '\\q']],
    ['/bin/a %p %% 100%', ['/bin/a', 'wuff', '%', '100%']],
    ['/bin/a $ONE ${ONE} x${ONE}y', ['/bin/a', 'one', 'one', 'xoney']],
    ['/bin/a $TWO ${TWO} "$TWO"', ['/bin/a', 'two', 'three', 'two three', 'two', 'three']],
    ['/bin/a x$ONE', ['/bin/a', 'x$ONE']],
    ['/bin/a $$ONE $$ $${ONE} a$$b', ['/bin/a', '$ONE', '$', '${ONE}', 'a$b']],
    ['/bin/a $NONE ${NONE} <${NONE}>', ['/bin/a', '', '<>']],
    ['/bin/a $EMPTY ${EMPTY}', ['/bin/a', '']],
    ['/bin/a $QUOTED', ['/bin/a', 'a', 'b c', 'd']],
    ['/bin/a $DOLLAR ${DOLLAR}', ['/bin/a', '$ONE', '$ONE']],
    ['/bin/a ${ONE', ['/bin/a', '${ONE']],
    ['/bin/a ${ONE:-x} ${ONE:${ONE}}', ['/bin/a', '${ONE:-x}', '${ONE:one}']],
    ['/bin/a "" b', ['/bin/a', '', 'b']],
    ['/bin/a ";" \\; x\\;', ['/bin/a', ';', ';', 'x\\;']],
    [':/bin/a $ONE ${ONE} $$', ['/bin/a', '$ONE', '${ONE}', '$$']],
    ['@/bin/a b c', ['b', 'c']],
    ['@/bin/a $ONE c', ['one', 'c']],
    ['"/bin/a b" c', ['/bin/a b', 'c']],
    ['sh -c x', ['sh', '-c', 'x']],
  ];
  for (const [line, expected] of cases) {
    assert.deepEqual(words(line), expected, line);
  }
  assert.deepEqual(commands('/bin/a $USER', ['DynamicUser=yes'])[0]?.arguments, ['/bin/a', 'wuff']);
});

test('prefixes say who runs it, and what becomes of a failure', () => {
  const cases: readonly (readonly [string, LaunchCommand['as'], boolean])[] = [
    ['/x', 'user', false],
    ['-/x', 'user', true],
    ['+/x', 'outside', false],
    ['!/x', 'root', false],
    ['-@+/x y', 'outside', true],
    [':!-/x', 'root', true],
    ['!!/x', 'user', false],
    ['!-!/x', 'user', true],
  ];
  for (const [line, as, ignoreFailure] of cases) {
    const [command] = commands(line);
    assert.deepEqual({ as: command?.as, ignoreFailure: command?.ignoreFailure }, { as, ignoreFailure }, line);
    assert.equal(command?.path, '/x');
  }
  const field = '/srv/wuff.service:3: ExecStart';
  refuses(() => commands('!!!/x'), field, /"!" is repeated/);
  refuses(() => commands('+!!/x'), field, /exclude/);
  refuses(() => commands('|/x'), field, /"\|"/);
  refuses(() => commands('+!/x'), field, /exclude/);
  refuses(() => commands('@@/x y'), field, /is repeated/);
  refuses(() => commands('@/x'), field, /name/);
});

test('several commands in one value are separated by semicolons, and each is run', () => {
  assert.deepEqual(
    commands('/a x ; /b ;; ; /c;d').map(command => command.arguments),
    [['/a', 'x'], ['/b', ';;'], ['/c;d']],
  );
  assert.deepEqual(
    commands('/a', ['ExecStartPre=-/p 1', 'ExecStartPre=/q']).map(({ path }) => path),
    ['/p', '/q', '/a'],
  );
  assert.deepEqual(
    commands('/a', ['ExecStartPre=/p', 'ExecCondition=/c', 'ExecCondition=-/d']).map(({ path, condition = false }) => [
      path,
      condition,
    ]),
    [
      ['/c', true],
      ['/d', true],
      ['/p', false],
      ['/a', false],
    ],
  );
});

test('with PermissionsStartOnly= all commands but the program are as with "+"', () => {
  const lines = ['PermissionsStartOnly=yes', 'Type=oneshot', 'ExecStartPre=/p', 'ExecCondition=/c', 'ExecStartPost=/q'];
  assert.deepEqual(
    commands('!/a', lines).map(({ path, as }) => `${path} ${as}`),
    ['/c outside', '/p outside', '/a root', '/q outside'],
  );
});

test('what names no program is refused', () => {
  for (const line of [
    '-',
    '/',
    '/bin/',
    'bin/true',
    '/a/../b',
    '""',
    '..',
    '/a "b',
    '/a \\xff',
    `/${'x'.repeat(256)}`,
  ]) {
    refuses(() => commands(line), '/srv/wuff.service:3: ExecStart');
  }
});

test('the home of a static account may be named, and one that is not known is refused', () => {
  const games = { uid: 5, gid: 60, userName: 'games', dynamic: false };
  const passwd = { files: { '/etc/passwd': 'games:x:5:60:games:/usr/games:/usr/sbin/nologin' } };
  assert.deepEqual(commands('/x ${HOME}', ['User=games'], games, passwd)[0]?.arguments, ['/x', '/usr/games']);
  refuses(() => commands('/x ${HOME}', ['User=games'], games), 'ExecStart', /--setenv=/);
  assert.deepEqual(commands('/x ${HOME}', ['DynamicUser=yes'])[0]?.arguments, ['/x', '']);
  const inherits = resolvedOfUnit(['ExecStart=/x $TERM'], { inheritEnvironment: true });
  refuses(() => planLaunch(inherits, acquiredOf()), 'ExecStart', /\$TERM.*--setenv=/);
});

test('words and what variables make of them have bounds', () => {
  refuses(
    () => commands(`/a ${'x '.repeat(5_000)}`),
    '/srv/wuff.service:3: ExecStart',
    /too many words.*4096/,
    'LimitReached',
  );
  const big = [`Environment=BIG=${'x'.repeat(100_000)}`];
  refuses(() => commands(`/a ${'${BIG}'.repeat(50)}`, big), 'ExecStart', /characters/, 'LimitReached');
  refuses(() => commands(`/a ${'${BIG} '.repeat(50)}`, big), 'ExecStart', /characters/, 'LimitReached');
});

test('a value of a variable is split as far as it goes', () => {
  const split = (value: string): readonly string[] => {
    const world = { files: { '/e': `V=${value}` } };
    return commands('/x $V', ['EnvironmentFile=/e'], {}, world)[0]?.arguments.slice(1) ?? [];
  };
  for (const [written, expected] of [
    [`a 'b c`, ['a', 'b c']],
    [`a "b c`, ['a', 'b c']],
    [`a "b' c`, ['a', "b' c"]],
    [`x"a"'b c'd`, ['xab cd']],
    [`a\\\\ b`, ['a b']],
    [`a b\\\\`, ['a', 'b']],
    [`a 'b\\\\`, ['a', 'b']],
    [`x'\\\\''`, ["x'"]],
    ['', []],
    ['  ', []],
  ] as const) {
    assert.deepEqual(split(written), expected, written);
  }
});

test('a name that a program sees as its own is a word like the others', () => {
  assert.deepEqual(commands('@/x $EMPTY')[0]?.arguments, ['/x']);
  assert.deepEqual(commands('@/x $TWO y')[0]?.arguments, ['two', 'three', 'y']);
  assert.deepEqual(commands('/x$ONE y')[0], {
    path: '/x$ONE',
    arguments: ['/x$ONE', 'y'],
    as: 'user',
    ignoreFailure: false,
  });
});

test('what a prefix cannot be is said', () => {
  const field = '/srv/wuff.service:3: ExecStart';
  for (const [line, words] of [
    ['!!!/x', /^the prefix "!" is repeated/],
    ['|/x', /^the prefix "\|" is not supported/],
    ['!+/x', /^the prefixes "\+" and "!" exclude each other/],
    ['::/x', /^the prefix ":" is repeated/],
    ['@/x', /^nothing after "@\/x"/],
    ['-', /no command to start/],
    ['@', /^no program in a command: "@"; name one$/],
    ['/x/', /^no program in a command/],
    ['.', /^not a program: "\."/],
    ['x/y', /^not an absolute path/],
  ] as const) {
    refuses(() => commands(line), field, words);
  }
});

test('a separator with nothing before or behind it makes no command', () => {
  const paths = (line: string): string[] => commands(line).map(({ path }) => path);
  for (const line of ['/a ;', '; /a', ' ; ; /a ; ;']) {
    assert.deepEqual(paths(line), ['/a'], line);
  }
  assert.deepEqual(paths('/a ; ; /b'), ['/a', '/b']);
  assert.deepEqual(commands('/a \\; ; /b')[0]?.arguments, ['/a', ';']);
  refuses(() => commands(';'), '/srv/wuff.service:3: ExecStart', /no command/);
});

test('a command for which RootDirectory= is not meant is refused, unless it is outside anyway', () => {
  const only = ['RootDirectory=/srv/root', 'RootDirectoryStartOnly=yes'];
  for (const command of ['ExecStartPre=/bin/b', 'ExecStartPre=!/bin/b', 'ExecCondition=-/bin/b']) {
    refuses(
      () => commands('/bin/a', [...only, command]),
      '/srv/wuff.service:6: RootDirectoryStartOnly',
      /^"\/bin\/b" would need another root directory .*; put "\+" before it/,
    );
    assert.equal(commands('/bin/a', ['RootDirectoryStartOnly=yes', command]).length, 2);
    assert.equal(commands('/bin/a', ['RootDirectory=/srv/root', command]).length, 2);
  }
  assert.equal(commands('/bin/a', [...only, 'ExecStartPre=+/bin/b']).length, 2);
});
