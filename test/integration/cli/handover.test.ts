/** acquire with directories: what is asked for, how far it is, what became of each, and how long it may take. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { sampleAcquired, sampleDirectory } from '../../unit/cli/sample.ts';
import { type FakeDaemon, LEASE_ID, startFakeDaemon } from './fake-daemon.ts';
import { type CommandOptions, type Outcome, runCommand } from './run-command.ts';

let daemon: FakeDaemon;
beforeEach(async () => {
  daemon = await startFakeDaemon();
});
afterEach(() => daemon.close());

const UNIT = 'dynamic-user-test.service';
/** the errors of a run, with the sequence that clears a line in words */
const visible = (errors: string): string => errors.replaceAll('\r\x1b[K', '<clear>');

function command(argv: readonly string[], options: Partial<CommandOptions> = {}): Promise<Outcome> {
  return runCommand(argv, { environment: daemon.environment, ...options });
}

test('every option reaches the daemon as its parameter', async () => {
  const { status } = await command([
    'acquire',
    UNIT,
    '--state-directory=a',
    '--state-directory-mode=0750',
    '--cache-directory-mode=700',
    '--logs-directory-mode=0',
    '--runtime-directory-mode=01777',
    '--runtime-directory-preserve',
    '--verify',
    '--no-kill-processes',
    '--no-remove-ipc',
  ]);
  assert.equal(status, 0);
  assert.deepEqual(daemon.calls[0]?.parameters, {
    unit: UNIT,
    lifetime: 'explicit',
    stateDirectory: ['a'],
    stateDirectoryMode: 0o750,
    cacheDirectoryMode: 0o700,
    logsDirectoryMode: 0,
    runtimeDirectoryMode: 0o1777,
    runtimeDirectoryPreserve: true,
    verify: true,
    killProcesses: false,
    removeIPC: false,
  });
});

test('explain takes what decides about an acquire, and not what becomes of the lease', async () => {
  const made = ['--verify', '--state-directory-mode=0750', '--expose-directories', '--runtime-directory-preserve'];
  await command(['explain', UNIT, ...made]);
  assert.deepEqual(daemon.calls[0]?.parameters, {
    ...{ unit: UNIT, verify: true, stateDirectoryMode: 0o750, exposeDirectories: true, runtimeDirectoryPreserve: true },
  });
  for (const option of ['--no-kill-processes', '--lifetime=explicit']) {
    assert.equal((await command(['explain', UNIT, option])).status, 2, option);
  }
});

test('an invalid mode: exit status 2, and nothing is asked', async () => {
  for (const mode of ['0888', 'rwx', '-1', '10000', '0x1ff', '7 ', '\x1b[2J']) {
    const { status, errors } = await command(['acquire', UNIT, `--state-directory-mode=${mode}`]);
    assert.equal(status, 2, mode);
    assert.ok(!errors.includes('\x1b'));
    assert.match(
      errors,
      /^dynuserctl: '[^\n]+' is not a mode for '--state-directory-mode': it is octal, such as 0750\n/,
    );
  }
  assert.deepEqual(daemon.calls, []);
});

const tellTwice: FakeDaemon['handOver'] = async tell => {
  tell({ publicPath: '/var/lib/a', inodes: 100, changed: 7 });
  tell({ publicPath: '/var/lib/b\x1b[2J', inodes: 2000, changed: 0 });
};

test('progress: one line that is drawn again and cleared in the end', async () => {
  daemon.handOver = tellTwice;
  const { status, output, errors } = await command(['acquire', UNIT], { errorColumns: 80 });
  assert.deepEqual({ status, output }, { status: 0, output: '64642\n' });
  assert.equal(
    visible(errors),
    '<clear>/var/lib/a: 100 inodes inspected, 7 changed' +
      '<clear>/var/lib/b\\x1b[2J: 2000 inodes inspected, 0 changed<clear>',
  );
});

test('progress: nothing where standard error is not a terminal, or a dumb one', async () => {
  daemon.handOver = tellTwice;
  assert.equal((await command(['acquire', UNIT])).errors, '');
  const environment = { ...daemon.environment, TERM: 'dumb' };
  assert.equal((await command(['acquire', UNIT], { errorColumns: 80, environment })).errors, '');
});

test('progress: the line is gone before an error is told', async () => {
  daemon.handOver = async tell => {
    tell({ publicPath: '/a', inodes: 1, changed: 1 });
    throw new Error('the daemon broke');
  };
  const { status, errors } = await command(['acquire', UNIT], { errorColumns: 80 });
  assert.equal(status, 1);
  assert.match(visible(errors), /1 changed<clear>dynuserctl: [^<]+\n$/);
});

test('an interruption takes the line with it, and says that nothing is held', async () => {
  const interruption = new AbortController();
  daemon.handOver = tell => {
    tell({ publicPath: '/a', inodes: 1, changed: 1 });
    return new Promise(() => {});
  };
  const { status, output, errors } = await command(['acquire', UNIT], {
    errorColumns: 80,
    interruption: interruption.signal,
    onErrors: () => interruption.abort(),
  });
  assert.deepEqual({ status, output }, { status: 1, output: '' });
  assert.match(visible(errors), /1 changed<clear>dynuserctl: interrupted: no lease is held; [^<]+\n$/);
  await daemon.holderGone;
});

test('a handover may last as long as there is progress; 30 s of silence are too many', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let shown = (): void => {};
  let told = 0;
  daemon.handOver = async tell => {
    for (told = 1; told <= 4; told++) {
      const drawn = new Promise<void>(resolve => {
        shown = resolve;
      });
      tell({ publicPath: '/a', inodes: told, changed: 0 });
      await drawn;
      await turn();
      t.mock.timers.tick(29_999);
    }
    t.mock.timers.tick(1);
    await new Promise(() => {});
  };
  const { status, errors } = await command(['acquire', UNIT], { errorColumns: 80, onErrors: () => shown() });
  t.mock.timers.reset();
  assert.equal(status, 1);
  assert.equal(told, 5);
  assert.match(
    visible(errors),
    /changed<clear>dynuserctl: dynuserd at \S+ does not answer \(Acquire [^)]*: no answer within 30000 ms\): /,
  );
});

test('a daemon that tells how far it is, and then ends without an answer', async () => {
  daemon.handOver = async tell => {
    tell({ publicPath: '/a', inodes: 1, changed: 1 });
    void daemon.close();
    await new Promise(() => {});
  };
  const { status, errors } = await command(['acquire', UNIT]);
  assert.equal(status, 1);
  assert.match(errors, /^dynuserctl: lost dynuserd at /);
});

test('on a terminal: how each directory was handed over', async () => {
  daemon.directories = [sampleDirectory(), sampleDirectory({ publicPath: '/run/b', handover: 'chown', changed: 1 })];
  const { output } = await command(['acquire', UNIT], {
    columns: 80,
    environment: { ...daemon.environment, NO_COLOR: '' },
  });
  assert.equal(
    output,
    [
      `${UNIT} has the dynamic user dynamic-user-test, UID 64642.`,
      `'dynuserctl release ${LEASE_ID}' releases it.`,
      "/var/lib/a: none, it was the user's already",
      '    /run/b: chown, 1 inode changed',
      '',
    ].join('\n'),
  );
});

test('what was left alone is told on standard error, beside the answer in JSON too', async () => {
  daemon.directories = [sampleDirectory({ leftPaths: ['b/c'], mountPaths: ['m\n'] })];
  const { status, output, errors } = await command(['acquire', UNIT, '--json=short']);
  assert.equal(status, 0);
  assert.deepEqual(JSON.parse(output), sampleAcquired({ directories: daemon.directories }));
  assert.match(
    errors,
    /^dynuserctl: left alone: \/var\/lib\/a\/b\/c: [^\n]+\ndynuserctl: left alone: \/var\/lib\/a\/m\\n: [^\n]+\n$/,
  );
});
