import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COMMAND_TABLE } from '../../../../src/cli/commands.ts';
import { renderCommandHelp, renderHelp } from '../../../../src/cli/render/help.ts';

const { commands: COMMANDS, options: GLOBAL_OPTIONS } = COMMAND_TABLE;
const general = renderHelp(COMMAND_TABLE);

test('every help text fits into 80 columns and ends with one line end', () => {
  for (const text of [general, ...COMMANDS.map(command => renderCommandHelp(command, COMMAND_TABLE))]) {
    for (const line of text.split('\n')) {
      assert.ok(line.length <= 80, `${line.length} columns: ${line}`);
      assert.equal(line, line.trimEnd());
    }
    assert.match(text, /[^\n]\n$/);
  }
});

test('the general help names every command and every option that all of them have', () => {
  for (const command of COMMANDS) {
    assert.match(
      general,
      new RegExp(`^  ${[command.verb, ...command.operands].join(' ').replace(/[|[\].]/g, '\\$&')}(?: +|\\n +)\\S`, 'm'),
    );
  }
  for (const option of GLOBAL_OPTIONS) {
    assert.ok(
      general.includes(`${option.letter === undefined ? '  ' : `  -${option.letter}, `}--${option.name}`),
      option.name,
    );
  }
});

test('the help of a command names its options, and an example that calls it', () => {
  for (const command of COMMANDS) {
    const text = renderCommandHelp(command, COMMAND_TABLE);
    for (const option of [...command.options, ...GLOBAL_OPTIONS]) {
      assert.ok(
        text.includes(`${option.letter === undefined ? '  ' : `  -${option.letter}, `}--${option.name}`),
        `${command.verb} --${option.name}`,
      );
    }
    assert.match(text, new RegExp(`\\n  dynuserctl (--\\S+ )*${command.verb}\\b.*\\n$`));
  }
});

test('texts stand in one column, below an entry that is too long for that', () => {
  const option = (name: string, help: string, more: object = {}) => ({ name, help, ...more });
  const command = {
    verb: 'do',
    operands: ['A', 'B'],
    summary: 'Does it',
    description: ['First.', `${'word '.repeat(30).trimEnd()}.`],
    options: [
      option('a', 'Short'),
      option('b', 'Takes a value', { value: 'X', repeatable: true }),
      option('x'.repeat(24), 'Fits'),
      option('y'.repeat(25), `Too long ${'text '.repeat(20).trimEnd()}`),
    ],
    examples: ['dynuserctl do 1 2', 'dynuserctl do 3 4'],
    load: () => assert.fail('nobody calls it'),
  };
  const column = ' '.repeat(30);
  assert.equal(
    renderCommandHelp(command, { commands: [command], options: [option('help', 'Helps')] }),
    [
      'Does it.',
      '',
      'Usage:',
      '  dynuserctl do [OPTION]... A B',
      '',
      'First.',
      '',
      'word word word word word word word word word word word word word word word word',
      'word word word word word word word word word word word word word word.',
      '',
      'Options:',
      `  --a                         Short`,
      `  --b=X...                    Takes a value`,
      `  --${'x'.repeat(24)}  Fits`,
      `  --${'y'.repeat(25)}`,
      `${column}Too long text text text text text text text text`,
      `${column}text text text text text text text text text text`,
      `${column}text text`,
      '',
      'Options of every command:',
      '  --help  Helps',
      '',
      'Examples:',
      '  dynuserctl do 1 2',
      '  dynuserctl do 3 4',
      '',
    ].join('\n'),
  );
  const plain = { ...command, options: [] };
  assert.doesNotMatch(renderCommandHelp(plain, { commands: [plain], options: [] }), /^Options:/m);
});
