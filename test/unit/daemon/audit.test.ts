/** Records of users for the kernel's audit: their form, their order, how many go at a time, and that nothing waits for them or fails with them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { auditText, auditUsers } from '../../../src/daemon/audit.ts';
import type { Logger } from '../../../src/daemon/logger.ts';
import { type AuditRecord, encodeAuditMessage, errorOf } from '../../../src/host/audit-socket.ts';
import { gid, uid } from '../allocator/fakes.ts';
import { buildUseCases } from '../allocator/use-cases.ts';

const turn = () => new Promise(resolve => setImmediate(resolve));
const PATIENT_MS = 10_000;

/** @param take gets how many records are there at a send; @returns how many of them the kernel takes */
function audited(take: (count: number) => number | Error | Promise<number>, isWanted = () => true) {
  const built = buildUseCases();
  const asked: string[][] = [];
  const said: string[] = [];
  const open = () => ({
    send: async (records: readonly AuditRecord[]) => {
      const texts = records.map(({ type, text }) => `${type} ${text}`);
      const count = await take(records.length);
      if (count instanceof Error) {
        asked.push(texts);
        throw count;
      }
      asked.push(texts.slice(0, count));
      return count;
    },
  });
  const logger = {
    debug: (_: unknown, words: string) => said.push(words),
    warn: (_: unknown, words: string) => said.push(words),
  };
  const stop = auditUsers(built.events, isWanted, open, logger as unknown as Logger);
  return { built, asked, said, flush: () => stop(PATIENT_MS), stop };
}

function namesOf(texts: readonly string[]): (string | undefined)[] {
  return texts.map(text => /acct="(.*?)"/.exec(text)?.[1]);
}

test('a user has a record when it comes, and one when it has ended; a lease more, or a user of the host, has none', async () => {
  const { built, asked, said, flush } = audited(() => 1);
  built.probe.accounts.set('games', { user: { uid: uid(5), gid: gid(60) }, group: { gid: gid(60) } });
  const { user, lease } = await built.acquire('web.service');
  assert.deepEqual(asked, [], 'who asked is answered first');
  const second = await built.acquire('web.service');
  await built.acquire('games.service');
  await built.release(lease.id);
  await built.release(second.lease.id);
  await flush();
  const rest = `id=${user.uid} acct="web" unit=web.service exe="dynuserd" hostname=? addr=? terminal=? res=success`;
  assert.deepEqual(asked, [[`addUser op=add-dynamic-user ${rest}`], [`deleteUser op=delete-dynamic-user ${rest}`]]);
  assert.deepEqual(said, []);
});

test('a kernel that takes no records is asked once, and that is not a problem', async () => {
  const { built, asked, said, flush } = audited(() => new Error('EPROTONOSUPPORT'));
  await built.acquire('a.service');
  await flush();
  await built.acquire('b.service');
  await flush();
  assert.equal(asked.length, 1);
  assert.deepEqual(said, ['the kernel takes no audit records']);
});

test('what comes while the kernel takes its time goes together after it, and what it leaves goes once more', async () => {
  let release: (count: number) => void = () => {};
  const held = new Promise<number>(resolve => {
    release = resolve;
  });
  const counts = [held, 2, 1];
  const { built, asked, flush } = audited(() => counts.shift() ?? 0);
  await built.acquire('a.service');
  const all = flush();
  for (const unit of ['b.service', 'c.service', 'd.service']) {
    await built.acquire(unit);
  }
  release(1);
  await all;
  assert.deepEqual(asked.map(namesOf), [['a'], ['b', 'c'], ['d']]);
});

test('records wait a moment for others, and go by themselves', async ({ mock }) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  const { built, asked } = audited(count => count);
  for (const unit of ['a.service', 'b.service']) {
    await built.acquire(unit);
    await turn();
  }
  assert.deepEqual(asked, []);
  mock.timers.tick(20);
  await turn();
  await built.acquire('c.service');
  mock.timers.tick(20);
  await turn();
  assert.deepEqual(asked.map(namesOf), [['a', 'b'], ['c']]);
});

test('a kernel that does not answer holds up nobody who stops', async () => {
  const { built, stop } = audited(() => new Promise<number>(() => {}));
  await built.acquire('a.service');
  await stop(1);
});

test('nobody who does not want records gets any', async () => {
  const { built, asked, flush } = audited(
    () => 1,
    () => false,
  );
  await built.acquire('a.service');
  await flush();
  assert.deepEqual(asked, []);
});

test('a message is one of netlink, and its answer has an errno', () => {
  const message = encodeAuditMessage(1_114, 7, 'op=x');
  assert.equal(
    message.toString('hex'),
    `150000005a0405000700000000000000${Buffer.from('op=x\0\0\0\0').toString('hex')}`,
  );
  const answer = Buffer.alloc(36);
  answer.writeUInt16LE(2, 4);
  assert.equal(errorOf(answer), 0);
  answer.writeInt32LE(-1, 16);
  assert.equal(errorOf(answer), 1);
  assert.equal(errorOf(Buffer.alloc(4)), 0);
  // With nothing behind the errno.
  assert.equal(errorOf(answer.subarray(0, 20)), 1);
  assert.equal(errorOf(answer.subarray(0, 19)), 0);
});

/** Sends two records, and prints how many were taken, or why not. */
const SENDER = `
  import { AuditSocket } from ${JSON.stringify(new URL('../../../src/host/audit-socket.js', import.meta.url).href)};
  const socket = new AuditSocket();
  const records = ['one', 'two'].map(text => ({ type: 'addUser', text }));
  console.log(await socket.send(records).catch(error => error.message));`;

test('a kernel that refuses a record says so', context => {
  const isRoot = process.geteuid?.() === 0;
  const bare = isRoot ? ['setpriv', '--bounding-set=-audit_write', '--inh-caps=-audit_write'] : [];
  const [program = '', ...argv] = [...bare, process.execPath, '--input-type=module', '-e', SENDER];
  const { stdout, stderr } = spawnSync(program, argv, { encoding: 'utf8' });
  if (/EPROTONOSUPPORT/.test(stderr)) {
    return context.skip('this kernel has no audit');
  }
  // EPERM; or ECONNREFUSED, in a user namespace.
  assert.match(stdout, /^errno (?:1|111)\n$/, stderr);
});

test('a user without leases has a record all the same', () => {
  const user = { uid: uid(61_184), gid: gid(61_184), name: 'web' as never, dynamic: true, leases: [] };
  assert.match(auditText('deleteUser', user), /^op=delete-dynamic-user id=61184 acct="web" exe=/);
});
