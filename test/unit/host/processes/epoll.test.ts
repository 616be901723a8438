/** A wait on a thread, for the far ends of socket pairs. */
import assert from 'node:assert/strict';
import { closeSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { DescriptorSocket } from '../../../../src/host/libc/descriptor-socket.ts';
import { Epoll } from '../../../../src/host/processes/epoll.ts';

function open(context: TestContext, count: number) {
  const epoll = new Epoll();
  const pairs = Array.from({ length: count }, () => DescriptorSocket.pair());
  for (const [index, { far }] of pairs.entries()) {
    epoll.add(far, index + 1);
  }
  context.after(() => {
    epoll.close();
    for (const { near, far } of pairs) {
      near.close();
      closeSync(far);
    }
  });
  return { epoll, pairs };
}

describe('a wait', () => {
  it('names what is readable, as often as it is asked', async context => {
    const { epoll, pairs } = open(context, 3);
    pairs[1]?.near.send('x');
    assert.deepEqual(await epoll.wait(), [2]);
    pairs[2]?.near.send('x');
    assert.deepEqual([...(await epoll.wait())].sort(), [2, 3]);
  });

  it('that is under way sees what is added meanwhile', async context => {
    const { epoll } = open(context, 1);
    const waiting = epoll.wait();
    const { near, far } = DescriptorSocket.pair();
    near.send('x');
    epoll.add(far, Number.MAX_SAFE_INTEGER);
    assert.deepEqual(await waiting, [Number.MAX_SAFE_INTEGER]);
    near.close();
    closeSync(far);
  });

  it('does not name what was removed', async context => {
    const { epoll, pairs } = open(context, 2);
    for (const { near } of pairs) {
      near.send('x');
    }
    epoll.remove(pairs[0]?.far ?? -1);
    assert.deepEqual(await epoll.wait(), [2]);
    assert.throws(() => epoll.remove(pairs[0]?.far ?? -1), { code: 'ENOENT', syscall: 'epoll_ctl' });
    epoll.add(pairs[0]?.far ?? -1, 7);
    assert.deepEqual([...(await epoll.wait())].sort(), [2, 7]);
  });

  it('is ended by a wake, and so are all later ones', async context => {
    const { epoll } = open(context, 1);
    const waiting = epoll.wait();
    epoll.wake();
    assert.deepEqual(await waiting, []);
    assert.deepEqual(await epoll.wait(), []);
  });

  it('may be about more than one of them takes', async context => {
    const { epoll, pairs } = open(context, 300);
    for (const { near } of pairs) {
      near.send('x');
    }
    const seen = new Set<number>();
    while (seen.size < 300) {
      const tokens = await epoll.wait();
      assert.ok(tokens.length > 0);
      for (const token of tokens) {
        assert.ok(!seen.has(token), 'it was removed');
        seen.add(token);
        epoll.remove(pairs[token - 1]?.far ?? -1);
      }
    }
    assert.deepEqual(Math.max(...seen), 300);
  });
});
