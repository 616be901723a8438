/** A process that forks for ever on a busy machine: nobody else gets a number that it has. */
// runs alone: it loads every processor
// time limit: 300 s
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acquire, endOf, release, startOf } from '../support/evidence.ts';
import { withInstalled } from '../support/installed.ts';
import { until } from '../support/until.ts';

test('a process that forks for ever with the UID as its effective one alone keeps it from everybody else', async () => {
  const TRIES = 40;
  await withInstalled({ config: 'CoolDownSec=0\n' }, async host => {
    await host.startDaemon();
    const { uid, lease } = await acquire(host, 'chain.service');
    await release(host, lease);
    // On a busy machine, and with so many processes that one has ended long before it is read.
    const idle = await host.machine.spawn(['sh', '-c', 'for i in $(seq 150); do sleep 300 & done; wait']);
    const burners = await host.machine.spawn([
      'sh',
      '-c',
      'for i in 1 2 3; do timeout 240 sh -c "while :; do :; done" & done; wait',
    ]);
    // Each looks whether it may continue, and each ends.
    const chain = `$SIG{CHLD} = "IGNORE"; $> = ${uid}; print "on\n"; close STDOUT; $t = time; while (time < $t + 240 and -e "/tmp/on") { exit if fork }`;
    await host.machine.write('/tmp/on', '');
    const started = await host.machine.spawn(startOf(chain));
    await started.stdout.take(1).toArray();
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const given = await acquire(host, 'chain.service');
      assert.notEqual(given.uid, uid, `try ${attempt}`);
      await release(host, given.lease);
    }
    await host.machine.output(['rm', '/tmp/on']);
    await until('the number is free', async () => {
      const given = await acquire(host, 'chain.service');
      await release(host, given.lease);
      return given.uid === uid;
    });
    await Promise.all([endOf(idle), endOf(burners), endOf(started)]);
  });
});
