/**
 * Values of properties, from text to plan. The first line is the command line's, the others are those of a unit file. What comes out is an
 * error that names a field, or a plan that holds together: absolute paths without "..", no NUL, the same each time.
 */
import assert from 'node:assert/strict';
import type { LaunchAnswer } from '../../../src/api/generated/io-dynuser-allocator.ts';
import { parseDirectoryValue } from '../../../src/core/directory-value.ts';
import { DynuserError } from '../../../src/core/errors.ts';
import { explainPlan, planLaunch, resolveLaunch } from '../../../src/launch/launch.ts';
import type { LaunchRequest } from '../../../src/launch/plan/request.ts';
import { PROPERTY_NAMES } from '../../../src/launch/properties/table.ts';
import { acquiredOf, answerOf, privateDirectory, requestOf, type World } from '../../unit/launch/launches.ts';
import { outcomeOf, type Target } from './types.ts';

const UNIT_FILE = '/srv/x@.service';
const ROUNDS_MAX = 10;

function launch(request: LaunchRequest, world: World): unknown {
  const answers: LaunchAnswer[] = [];
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const outcome = resolveLaunch(request, answers);
    if ('questions' in outcome) {
      assert.ok(outcome.questions.length > 0);
      answers.push(...outcome.questions.map(question => answerOf(question, world)));
      continue;
    }
    const acquired = acquiredOf({ directories: [privateDirectory('wuff', { aliases: ['a'] })] });
    const plan = planLaunch(outcome.resolved, acquired);
    assert.ok(explainPlan(outcome.resolved, acquired, plan).every(line => line.length <= 100));
    for (const op of plan.mountOps) {
      assert.ok(op.path.startsWith('/') && !op.path.split('/').includes('..'), op.path);
    }
    const texts = [...plan.environment, ...(plan.commands ?? []).flatMap(command => command.arguments)];
    assert.ok(!texts.some(text => text.includes('\0')));
    return plan;
  }
  return assert.fail('it asks without end');
}

function outcome(request: LaunchRequest, world: World): DynuserError | unknown {
  try {
    return launch(request, world);
  } catch (error) {
    assert.ok(error instanceof DynuserError, String(error instanceof Error ? error.stack : error));
    assert.ok(error.detail.field !== undefined && error.message !== '' && error.message.length < 2_000, error.message);
    return error;
  }
}

/** A value that was read is written without escapes but those that it needs, and reads as the same again. */
function tryDirectory(text: string): void {
  const value = parseDirectoryValue(text);
  if (typeof value === 'string') {
    return;
  }
  const { source, destination = '', readOnly } = value;
  for (const path of [source, destination]) {
    assert.ok(!path.startsWith('/') && !path.includes('\0') && !path.split('/').includes('..'), path);
  }
  const quoted = [source, destination].map(path => path.replace(/[\\: ]/g, '\\$&'));
  assert.deepEqual(parseDirectoryValue(`${quoted.join(':')}${readOnly ? ':ro' : ''}`), value);
}

export const values: Target = {
  name: 'values',
  pieces: [
    ...PROPERTY_NAMES.map(name => `\n${name}=`),
    ...[
      '/',
      '/a',
      '/tmp',
      '..',
      '.',
      '~',
      '-',
      '+',
      '@',
      '"',
      "'",
      '\\',
      '\\x41',
      '\\x00',
      '\\u00e9',
      '\\101',
      ':',
      ':ro',
    ],
    ...[
      ';',
      ' ',
      '\t',
      '\n',
      '\0',
      '%',
      '%n',
      '%i',
      '%H',
      '%%',
      '$',
      '$A',
      `\${A}`,
      '$$',
      '!',
      '!!',
      '|',
      '=',
      'A=b',
      'yes',
    ],
    ...['no', 'strict', '0755', '9', 'CAP_KILL', 'wuff', 'private', 'é', '#', ',', 'size=1M', '*', '__proto__'],
  ],
  bytesMax: 1_024,
  start: () => ({
    run(input) {
      const [line = '', ...lines] = input.toString('utf8').split('\n');
      const world: World = {
        files: {
          [UNIT_FILE]: ['[Service]', 'ExecStart=/x $A %n', ...lines].join('\n'),
          '/proc/sys/kernel/hostname': 'box',
          '/a': line,
        },
        directories: { '/srv/x@.service.d': ['a.conf'], '/a': [] },
        globs: { '/a*': ['/a', line] },
      };
      const request = requestOf(line.includes('=') ? [line] : [], {
        unitFile: UNIT_FILE,
        instance: 'i',
        ignoreUnknown: lines.length % 2 === 0,
      });
      const found = outcome(request, world);
      const again = outcome(request, world);
      tryDirectory(line);
      if (found instanceof DynuserError) {
        assert.equal(String(again), String(found));
        return outcomeOf(found);
      }
      assert.deepEqual(again, found);
      return 'a plan';
    },
  }),
};
