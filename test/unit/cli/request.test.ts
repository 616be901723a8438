import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCommandLine } from '../../../src/cli/command-line.ts';
import { COMMAND_TABLE } from '../../../src/cli/commands.ts';
import {
  ACQUIRE_OPTIONS,
  acquireParameters,
  explainParameters,
  OPTIONS_OF_PARAMETERS,
} from '../../../src/cli/request.ts';
import { checkParameters } from '../../../src/client/connection.ts';

function requestOf(...options: readonly string[]): unknown {
  const parsed = parseCommandLine(['acquire', 'web.service', ...options], COMMAND_TABLE);
  return acquireParameters(parsed.invocation);
}

function fails(message: RegExp, ...options: readonly string[]): void {
  assert.throws(() => requestOf(...options), { name: 'CommandFailure', status: 2, message });
}

test('what is not given is not asked for', () => {
  assert.deepEqual(requestOf(), { unit: 'web.service', lifetime: 'explicit' });
});

test('each option becomes a parameter that the interface has', () => {
  const given = ACQUIRE_OPTIONS.filter(({ name }) => !['no-fleet', 'lifetime', 'pid', 'seconds'].includes(name));
  const parameters = requestOf(...given.map(({ name, value }) => `--${name}${value === undefined ? '' : '=0700'}`));
  const written = checkParameters('Acquire', parameters as { readonly [key: string]: unknown });
  assert.equal(Object.keys(written).length, given.length + ['unit', 'lifetime'].length);
  for (const parameter of OPTIONS_OF_PARAMETERS.keys()) {
    assert.ok(parameter in written || ['pid', 'seconds'].includes(parameter), parameter);
  }
});

test('each switch of acquire is a parameter', () => {
  const switches = {
    'per-instance': { perInstance: true },
    'expose-directories': { exposeDirectories: true },
    'runtime-directory-preserve': { runtimeDirectoryPreserve: true },
    verify: { verify: true },
    'no-kill-processes': { killProcesses: false },
    'no-remove-ipc': { removeIPC: false },
  };
  for (const [name, parameter] of Object.entries(switches)) {
    assert.deepEqual(requestOf(`--${name}`), { unit: 'web.service', lifetime: 'explicit', ...parameter });
  }
});

test('whether the fleet has the user is asked for or not, and else the configuration says so', () => {
  assert.deepEqual(requestOf('--fleet'), { unit: 'web.service', lifetime: 'explicit', fleet: true });
  assert.deepEqual(requestOf('--no-fleet'), { unit: 'web.service', lifetime: 'explicit', fleet: false });
  fails(/^acquire takes one of --fleet and --no-fleet/, '--fleet', '--no-fleet');
});

test('directories of every kind, and their modes, are parameters', () => {
  for (const kind of ['runtime', 'state', 'cache', 'logs']) {
    assert.deepEqual(requestOf(`--${kind}-directory=a`, `--${kind}-directory=b:c`, `--${kind}-directory-mode=0750`), {
      unit: 'web.service',
      lifetime: 'explicit',
      [`${kind}Directory`]: ['a', 'b:c'],
      [`${kind}DirectoryMode`]: 0o750,
    });
  }
});

test('a mode is octal, with at most four digits that mean anything', () => {
  for (const [text, mode] of [
    ['0', 0],
    ['7', 7],
    ['755', 0o755],
    ['07777', 0o7777],
    ['00001777', 0o1777],
  ] as const) {
    const parameters = requestOf(`--state-directory-mode=${text}`) as { stateDirectoryMode?: number };
    assert.equal(parameters.stateDirectoryMode, mode, text);
  }
  for (const text of ['8', '0x1', '17777', '-1', 'rwx', '7 ']) {
    fails(
      /^'.*' is not a mode for '--state-directory-mode': it is octal, such as 0750\n/,
      `--state-directory-mode=${text}`,
    );
  }
});

test('names and words are passed on; of several the last one counts', () => {
  assert.deepEqual(requestOf('--user=a', '--user=b', '--description=x y', '--lifetime=unit'), {
    unit: 'web.service',
    userName: 'b',
    description: 'x y',
    lifetime: 'unit',
  });
});

test('the lifetime "process" needs its process, and no other one takes one', () => {
  assert.deepEqual(requestOf('--lifetime=process', '--pid=4711'), {
    unit: 'web.service',
    lifetime: 'process',
    pid: 4711,
  });
  fails(/^option '--lifetime=process' needs the process .*--pid=PID\n/, '--lifetime=process');
  fails(/^option '--pid' goes with '--lifetime=process'\n/, '--pid=1');
  fails(/^option '--pid' goes with '--lifetime=process'\n/, '--pid=1', '--lifetime=unit');
  for (const pid of ['0', '-1', 'x', '1.5', '0x1', '99999999999', '1\x1b']) {
    fails(/^'.*' is not a process id for '--pid': it is a number such as 4711\n/, '--lifetime=process', `--pid=${pid}`);
  }
});

test('the lifetime "timed" needs its seconds, and no other one takes them', () => {
  assert.deepEqual(requestOf('--lifetime=timed', '--seconds=60'), {
    unit: 'web.service',
    lifetime: 'timed',
    seconds: 60,
  });
  fails(/^option '--lifetime=timed' needs its time: --seconds=SECONDS\n/, '--lifetime=timed');
  fails(/^option '--seconds' goes with '--lifetime=timed'\n/, '--seconds=1');
  fails(/^option '--pid' goes with '--lifetime=process'\n/, '--pid=1', '--lifetime=timed', '--seconds=1');
  for (const seconds of ['long', '-1', '1.5', '12345678901']) {
    fails(
      /^'.*' is not a number for '--seconds': it is one such as 3600\n/,
      '--lifetime=timed',
      `--seconds=${seconds}`,
    );
  }
});

test('explain asks for what acquire would, but for the lifetime', () => {
  const parsed = parseCommandLine(
    ['explain', 'web.service', '--user=a', '--state-directory=b', '--per-instance'],
    COMMAND_TABLE,
  );
  assert.deepEqual(explainParameters(parsed.invocation), {
    unit: 'web.service',
    userName: 'a',
    perInstance: true,
    stateDirectory: ['b'],
  });
});

test('a mistake leads to the help of its command', () => {
  const parsed = parseCommandLine(['explain', 'x', '--state-directory-mode=9'], COMMAND_TABLE);
  const { invocation } = parsed;
  assert.throws(() => explainParameters(invocation), { status: 2, message: /\nTry 'dynuserctl explain --help' / });
  fails(/\nTry 'dynuserctl acquire --help' /, '--state-directory-mode=9');
});
