/** Leases of a connection over a restart of the daemon: the process that acquired one comes back, or it ends. */
import assert from 'node:assert/strict';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { CHECKOUT } from '../../../src/tooling/checkout.ts';
import { type CallResult, errorOf, type Installed, replyOf, withInstalled } from '../../support/installed.ts';
import type { MachineProcess } from '../../support/machine/process.ts';
import { until } from '../../support/until.ts';

const ACQUIRE = 'io.dynuser.Allocator.Acquire';
const CLAIM = 'io.dynuser.Allocator.Claim';

const lives = async (host: Installed, name: string) =>
  (await host.machine.run(['getent', 'passwd', name])).status === 0;

/** One process in the machine that makes calls when it is told to. */
class Talker {
  readonly #process: MachineProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(process: MachineProcess) {
    this.#process = process;
    this.#lines = createInterface({ input: process.stdout })[Symbol.asyncIterator]();
  }

  static async start(host: Installed, uid = 0): Promise<Talker> {
    const program = `${CHECKOUT}dist/test/support/programs/talk.js`;
    const talker = new Talker(await host.machine.spawn([process.execPath, program], { uid }));
    await talker.say('open');
    return talker;
  }

  async say(word: string, parameters: Record<string, unknown> = {}): Promise<CallResult> {
    this.#process.stdin.write(`${JSON.stringify([word, parameters])}\n`);
    const { value } = await this.#lines.next();
    return JSON.parse(value ?? '{"error":"the program has ended","parameters":{}}');
  }

  async acquire(unit: string): Promise<Record<string, unknown>> {
    return replyOf(await this.say(ACQUIRE, { unit }));
  }

  /** The connection is gone, and there is another. */
  async reopen(): Promise<void> {
    await this.say('closed');
    await this.say('open');
  }

  kill(): Promise<number> {
    this.#process.kill('SIGKILL');
    return this.#process.ended;
  }
}

for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
  test(`after ${signal} of the daemon the process that acquired a lease claims it, and no other can`, async () => {
    await withInstalled({ config: 'AllowUsers=1000\n' }, async host => {
      const daemon = await host.startDaemon();
      const holder = await Talker.start(host, 1000);
      const { lease, uid } = await holder.acquire('held.service');
      const running = replyOf((await host.calls([['io.dynuser.Allocator.List', {}]]))[0])['leases'];
      assert.equal(errorOf(await holder.say(CLAIM, { lease })).error, 'io.dynuser.Allocator.NoSuchLease', 'it has it');
      daemon.kill(signal);
      await daemon.ended;
      assert.ok(await lives(host, 'held'), 'it resolves while there is no daemon');
      await host.startDaemon();
      assert.deepEqual(replyOf((await host.calls([['io.dynuser.Allocator.List', {}]]))[0])['leases'], running);
      for (const stranger of [await Talker.start(host, 1000), await Talker.start(host, 0)]) {
        const refused = errorOf(await stranger.say(CLAIM, { lease }));
        assert.equal(refused.error, 'io.dynuser.Allocator.NoSuchLease');
        assert.match(String(refused.parameters['reason']), /waits for this process/);
        await stranger.kill();
      }
      await holder.reopen();
      const claimed = replyOf(await holder.say(CLAIM, { lease }));
      const again = { uid, gid: uid, userName: 'held', unit: 'held.service', dynamic: true, lease };
      assert.deepEqual(claimed, again);
      assert.ok(await lives(host, 'held'));
      await holder.say('close');
      await until('the user is gone with the connection', async () => !(await lives(host, 'held')));
      await host.untilNothingIsKept();
      await holder.kill();
    });
  });
}

test('what is not claimed ends after the grace time, with its process before that, and without one at once', async () => {
  await withInstalled({ config: 'ConnectionGraceSec=2\n' }, async host => {
    const daemon = await host.startDaemon();
    const [late, killed, gone] = [await Talker.start(host), await Talker.start(host), await Talker.start(host)];
    const { lease } = await late.acquire('late.service');
    await killed.acquire('killed.service');
    await gone.acquire('gone.service');
    daemon.kill('SIGKILL');
    await daemon.ended;
    await gone.kill();
    await host.startDaemon();
    assert.deepEqual([await lives(host, 'gone'), await lives(host, 'killed')], [false, true]);
    await killed.kill();
    await until('the user of the killed one is gone', async () => !(await lives(host, 'killed')));
    assert.ok(await lives(host, 'late'), 'before the grace time is over');
    await until('the grace time is over', async () => !(await lives(host, 'late')));
    await host.untilNothingIsKept();
    await late.reopen();
    assert.equal(errorOf(await late.say(CLAIM, { lease })).error, 'io.dynuser.Allocator.NoSuchLease');
    await late.kill();
  });
});

test('a process of a PID namespace that the daemon cannot see into gets no grace', async () => {
  // Root of a namespace that cannot be seen into is root by this line alone.
  await withInstalled({ config: 'AllowUsers=root\n' }, async host => {
    // The daemon is in a namespace of its own below, so that its clients are outside of what it sees.
    const daemon = await host.machine.spawn([
      'unshare',
      '--pid',
      '--fork',
      '--kill-child',
      '--mount-proc',
      '/usr/sbin/dynuserd',
    ]);
    await host.untilAnswers();
    const holder = await Talker.start(host);
    await holder.acquire('unseen.service');
    assert.ok(await lives(host, 'unseen'));
    daemon.kill('SIGKILL');
    await daemon.ended;
    await host.startDaemon();
    assert.equal(await lives(host, 'unseen'), false);
    await holder.kill();
  });
});
