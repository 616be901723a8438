import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LaunchAnswer } from '../../../../src/api/generated/io-dynuser-allocator.ts';
import { type Judgement, judgeLaunch } from '../../../../src/launch/launch.ts';
import { answerOf, requestOf, type World } from '../launches.ts';

const FILE = '/srv/wuff.service';

function judge(lines: readonly string[], world: World = {}): Judgement {
  const answers: LaunchAnswer[] = [];
  const files = { [FILE]: ['[Service]', ...lines, ''].join('\n'), ...world.files };
  for (let rounds = 0; rounds < 8; rounds++) {
    const outcome = judgeLaunch(requestOf([], { unitFile: FILE }), answers);
    if ('judgement' in outcome) {
      return outcome.judgement;
    }
    answers.push(...outcome.questions.map(question => answerOf(question, { ...world, files })));
  }
  return assert.fail('more than eight rounds');
}

test('what is accepted has nothing that is refused, and says what it leaves out', () => {
  const lines = ['ExecStart=/x', 'Restart=always', 'UMask=9', 'MemoryMax=1G', 'RootVerity=', '[Unit]'];
  assert.deepEqual(judge([...lines, 'ConditionUser=root']), {
    refused: [],
    ignored: [
      'control groups are left to what starts the launcher: MemoryMax=',
      '/srv/wuff.service:4: UMask= is ignored: not a mode: "9"; use an octal number, 0 to 07777',
    ],
    left: ['Restart', 'MemoryMax'],
  });
  assert.match(judge([...lines, 'ConditionUser=games']).skipped ?? '', /"ConditionUser=games" does not hold/);
});

test('all that is refused is told, each once', () => {
  assert.deepEqual(judge(['ExecStart=/x', 'PAMName=login', 'RootVerity=/x', 'User=%z', 'UMask=9']).refused, [
    'unsupported property PAMName= (/srv/wuff.service:3: a PAM session needs a process that stays to close it; log in by another program)',
    'unsupported property RootVerity= (/srv/wuff.service:4: images are not verified here, for want of a kernel with dm-verity to try it on; leave it out if the image is trusted)',
    '/srv/wuff.service:5: User: unknown specifier %z; write a percent sign as %%',
  ]);
  assert.deepEqual(judge(['User=x']).refused, [
    '/srv/wuff.service: ExecStart: the unit file has no command to start; add one',
  ]);
});

test('what only this host lacks refuses no unit', () => {
  const lines = ['ExecStart=/x $OPTIONS $HOME', 'User=nobody-here', 'WorkingDirectory=~', 'EnvironmentFile=/etc/none'];
  assert.deepEqual(judge([...lines, 'EnvironmentFile=/etc/none/*']).refused, []);
});

test('an assertion is a matter of this host', () => {
  const { refused, skipped } = judge(['ExecStart=/x', '[Unit]', 'AssertPathExists=/nowhere']);
  assert.deepEqual(refused, []);
  assert.match(skipped ?? '', /"AssertPathExists=\/nowhere" does not hold/);
});

test('errors of the plan are told, too', () => {
  const [refused] = judge(['ExecStart=/x $A', 'PassEnvironment=A']).refused;
  assert.match(refused ?? '', /^ExecStart: \$A is known only to the launcher's environment/);
});

test('a file that is not there is refused', () => {
  const outcome = judgeLaunch(requestOf([], { unitFile: '/srv/x.service' }), [
    { kind: 'file', path: '/srv/x.service', found: false },
  ]);
  assert.ok('judgement' in outcome);
  assert.deepEqual(outcome.judgement.refused, ['unitFile: no readable file "/srv/x.service"; name a unit file']);
});
