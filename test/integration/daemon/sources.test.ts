import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Installed, replyOf, withInstalled } from '../../support/installed.ts';

const VARLINK = { DYNUSER_NSS_SOURCE: 'varlink' };
const NAMES = ['alpha', 'beta-1', '_du10649011993341eb'];

async function acquireAll(host: Installed): Promise<number[]> {
  const units = ['alpha.service', 'beta-1.service', 'foo.bar.service'];
  const results = await host.calls(
    units.map(unit => ['io.dynuser.Allocator.Acquire', { unit, lifetime: 'explicit' }] as const),
  );
  return results.map(result => Number(replyOf(result)['uid']));
}

/** Every question that getent can ask, and what it prints. */
async function answers(host: Installed, uids: readonly number[], env: Record<string, string>): Promise<string[]> {
  const numbers = uids.map(String);
  const questions = [
    ['passwd', ...NAMES],
    ['passwd', ...numbers],
    ['group', ...NAMES],
    ['group', ...numbers],
    ['shadow', ...NAMES],
    ['gshadow', ...NAMES],
    ['initgroups', ...NAMES],
    ['passwd'],
    ['group'],
    ['shadow'],
    ['gshadow'],
    ['passwd', 'absent'],
    ['passwd', '61184'],
    ['group', 'absent'],
    ['shadow', 'absent'],
  ];
  const texts: string[] = [];
  for (const question of questions) {
    const { status, stdout } = await host.machine.run(['getent', ...question], { env });
    texts.push(`${question.join(' ')} → ${status}\n${stdout.split('\n').toSorted().join('\n')}`);
  }
  return texts;
}

test('links and socket give the same answers to every question', async () => {
  await withInstalled({}, async host => {
    await host.startDaemon();
    const uids = await acquireAll(host);
    const links = await answers(host, uids, {});
    assert.deepEqual(await answers(host, uids, VARLINK), links);
    assert.match(links[0] ?? '', new RegExp(`alpha:x:${uids[0]}:${uids[0]}:Dynamic User:/:/usr/sbin/nologin`));
    assert.match(links[4] ?? '', /alpha:!\*::::::1:/);
    assert.match(links[5] ?? '', /alpha:!\*::/);
    assert.match(links[11] ?? '', /→ 2\n$/);
  });
});

test('shadow and gshadow are for root alone, from either source', async () => {
  await withInstalled({}, async host => {
    await host.startDaemon();
    await acquireAll(host);
    for (const env of [{}, VARLINK]) {
      for (const database of ['shadow', 'gshadow']) {
        assert.equal((await host.machine.run(['getent', database, 'alpha'], { env, uid: 1000 })).status, 2);
      }
      assert.equal((await host.machine.run(['getent', 'passwd', 'alpha'], { env, uid: 1000 })).status, 0);
    }
  });
});

test('where only the socket is to be seen, it is asked', async () => {
  await withInstalled({}, async host => {
    await host.startDaemon();
    const [uid] = await acquireAll(host);
    const script = [
      'socket=/run/dynuser/io.dynuser.DynamicUser',
      'touch /mnt/socket && mount --bind "$socket" /mnt/socket',
      'mount -t tmpfs tmpfs /run/dynuser && touch "$socket" && mount --bind /mnt/socket "$socket"',
      'id alpha && getent passwd absent',
    ].join(' && ');
    const { stdout, status } = await host.machine.run(['unshare', '-m', 'sh', '-c', script]);
    assert.equal(stdout, `uid=${uid}(alpha) gid=${uid}(alpha) groups=${uid}(alpha)\n`);
    assert.equal(status, 2);
  });
});

test('lookups go on while the daemon is away, and nothing waits for it', async () => {
  await withInstalled({}, async host => {
    const daemon = await host.startDaemon();
    const [uid] = await acquireAll(host);
    daemon.kill('SIGKILL');
    await daemon.ended;
    assert.match(await host.machine.output(['id', 'alpha']), new RegExp(`^uid=${uid}`));
    assert.equal(
      (await host.machine.run(['getent', 'passwd', 'alpha'], { env: VARLINK, timeoutMs: 20_000 })).status,
      2,
    );
    await host.startDaemon();
    assert.equal((await host.machine.run(['getent', 'passwd', 'alpha'], { env: VARLINK })).status, 0);
  });
});
