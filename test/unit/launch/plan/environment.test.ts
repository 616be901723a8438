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

test('ExecSearchPath= is the PATH, unless something else gives one', () => {
  const pathOf = (...properties: string[]) => {
    const { environment } = planLaunch(resolvedOfUnit([...properties, 'ExecStart=x']), acquiredOf());
    return environment.filter(text => text.startsWith('PATH='));
  };
  assert.deepEqual(pathOf(), ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin']);
  assert.deepEqual(pathOf('ExecSearchPath=/opt/%p/bin:/usr/bin', 'ExecSearchPath=/srv'), [
    'PATH=/opt/wuff/bin:/usr/bin:/srv',
  ]);
  assert.deepEqual(pathOf('ExecSearchPath=/opt', 'Environment=PATH=/srv'), ['PATH=/srv']);
  assert.deepEqual(pathOf('ExecSearchPath=/opt', 'ExecSearchPath='), pathOf());
  refuses(() => resolvedOf(['ExecSearchPath=bin']), 'ExecSearchPath', /not an absolute path/);
});

test('CONFIGURATION_DIRECTORY names the directories below /etc', () => {
  const resolved = resolvedOf(['ConfigurationDirectory=b a']);
  const plan = planLaunch(resolved, acquiredOf());
  assert.ok(plan.environment.includes('CONFIGURATION_DIRECTORY=/etc/a:/etc/b'));
});

test('PassEnvironment= passes on variables of the launcher where not all are', () => {
  assert.deepEqual(planOf(['PassEnvironment=A B']).passEnvironment, []);
  const own = { inheritEnvironment: false };
  const plan = planLaunch(resolvedOf(['PassEnvironment=A B', 'PassEnvironment=PATH'], own), acquiredOf());
  assert.deepEqual(plan.passEnvironment, ['A', 'B', 'PATH']);
  assert.ok(!plan.environment.some(text => text.startsWith('PATH=')), 'it is the launcher’s');
  const unit = ['PassEnvironment=A', 'Environment=A=1', 'ExecStart=/x $B'];
  assert.deepEqual(planLaunch(resolvedOfUnit(unit), acquiredOf()).passEnvironment, ['A']);
  refuses(
    () => planLaunch(resolvedOfUnit(['PassEnvironment=A', 'ExecStart=/x $A']), acquiredOf()),
    'ExecStart',
    /\$A is known only to the launcher's environment/,
  );
  refuses(() => resolvedOf(['PassEnvironment=A=1']), 'PassEnvironment', /not the name/);
  assert.equal(resolvedOfUnit(['ExecStart=/x', 'PassEnvironment=A', 'PassEnvironment=']).warnings.length, 0);
});

test('what stands for "none" in an account is neither a home nor a shell for a program', () => {
  const games = { uid: 5, gid: 60, userName: 'games', dynamic: false };
  const variables = (home: string, shell: string): string[] =>
    planOf(['User=games'], { ...games, login: { home, shell } }).environment.filter(text =>
      /^(?:HOME|SHELL)=/.test(text),
    );
  assert.deepEqual(variables('/h', '/bin/sh'), ['HOME=/h', 'SHELL=/bin/sh']);
  for (const home of ['/', '//', '', 'h']) {
    assert.deepEqual(variables(home, '/bin/sh'), ['SHELL=/bin/sh'], home);
  }
  for (const shell of ['', 'sh', '/', '/usr/sbin/nologin', '/bin/false', '/bin/true']) {
    assert.deepEqual(variables('/h', shell), ['HOME=/h'], shell);
  }
  for (const shell of ['/bin/nologinx', '/bin/xfalse', '/true/sh']) {
    assert.deepEqual(variables('/h', shell), ['HOME=/h', `SHELL=${shell}`]);
  }
});

test('what an inherited environment must not say is taken out, unless it is set anew', () => {
  const OURS = [
    'RUNTIME_DIRECTORY',
    'STATE_DIRECTORY',
    'CACHE_DIRECTORY',
    'LOGS_DIRECTORY',
    'CREDENTIALS_DIRECTORY',
    'CONFIGURATION_DIRECTORY',
  ];
  assert.deepEqual(planOf([]).unsetEnvironment, [...OURS, 'HOME', 'SHELL']);
  const games = { uid: 5, gid: 60, userName: 'games', dynamic: false };
  assert.deepEqual(planOf(['User=games'], games).unsetEnvironment, OURS);
  assert.deepEqual(planOf(['User=games', 'SetLoginEnvironment=no'], games).unsetEnvironment, [
    ...OURS,
    'HOME',
    'SHELL',
  ]);
  const root = { uid: 0, gid: 0, userName: 'root', dynamic: false };
  assert.deepEqual(planOf(['DynamicUser=no'], root).unsetEnvironment, OURS);
  assert.deepEqual(
    planOf(['UnsetEnvironment=A HOME A', 'ConfigurationDirectory=x', 'Environment=SHELL=/s']).unsetEnvironment,
    ['A', 'HOME', ...OURS.slice(0, 5)],
  );
  assert.deepEqual(planOf([], {}, { inheritEnvironment: false }).unsetEnvironment, []);
});

test('a variable that goes only with a value stays with another one', () => {
  const properties = ['Environment=A=1 B=2 C=', 'UnsetEnvironment=A=1 B=1 C= D='];
  assert.deepEqual(planOf(properties, {}, { inheritEnvironment: false }).environment.slice(3), ['B=2']);
});

test('a variable of a command line may come from the account, unless it is unset', () => {
  const world = { files: { '/etc/passwd': 'games:x:5:60::/usr/games:/bin/sh\n' } };
  const games = { uid: 5, gid: 60, userName: 'games', dynamic: false };
  const words = (line: string, ...more: string[]) => {
    const resolved = resolvedOfUnit(['User=games', `ExecStart=/x ${line}`, ...more], {}, world);
    return planLaunch(resolved, acquiredOf(games)).commands?.[0]?.arguments.slice(1);
  };
  assert.deepEqual(words('$HOME $SHELL'), ['/usr/games', '/bin/sh']);
  assert.deepEqual(words('$HOME', 'Environment=HOME=/own'), ['/own']);
  refuses(
    () => words('$HOME', 'UnsetEnvironment=HOME'),
    'ExecStart',
    /^\$HOME is known only to the launcher's environment/,
  );
  assert.deepEqual(words('$HOME', 'SetLoginEnvironment=no'), []);
  const inherits = (line: string, ...more: string[]) => {
    const resolved = resolvedOfUnit([`ExecStart=/x ${line}`, ...more], { inheritEnvironment: true });
    return planLaunch(resolved, acquiredOf()).commands?.[0]?.arguments.slice(1);
  };
  refuses(() => inherits('$A'), 'ExecStart', /^\$A is known only/);
  assert.deepEqual(inherits('$A', 'UnsetEnvironment=A'), []);
  assert.deepEqual(inherits('$A', 'Environment=A=1'), ['1']);
});

test('files of wildcards are those that match, and of paths alone', () => {
  const paths = ['/e/a', 'e/b', '/e/\0', '/e/c'];
  const world = {
    files: { '/e/a': 'A=1', '/e/c': 'C=3' },
    globs: { '/e/[ac]': paths, '/e/?': [], '/e/{a,c}': ['/e/c'] },
  };
  const assignments = (path: string): readonly string[] =>
    resolvedOf([`EnvironmentFile=${path}`], {}, world).environment.assignments;
  assert.deepEqual(assignments('/e/[ac]'), ['A=1', 'C=3']);
  assert.deepEqual(assignments('/e/?'), []);
  assert.deepEqual(assignments('/e/{a,c}'), ['C=3']);
  assert.deepEqual(assignments('-/e/none*'), []);
});

test('a value with NUL is left out, and so is what has no name of a variable', () => {
  const world = { files: { '/e': 'A=1\nB=x\0y\nexport C=2\n1D=3\n_E=4' } };
  const resolved = resolvedOf(['EnvironmentFile=/e'], {}, world);
  assert.deepEqual(resolved.environment.assignments, ['A=1', '_E=4']);
  assert.deepEqual(
    resolved.warnings.map(text => /^\/e: ("[^"]*") is not the name of a variable; it is ignored$/.exec(text)?.[1]),
    ['"B"', '"export C"', '"1D"'],
  );
});

test('environment files: quotes, escapes and white space in each place', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['A=1 \t\nB=2', ['A=1', 'B=2']],
    ['A= "1" "2" ', ['A=12']],
    [`A=1 "2" '3'`, [`A=1 "2" '3'`]],
    ['A="1" 2 "3"', ['A=12 "3"']],
    ['A="\\\\ \\` \\x"', ['A=\\ ` \\x']],
    ["A='1\\", ['A=1\\']],
    ['A="1\\', ['A=1']],
    ['A=1\\', ['A=1']],
    ['A=\\ 1', ['A= 1']],
    ['A=1 \\\n2', ['A=1 2']],
    ['A=\\\n\nB=2', ['A=', 'B=2']],
    [' A\t=1', ['A=1']],
    ['=1', ['=1']],
    ['#A=1\n ;B=2\nC=3', ['C=3']],
    ['A=#1', ['A=#1']],
    ['A=1\rB=2', ['A=1', 'B=2']],
    ['a\n\n\nb\nC=3\n', ['C=3']],
    ['A==', ['A==']],
    ['A="1"\nB=2', ['A=1', 'B=2']],
  ];
  for (const [text, expected] of cases) {
    assert.deepEqual(file(text), expected, JSON.stringify(text));
  }
});

test('a service that notifies its manager gets what the launcher was told of that, and no other does', () => {
  const passed = (...lines: string[]) =>
    planLaunch(resolvedOfUnit(['ExecStart=/x', ...lines]), acquiredOf()).passEnvironment;
  const watched = ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID'];
  for (const [line, expected] of [
    ['Type=exec', []],
    ['Type=notify', ['NOTIFY_SOCKET']],
    ['Type=notify-reload', ['NOTIFY_SOCKET']],
    ['NotifyAccess=none', []],
    ['NotifyAccess=all', ['NOTIFY_SOCKET']],
    ['WatchdogSec=3', watched],
    ['WatchdogSec=0', []],
    ['WatchdogSec=infinity', []],
  ] as const) {
    assert.deepEqual(passed(line), expected, line);
  }
});

test('what makes a service outlive its process is said', () => {
  const warned = (line: string) => resolvedOfUnit(['ExecStart=/x', line]).warnings;
  assert.match(
    warned('RemainAfterExit=yes')[0] ?? '',
    /^\/srv\/wuff.service:3: RemainAfterExit= is ignored: .*ends with its process/,
  );
  for (const line of ['RemainAfterExit=no', 'RemainAfterExit=off', 'RemainAfterExit=']) {
    assert.deepEqual(warned(line), [], line);
  }
});
