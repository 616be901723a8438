/** The whole range of systemd's dynamic users, given out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorOf, replyOf, withInstalled } from '../support/installed.ts';

const ACQUIRE = 'io.dynuser.Allocator.Acquire';
const RELEASE = 'io.dynuser.Allocator.Release';
const SIZE = 65519 - 61184 + 1;

test('4,336 acquisitions in a row succeed, the next is told so, and a released UID is found again', async () => {
  await withInstalled({}, async host => {
    await host.startDaemon();
    const acquire = (unit: string) => [ACQUIRE, { unit, lifetime: 'explicit' }] as const;
    const results = await host.calls(
      Array.from({ length: SIZE + 1 }, (_, index) => acquire(`fill${index}.service`)),
      { timeoutMs: 120_000 },
    );
    const leases = results.slice(0, SIZE).map(replyOf);
    assert.equal(new Set(leases.map(lease => lease['uid'])).size, SIZE);
    const refused = errorOf(results[SIZE]);
    assert.equal(refused.error, 'io.dynuser.Allocator.RangeExhausted');
    assert.equal(refused.parameters['held'], SIZE);
    assert.match(String(refused.parameters['reason']), /4336 of 4336 are held here/);

    const victim = leases[1234];
    assert.ok(victim);
    const [, again] = await host.calls([[RELEASE, { lease: victim['lease'] }], acquire('late.service')]);
    assert.equal(replyOf(again)['uid'], victim['uid']);

    const passwd = await host.machine.output(['getent', 'passwd']);
    assert.equal(passwd.split('\n').filter(line => line.includes(':Dynamic User:')).length, SIZE);
  });
});
