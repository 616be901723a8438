import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Invocation } from '../../../src/cli/command.ts';
import { lastValue, parseCommandLine as parse } from '../../../src/cli/command-line.ts';
import { COMMAND_TABLE } from '../../../src/cli/commands.ts';
import { CommandFailure } from '../../../src/cli/failure.ts';

const parseCommandLine = (argv: readonly string[]) => parse(argv, COMMAND_TABLE);

function invocation(...argv: string[]): Invocation & { readonly verb: string } {
  const line = parseCommandLine(argv);
  return { verb: line.command.verb, ...line.invocation };
}

/** Asserts a usage failure and returns its message. */
function failure(...argv: string[]): string {
  try {
    parseCommandLine(argv);
  } catch (error) {
    assert.ok(error instanceof CommandFailure);
    assert.equal(error.status, 2);
    assert.match(error.message, /\nTry 'dynuserctl (\w+ )?--help' for what there is\.$/);
    return error.message;
  }
  return assert.fail(`${argv.join(' ')}: no failure`);
}

test('options are taken before and after the verb, with "=" and as two arguments', () => {
  for (const argv of [
    ['--json=short', '--no-legend', 'list'],
    ['list', '--json', 'short', '--no-legend'],
    ['--json', 'short', 'list', '--no-legend'],
  ]) {
    const { verb, json, legend } = invocation(...argv);
    assert.deepEqual({ verb, json, legend }, { verb: 'list', json: 'short', legend: false });
  }
  const { json, legend } = invocation('list');
  assert.deepEqual({ json, legend }, { json: 'off', legend: true });
});

test('repeated options keep their order; of a single one the last counts', () => {
  const { options, operands } = invocation(
    'acquire',
    '--state-directory=a',
    'x.service',
    '--state-directory',
    'b=c',
    '--user=one',
    '--user=two',
  );
  assert.deepEqual(options.get('state-directory'), ['a', 'b=c']);
  assert.equal(lastValue(options, 'user'), 'two');
  assert.equal(lastValue(options, 'lifetime'), undefined);
  assert.deepEqual(operands, ['x.service']);
});

test('"--" ends the options; a lone "-" is an operand', () => {
  assert.deepEqual(invocation('show', '--', '--help').operands, ['--help']);
  assert.deepEqual(invocation('--', 'show', '-x').operands, ['-x']);
  assert.deepEqual(invocation('show', '-').operands, ['-']);
});

test('--help and --version need nothing else', () => {
  for (const [argv, verb, operands] of [
    [['--help'], 'help', []],
    [['-h'], 'help', []],
    [['--version'], 'version', []],
    [['show', '--help'], 'help', ['show']],
    [['show', '-h'], 'help', ['show']],
  ] as const) {
    const line = parseCommandLine(argv);
    assert.deepEqual([line.command.verb, line.invocation.operands], [verb, operands]);
  }
});

test('an unknown option or command is named, with the nearest that there is', () => {
  assert.match(failure('list', '--jsno=short'), /unknown option '--jsno' of list \(did you mean '--json'\?\)/);
  assert.match(failure('--legend', 'list'), /^unknown option '--legend'\n/);
  assert.match(failure('list', '-x'), /^unknown option '-x' of list\n/);
  assert.match(failure('lst'), /unknown command 'lst' \(did you mean 'list'\?\)/);
  assert.match(failure('frobnicate'), /unknown command 'frobnicate'\n/);
  assert.match(failure('list', '--user=x'), /unknown option '--user' of list/);
  assert.match(failure('--user=x', 'acquire', 'y'), /option '--user' belongs after the command/);
});

test('values are there where they have to be, and are those that there are', () => {
  assert.match(failure('list', '--json'), /option '--json' needs a value: --json=pretty\|short\|off/);
  assert.match(failure('acquire', 'x', '--user='), /option '--user' needs a value: --user=NAME/);
  assert.match(failure('list', '--no-legend=yes'), /option '--no-legend' takes no value/);
  assert.match(failure('list', '--json=prety'), /invalid value 'prety' of '--json' \(did you mean 'pretty'\?\)/);
  assert.match(
    failure('acquire', 'x', '--lifetime=ever'),
    /one of connection, process, unit, timed, running, explicit\n/,
  );
});

test('operands are as many as the command has', () => {
  assert.equal(invocation().verb, 'status');
  assert.match(failure('show'), /show needs NAME\|UID/);
  assert.match(
    failure('status', 'web'),
    /status takes no further argument 'web'; 'dynuserctl show web' shows one user/,
  );
  assert.match(failure('watch', 'x'), /watch takes no further argument 'x'/);
  assert.match(failure('help', 'list', 'x'), /help takes no further argument 'x'/);
  assert.deepEqual(invocation('list').operands, []);
  assert.deepEqual(invocation('list', 'a', 'b').operands, ['a', 'b']);
});

test('what is echoed drives no terminal', () => {
  for (const argv of [['\x1b[2J'], ['list', '--\x1b[2J'], ['watch', '\x1b[2J'], ['list', '--json=\x1b[2J']]) {
    const message = failure(...argv);
    assert.ok(message.includes('\\x1b[2J') && !message.includes('\x1b'));
  }
});

test('an option is a switch for all commands that have it, or takes a value for all: it is read before it is known whose it is', () => {
  const takesValue = new Map<string, boolean>();
  for (const { verb, options } of COMMAND_TABLE.commands) {
    for (const { name, value } of [...COMMAND_TABLE.options, ...options]) {
      assert.equal(value !== undefined, takesValue.get(name) ?? value !== undefined, `--${name} of ${verb}`);
      takesValue.set(name, value !== undefined);
    }
  }
});
