/** Commands whose first operand says what they do. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseAction, FLEET_ACTIONS, IMAGE_ACTIONS } from '../../../src/cli/actions.ts';
import type { Actions } from '../../../src/cli/command.ts';
import { COMMAND_TABLE } from '../../../src/cli/commands.ts';
import { CommandFailure } from '../../../src/cli/failure.ts';

const given = (operands: readonly string[], ...options: readonly string[]) => ({
  operands,
  options: new Map(options.map(name => [name, ['']])),
});

test('an action is the first operand, and takes what it needs and no more', () => {
  assert.deepEqual(chooseAction('fleet', FLEET_ACTIONS, given(['explain', 'web'])), {
    action: 'explain',
    operands: ['web'],
  });
  assert.deepEqual(chooseAction('fleet', FLEET_ACTIONS, given(['names', 'a', 'b'])).operands, ['a', 'b']);
  assert.deepEqual(chooseAction('image', IMAGE_ACTIONS, given(['attach', 'i', 'p', 'q'], 'now')).operands, [
    ...['i', 'p', 'q'],
  ]);
  for (const [verb, operands, options, words] of [
    ['fleet', [], [], /^fleet takes create, join, .*, not ''\n/],
    ['fleet', ['toString'], [], /^fleet takes .*, not 'toString'\n/],
    ['fleet', ['forget'], [], /^fleet forget needs NAME\n/],
    ['fleet', ['forget', 'a', 'b\x1b'], [], /^fleet forget takes no further argument 'b\\x1b'\n/],
    ['fleet', ['gc', 'a', 'b'], [], /^fleet gc takes no further argument 'b'\n/],
    ['fleet', ['free-directory', 'nas'], [], /^fleet free-directory needs PATH\n/],
    ['fleet', ['hosts'], ['powered-off'], /^fleet hosts takes no --powered-off\n/],
    ['image', ['detach', 'a', 'b'], [], /^image detach takes no further argument 'b'\n/],
    ['image', ['attach'], [], /^image attach needs IMAGE\n/],
    ['image', ['list'], ['now'], /^image list takes no --now\n/],
  ] as const) {
    const actions: Actions = verb === 'fleet' ? FLEET_ACTIONS : IMAGE_ACTIONS;
    assert.throws(
      () => chooseAction(verb, actions, given(operands, ...options)),
      (error: unknown) => error instanceof CommandFailure && error.status === 2 && words.test(error.message),
    );
  }
});

test('every option of an action is one of its command, and each of the command is one of an action', () => {
  for (const { verb, actions, options } of COMMAND_TABLE.commands) {
    const used = Object.values(actions ?? {}).flatMap(action => action.options);
    if (actions !== undefined) {
      assert.deepEqual([...new Set(used)].sort(), options.map(({ name }) => name).sort(), verb);
    }
  }
});
