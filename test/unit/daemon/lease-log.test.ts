/** What happens to leases, in the log: one line each, and no peer can fill it with refusals. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pid } from '../../../src/core/ids.ts';
import type { Lease } from '../../../src/core/lease.ts';
import { logLeases, MESSAGE_IDS } from '../../../src/daemon/lease-log.ts';
import type { Logger } from '../../../src/daemon/logger.ts';
import { readSource } from '../../support/sources.ts';
import { directory, gid, leaseEvents, uid, userName } from '../allocator/fakes.ts';
import { buildUseCases } from '../allocator/use-cases.ts';

function logOf(events = leaseEvents()) {
  const lines: { readonly level: string; readonly fields: Record<string, unknown>; readonly words: string }[] = [];
  const state = { level: 'info', now: 0 };
  const write = (level: string) => (fields: Record<string, unknown>, words: string) =>
    lines.push({ level, fields, words });
  const logger = {
    ...{ debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') },
    isLevelEnabled: (level: string) => level !== 'debug' || state.level === 'debug',
  } as unknown as Logger;
  const adjust = logLeases(events, logger, { monotonic: () => state.now });
  return { events, adjust, state, lines, words: () => lines.splice(0).map(line => `${line.level} ${line.words}`) };
}

test('the life of a user, a static one, and a user that leaves something', async () => {
  const built = buildUseCases();
  const { words, lines } = logOf(built.events);
  const { user, lease } = await built.acquire('web.service', { directories: [directory('state', 'web')] });
  assert.deepEqual(lines.at(-1)?.fields, {
    ...{ user: 'web', uid: user.uid, unit: 'web.service', lease: lease.id, lifetime: 'explicit', owner: 0, pid: 100 },
    ...{ seconds: 0, messageId: MESSAGE_IDS.begin },
  });
  built.reaper.processes.set(user.uid, { kind: 'process', pid: 7, command: 'stuck', as: 'user' });
  await built.release(lease.id);
  built.teardown.stop();
  built.probe.accounts.set('games', { user: { uid: uid(5), gid: gid(60) }, group: { gid: gid(60) } });
  await built.release((await built.acquire('games.service')).lease.id);
  assert.deepEqual(words(), [
    `info /state/web was handed over to web (UID ${user.uid})`,
    `info web.service has got web with UID ${user.uid}`,
    'info web: its last lease has ended (web.service)',
    `warn web has ended, and UID ${user.uid} stays reserved until nothing is left of it: process 7 (stuck) runs with it`,
    'info games.service uses games (UID 5), an account of this host',
    'info games: its last lease has ended (games.service)',
  ]);
});

test('a process whose time is over is a warning', () => {
  const { events, lines } = logOf();
  events.tell({
    kind: 'overtime',
    lease: { id: 'ab', unit: 'web.service' } as unknown as Lease,
    runtime: { milliseconds: 1_500, until: 7, signal: 15, hangup: false },
    process: { boot: 'b', pid: 7 as Pid, startTime: 1, inode: undefined },
  });
  assert.deepEqual(lines, [
    {
      level: 'warn',
      fields: { unit: 'web.service', lease: 'ab', pid: 7, signal: 15 },
      words: 'web.service has run for 1.5 s, which is as long as it may: process 7 is ended',
    },
  ]);
});

test('a loss is an error, also if it is found out at the end', async () => {
  const built = buildUseCases();
  const { lines } = logOf(built.events);
  const { user, lease } = await built.acquire('web.service');
  built.locks.foreign.add(user.uid);
  await built.release(lease.id);
  const { level, fields, words } = lines.at(-1) ?? assert.fail();
  const reason = 'somebody else has locked its UID';
  assert.deepEqual([level, fields], ['error', { user: 'web', uid: user.uid, reason, messageId: MESSAGE_IDS.loss }]);
  assert.equal(words, `web has lost UID ${user.uid}, of which nothing is touched any more: ${reason}`);
});

test('refusals of a UID other than root are bounded, those of others are not withheld for them', () => {
  const { events, state, words, lines } = logOf();
  const refuse = (number: number, isRoot = false) =>
    events.tell({
      ...{ kind: 'refused', unit: 'x', requester: { uid: uid(number), isRoot }, pid: undefined },
      ...{ code: 'NotPermitted', reason: 'no' },
    });
  for (let count = 0; count < 100; count++) {
    refuse(1_000);
    refuse(0, true);
  }
  refuse(1_001);
  assert.equal(lines.filter(({ fields }) => fields['owner'] === 1_000).length, 10);
  assert.equal(lines.filter(({ fields }) => fields['owner'] === 0).length, 100);
  assert.equal(lines.filter(({ fields }) => fields['owner'] === 1_001).length, 1);
  words();
  state.now = 6_000;
  refuse(1_000);
  refuse(1_000);
  assert.deepEqual(words(), [
    'warn x was refused a user (NotPermitted): no (90 refusals of this UID before it were not logged)',
  ]);
});

test('a UID whose refusals are long past is forgotten once those of a thousand others came after them', () => {
  const { events, lines } = logOf();
  const refuse = (number: number) =>
    events.tell({
      ...{ kind: 'refused', unit: 'x', requester: { uid: uid(number), isRoot: false }, pid: undefined },
      ...{ code: 'NotPermitted', reason: 'no' },
    });
  const logged = (number: number) => lines.filter(({ fields }) => fields['owner'] === number).length;
  for (let count = 0; count < 11; count++) {
    refuse(1_000);
    refuse(1_001);
  }
  for (let number = 2_000; number < 3_023; number++) {
    refuse(number);
    refuse(1_001);
  }
  assert.deepEqual([logged(1_000), logged(1_001)], [10, 10]);
  refuse(1_000);
  refuse(1_001);
  assert.deepEqual([logged(1_000), logged(1_001)], [11, 10], 'and who does not stop is not forgotten');
});

test('candidates are said in the log if it is for debugging, and else nobody listens', () => {
  const { events, state, adjust, words } = logOf();
  const tell = () => {
    const what = { name: userName('web'), uid: uid(61_184), evidence: { kind: 'user', name: 'bob' } } as const;
    events.tell({ kind: 'passedOver', ...what });
    events.tell({ kind: 'skipped', ...what });
  };
  tell();
  assert.deepEqual([words(), events.isHeard('skipped')], [[], false]);
  state.level = 'debug';
  adjust();
  tell();
  assert.deepEqual(words(), Array(2).fill('debug web does not get UID 61184: the user bob has this number'));
  state.level = 'info';
  adjust();
  assert.equal(events.isHeard('skipped'), false);
});

test('the catalog explains each id that the log has, and no other', () => {
  const explained = [...readSource('systemd/dynuser.catalog').matchAll(/^-- ([0-9a-f]{32})$/gm)].map(([, id]) => id);
  assert.deepEqual(explained.sort(), Object.values(MESSAGE_IDS).sort());
});
