/** Records of users for the kernel's audit: their form, their order, and that nothing waits for them or fails with them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditText, auditUsers } from '../../../src/daemon/audit.ts';
import type { Logger } from '../../../src/daemon/logger.ts';
import { encodeAuditMessage, errorOf } from '../../../src/host/audit-socket.ts';
import { gid, uid } from '../allocator/fakes.ts';
import { buildUseCases } from '../allocator/use-cases.ts';

const turn = () => new Promise(resolve => setImmediate(resolve));

function audited(answer: (count: number) => number | Error, isWanted = () => true) {
  const built = buildUseCases();
  const sent: string[] = [];
  const said: string[] = [];
  const open = () => ({
    send: async (type: string, text: string) => {
      sent.push(`${type} ${text}`);
      const errno = answer(sent.length);
      if (errno instanceof Error) {
        throw errno;
      }
      return errno;
    },
  });
  const logger = {
    debug: (_: unknown, words: string) => said.push(words),
    warn: (_: unknown, words: string) => said.push(words),
  };
  auditUsers(built.events, isWanted, open, logger as unknown as Logger);
  return { built, sent, said };
}

test('a user has a record when it comes, and one when it has ended; a lease more, or a user of the host, has none', async () => {
  const { built, sent, said } = audited(() => 0);
  built.probe.accounts.set('games', { user: { uid: uid(5), gid: gid(60) }, group: { gid: gid(60) } });
  const { user, lease } = await built.acquire('web.service');
  assert.deepEqual(sent, [], 'who asked is answered first');
  const second = await built.acquire('web.service');
  await built.acquire('games.service');
  await built.release(lease.id);
  await built.release(second.lease.id);
  await turn();
  const rest = `id=${user.uid} acct="web" unit=web.service exe="dynuserd" hostname=? addr=? terminal=? res=success`;
  assert.deepEqual(sent, [`addUser op=add-dynamic-user ${rest}`, `deleteUser op=delete-dynamic-user ${rest}`]);
  assert.deepEqual(said, []);
});

test('a kernel that takes no records is asked once, and that is no trouble', async () => {
  for (const answer of [1, new Error('EPROTONOSUPPORT')]) {
    const { built, sent, said } = audited(() => answer);
    await built.acquire('a.service');
    await turn();
    await built.acquire('b.service');
    await turn();
    assert.equal(sent.length, 1);
    assert.deepEqual(said, ['the kernel takes no audit records']);
  }
});

test('nobody who does not want records gets any', async () => {
  const { built, sent } = audited(
    () => 0,
    () => false,
  );
  await built.acquire('a.service');
  await turn();
  assert.deepEqual(sent, []);
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
});

test('a user without leases has a record all the same', () => {
  const user = { uid: uid(61_184), gid: gid(61_184), name: 'web' as never, dynamic: true, leases: [] };
  assert.match(auditText('deleteUser', user), /^op=delete-dynamic-user id=61184 acct="web" exe=/);
});
