// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are variables of unit files
/** Whatever text comes in: what comes out is a plan that holds together, questions, or an error of ours. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LaunchAnswer } from '../../../src/api/generated/io-dynuser-allocator.ts';
import { DynuserError } from '../../../src/core/errors.ts';
import { explainPlan, planLaunch, resolveLaunch } from '../../../src/launch/launch.ts';
import type { LaunchRequest } from '../../../src/launch/plan/request.ts';
import { PROPERTY_NAMES } from '../../../src/launch/properties/table.ts';
import { acquiredOf, answerOf, privateDirectory, requestOf, type World } from './launches.ts';

const PIECES = [
  ...[
    '/',
    '/a',
    '/a/b',
    '/tmp',
    '/dev',
    '/home',
    '/var/lib/wuff',
    '/var/lib/private/wuff',
    '..',
    '.',
    '~',
    '-',
    '+',
    '@',
  ],
  ...[
    '"',
    "'",
    '\\',
    '\\x',
    '\\x00',
    '\\xff',
    '\\u00e9',
    '\\101',
    ':',
    ':ro',
    ';',
    ' ',
    '  ',
    '\t',
    '\n',
    '\0',
    '%',
    '%n',
  ],
  ...[
    '%i',
    '%H',
    '%%',
    '$',
    '$A',
    '${A}',
    '$$',
    '!',
    '!!',
    '|',
    '=',
    'A=b',
    'yes',
    'no',
    'strict',
    '0755',
    '9',
    'CAP_KILL',
  ],
  ...['wuff', 'private', 'é', '\ud800', '#', ',', 'size=1M', 'rbind', '*', '[Service]', 'ExecStart=/x', '__proto__'],
];

/** A small generator whose numbers are the same in every run (xorshift, 32 bits). */
class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  below(most: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % most;
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  text(): string {
    return Array.from({ length: this.below(8) }, () => this.of(PIECES)).join('');
  }
}

function worldOf(dice: Dice, unitFile: string): World {
  const assignments = Array.from({ length: dice.below(12) }, () => `${dice.of(PROPERTY_NAMES)}=${dice.text()}`);
  const text = ['[Service]', 'ExecStart=/x $A ${A} %n', ...assignments].join('\n');
  return {
    files: { [unitFile]: text, '/proc/sys/kernel/hostname': 'box', '/a': dice.text() },
    directories: { '/srv/x@.service.d': ['a.conf'], '/a': [] },
    globs: { '/a*': ['/a', dice.text()] },
  };
}

/** @returns whether it came to a plan */
function launch(request: LaunchRequest, world: World): boolean {
  const answers: LaunchAnswer[] = [];
  for (let round = 0; round < 10; round++) {
    const outcome = resolveLaunch(request, answers);
    if ('questions' in outcome) {
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
    return true;
  }
  return assert.fail('more than ten rounds');
}

test('random properties and unit files throw nothing but errors of ours', () => {
  const dice = new Dice(20_261_125);
  const counts = { plans: 0, errors: 0 };
  for (let run = 0; run < 4_000; run++) {
    const unitFile =
      dice.below(2) === 0 ? { unitFile: '/srv/x@.service', instance: dice.of(['i', 'a-b', dice.text()]) } : {};
    const properties = Array.from({ length: dice.below(4) }, () => `${dice.of(PROPERTY_NAMES)}=${dice.text()}`);
    const request = requestOf(properties, { ...unitFile, ignoreUnknown: dice.below(2) === 0 });
    try {
      counts.plans += launch(request, worldOf(dice, '/srv/x@.service')) ? 1 : 0;
    } catch (error) {
      assert.ok(error instanceof DynuserError, `${JSON.stringify(request)}: ${String(error)}`);
      assert.ok(error.detail.field !== undefined && error.message !== '');
      counts.errors++;
    }
  }
  assert.ok(counts.plans > 400 && counts.errors > 400, JSON.stringify(counts));
});

test('long values of every property, and of characters that mean something, end in an error or a plan', () => {
  const repeated = ['"', '\\', '%n', '$', 'a ', '/a ', ':', ' ', '/', ';', "'a' ", '- ', '\\x41', '%'];
  for (const name of PROPERTY_NAMES) {
    for (const piece of repeated) {
      try {
        launch(requestOf([`${name}=${piece.repeat(20_000)}`, 'DynamicUser=yes']), {});
      } catch (error) {
        assert.ok(error instanceof DynuserError, `${name} ${piece}: ${String(error)}`);
        assert.ok(error.message.length < 1_000, `${name} ${piece}: ${error.message.length}`);
      }
    }
  }
});
