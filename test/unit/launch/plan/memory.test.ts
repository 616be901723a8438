/** A launch that is asked for again comes to the same, and what could be another is read anew. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LaunchMemory, planLaunch, resolveLaunch } from '../../../../src/launch/launch.ts';
import { REMEMBERED_MAX } from '../../../../src/launch/limits.ts';
import type { LaunchRequest, ResolvedLaunch } from '../../../../src/launch/plan/request.ts';
import { acquiredOf, answerOf, privateDirectory, requestOf } from '../launches.ts';

function read(memory: LaunchMemory, request: LaunchRequest): ResolvedLaunch {
  const outcome = memory.read(request, []);
  assert.ok('resolved' in outcome);
  return outcome.resolved;
}

test('each launch has its own plan, the first time and every other', () => {
  const memory = new LaunchMemory();
  const mapped = { handover: 'map', diskUid: 65_534, diskGid: 65_534 } as const;
  const trees = [[], [privateDirectory('wuff', mapped)], [privateDirectory('wuff', { ...mapped, inode: '99' })]];
  const launches = ['UMask=0027', 'StateDirectory=wuff', 'ProtectHome=yes'].flatMap(property =>
    trees.flatMap(directories =>
      [61_214, 61_215].map(uid => ({
        request: requestOf([property]),
        acquired: acquiredOf({ uid, gid: uid, directories }),
      })),
    ),
  );
  for (const { request, acquired } of [...launches, ...launches, ...launches.toReversed()]) {
    const resolved = read(memory, request);
    const fresh = resolveLaunch(request, []);
    assert.ok('resolved' in fresh);
    assert.deepEqual(resolved, fresh.resolved);
    assert.deepEqual(memory.plan(resolved, acquired), planLaunch(fresh.resolved, acquired));
  }
});

test('the same request is read once, whatever the plan is made for', () => {
  const memory = new LaunchMemory();
  const first = read(memory, requestOf(['UMask=0027']));
  assert.equal(read(memory, requestOf(['UMask=0027'])), first);
  assert.notEqual(read(memory, requestOf(['UMask=0022'])), first);
  assert.notEqual(read(memory, { ...requestOf(['UMask=0027']), mayMount: false, isolation: 'bestEffort' }), first);
  const { steps } = memory.plan(first, acquiredOf({ uid: 61_214 }));
  assert.equal(memory.plan(first, acquiredOf({ uid: 61_300 })).steps, steps);
});

test('what needs the launcher’s files is asked for each time, and errors are told each time', () => {
  const memory = new LaunchMemory();
  const file = { ...requestOf([]), unitFile: '/x.service' };
  for (let round = 0; round < 2; round++) {
    assert.ok('questions' in memory.read(file, []));
    assert.throws(() => memory.read(requestOf(['UMask=9']), []), /not a mode: "9"/);
  }
  const answers = (mask: string) => [
    answerOf(
      { kind: 'file', path: '/x.service' },
      { files: { '/x.service': `[Service]\nExecStart=true\nUMask=${mask}\n` } },
    ),
  ];
  for (const mask of ['0027', '0077']) {
    const given = answers(mask);
    let outcome = memory.read(file, given);
    for (let round = 0; 'questions' in outcome && round < 8; round++) {
      given.push(...outcome.questions.map(question => answerOf(question, {})));
      outcome = memory.read(file, given);
    }
    assert.equal(
      'resolved' in outcome && outcome.resolved.settings.UMask,
      Number.parseInt(mask, 8),
      'as the file says now',
    );
  }
});

test('it forgets the oldest, and remembers no request that is large', () => {
  const memory = new LaunchMemory();
  const first = read(memory, requestOf(['UMask=0001']));
  for (let mask = 2; mask <= REMEMBERED_MAX + 1; mask++) {
    read(memory, requestOf([`UMask=${mask.toString(8).padStart(4, '0')}`]));
  }
  assert.notEqual(read(memory, requestOf(['UMask=0001'])), first);
  const large = requestOf([`Environment=X=${'x'.repeat(5_000)}`]);
  assert.notEqual(read(memory, large), read(memory, large));
});
