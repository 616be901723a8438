/** One run of the command, without a daemon: what is written where, and the exit status. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { COMMAND_TABLE } from '../../../src/cli/commands.ts';
import { CommandFailure, usageFailure } from '../../../src/cli/failure.ts';
import { run } from '../../../src/cli/main.ts';
import { layoutOf, print, showText } from '../../../src/cli/print.ts';
import type { ProcessIo } from '../../../src/cli/process-io.ts';
import { renderCommandHelp, renderHelp } from '../../../src/cli/render/help.ts';
import { VERSION } from '../../../src/core/version.ts';

/** @param broken with what writing to the output failed */
function fakeIo(broken?: Error, columns?: number, rows?: number) {
  const written = { output: '', errors: '', paged: '' };
  const stream = (name: 'output' | 'errors', signal: AbortSignal): ProcessIo['output'] => ({
    terminal: columns === undefined ? undefined : { columns, ...(rows === undefined ? {} : { rows }) },
    write: async text => {
      written[name] += text;
    },
    broken: signal,
  });
  const io: ProcessIo = {
    environment: { DYNUSER_RUNTIME_DIRECTORY: 'relative' },
    output: stream('output', broken === undefined ? new AbortController().signal : AbortSignal.abort(broken)),
    errors: stream('errors', new AbortController().signal),
    now: () => 0,
    ask: async () => undefined,
    page: async text => {
      written.paged += text;
      return true;
    },
    listenForInterruption: () => ({ signal: new AbortController().signal, [Symbol.dispose]: () => {} }),
  };
  return { io, written };
}

async function outcome(argv: readonly string[], broken?: Error) {
  const { io, written } = fakeIo(broken);
  const status = await run(argv, io);
  return { status, output: written.output, errors: written.errors };
}

it('help and version are output, and success', async () => {
  assert.deepEqual(await outcome(['--help']), { status: 0, output: renderHelp(COMMAND_TABLE), errors: '' });
  assert.deepEqual(await outcome(['--version']), { status: 0, output: `dynuserctl ${VERSION}\n`, errors: '' });
  for (const command of COMMAND_TABLE.commands) {
    const output = renderCommandHelp(command, COMMAND_TABLE);
    assert.deepEqual(await outcome([command.verb, '--help']), { status: 0, output, errors: '' });
  }
});

it('help, version and -h are the same as their options; no command is status', async () => {
  assert.deepEqual(await outcome(['help']), await outcome(['--help']));
  assert.deepEqual(await outcome(['-h']), await outcome(['--help']));
  assert.deepEqual(await outcome(['help', 'release']), await outcome(['release', '-h']));
  assert.deepEqual(await outcome(['version']), await outcome(['--version']));
  assert.equal((await outcome(['help', 'relase'])).status, 2);
  const about: unknown = JSON.parse((await outcome(['version', '--json=short'])).output);
  assert.deepEqual(about, { program: 'dynuserctl', version: VERSION });
  assert.deepEqual(await outcome([]), await outcome(['status']));
});

it('status says what can be known without a daemon, and fails', async () => {
  const { io, written } = fakeIo();
  const status = await run(['status'], { ...io, environment: { DYNUSER_RUNTIME_DIRECTORY: '/nonexistent' } });
  assert.deepEqual([status, written.errors], [1, '']);
  assert.match(written.output, /Daemon: cannot reach dynuserd at \/nonexistent\/.*: no such file: is it running\?/);
});

it('what is longer than the terminal is paged, unless that is not wanted', async () => {
  const text = 'line\n'.repeat(23);
  const invocation = { operands: [], options: new Map(), legend: true, json: 'off', mayPage: true } as const;
  const shown = async (mayPage: boolean, columns?: number, rows?: number, lines = text) => {
    const { io, written } = fakeIo(undefined, columns, rows);
    await showText(lines, { ...invocation, mayPage }, io);
    return [written.output.length, written.paged.length];
  };
  assert.deepEqual(await shown(true, 80, 24), [text.length, 0], 'the prompt has the last line');
  assert.deepEqual(await shown(true, 80, 23), [0, text.length]);
  assert.deepEqual(await shown(false, 80, 23), [text.length, 0]);
  assert.deepEqual(await shown(true), [text.length, 0], 'no terminal');
});

it('every command has a handler', async () => {
  for (const command of COMMAND_TABLE.commands) {
    assert.equal(typeof (await command.load()), 'function', command.verb);
  }
});

it('a wrong command line is said on standard error, and is status 2', async () => {
  const { status, output, errors } = await outcome(['lst']);
  assert.deepEqual({ status, output }, { status: 2, output: '' });
  assert.match(errors, /^dynuserctl: unknown command 'lst' .*\nTry 'dynuserctl --help' for what there is\.\n$/);
});

it('a failure of a command is said on standard error, with its status', async () => {
  for (const argv of [['list'], ['show', 'a'], ['release', 'a'], ['acquire', 'a'], ['explain', 'a'], ['watch']]) {
    const { status, output, errors } = await outcome(argv);
    assert.deepEqual({ status, output }, { status: 2, output: '' }, argv.join(' '));
    assert.match(errors, /^dynuserctl: DYNUSER_RUNTIME_DIRECTORY: .*\n$/);
  }
});

it('a lease is not named together with --all', async () => {
  const lease = '0123456789abcdef0123456789abcdef';
  const { status, errors } = await outcome(['release', lease, '--all']);
  assert.equal(status, 2);
  assert.match(
    errors,
    /^dynuserctl: --all goes with a name or a UID, not with a lease\nTry 'dynuserctl release --help'/,
  );
});

it('output that nobody reads is not a failure; output that could not be kept is', async () => {
  const failure = (code: string) => Object.assign(new Error(`write ${code}\x1b`), { code });
  assert.deepEqual(await outcome(['--version'], failure('EPIPE')), await outcome(['--version']));
  const { status, errors } = await outcome(['--version'], failure('ENOSPC'));
  assert.equal(status, 1);
  assert.equal(errors, 'dynuserctl: cannot write the output: write ENOSPC\\x1b\n');
});

it('a failure has a status, and a cause if there is one', () => {
  const cause = new Error('cause');
  const failure = new CommandFailure('words', { cause });
  assert.deepEqual([failure.message, failure.status, failure.cause], ['words', 1, cause]);
  const plain = new CommandFailure('words');
  assert.deepEqual([plain.status, 'cause' in plain], [1, false]);
  assert.deepEqual(
    [usageFailure('a').message, usageFailure('a', 'list').message, usageFailure('a').status],
    ["a\nTry 'dynuserctl --help' for what there is.", "a\nTry 'dynuserctl list --help' for what there is.", 2],
  );
});

it('an answer is text for the terminal that it goes to, or JSON', async () => {
  const invocation = { operands: [], options: new Map(), legend: true, mayPage: true };
  const answer = async (json: 'off' | 'short' | 'pretty', columns?: number): Promise<string> => {
    const { io, written } = fakeIo(undefined, columns);
    await print({ a: 1 }, { ...invocation, json }, io, ({ a }, { legend, columns: width, style }) =>
      JSON.stringify([a, legend, width, style.strong('x')]),
    );
    return written.output;
  };
  assert.equal(await answer('off'), '[1,true,null,"x"]');
  assert.equal(await answer('off', 80), '[1,true,80,"\\u001b[1mx\\u001b[0m"]');
  assert.equal(await answer('short', 80), '{"a":1}\n');
  assert.equal(await answer('pretty'), '{\n  "a": 1\n}\n');
  const { io } = fakeIo(undefined, 50);
  const { legend, columns } = layoutOf({ ...invocation, legend: false, json: 'off' }, io);
  assert.deepEqual([legend, columns], [false, 50]);
});
