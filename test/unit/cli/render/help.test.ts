import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COMMANDS, GLOBAL_OPTIONS } from '../../../../src/cli/commands.ts';
import { renderCommandHelp, renderHelp } from '../../../../src/cli/render/help.ts';

const general = renderHelp(COMMANDS, GLOBAL_OPTIONS);

test('every help text fits into 80 columns and ends with one line end', () => {
  for (const text of [general, ...COMMANDS.map(command => renderCommandHelp(command, GLOBAL_OPTIONS))]) {
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
      new RegExp(`^  ${[command.verb, ...command.operands].join(' ').replaceAll('|', '\\|')} +\\S`, 'm'),
    );
  }
  for (const option of GLOBAL_OPTIONS) {
    assert.ok(general.includes(`  --${option.name}`), option.name);
  }
});

test('the help of a command names its options, and an example that calls it', () => {
  for (const command of COMMANDS) {
    const text = renderCommandHelp(command, GLOBAL_OPTIONS);
    for (const option of [...command.options, ...GLOBAL_OPTIONS]) {
      assert.ok(text.includes(`  --${option.name}`), `${command.verb} --${option.name}`);
    }
    assert.match(text, new RegExp(`\\n  dynuserctl (--\\S+ )*${command.verb}\\b.*\\n$`));
  }
});
