/** The daemon of a host is killed at every step of a first use of a name: nothing is lost, and no UID has two names. */
// time limit: 900 s
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CHECKOUT } from '../../src/tooling/checkout.ts';
import { Fleet } from '../support/fleet/hosts.ts';

const DEADLINE_MS = 840_000;

describe('a daemon of a fleet that is killed at every step of a first use', () => {
  let fleet: Fleet;
  before(async () => {
    fleet = await Fleet.boot({ hosts: 2, config: 'LogLevel=warn' });
    await fleet.start();
  });
  after(() => fleet?.stop());

  it('has each name with one UID afterwards, as its record, the store and its answers say', async t => {
    const [host, other] = [fleet.host(0), fleet.host(1)];
    host.daemon?.kill('SIGTERM');
    await host.daemon?.ended;
    const program = `${CHECKOUT}dist/test/support/programs/fleet-kill-steps.js`;
    const text = await host.machine.output([process.execPath, program, host.id], { timeoutMs: DEADLINE_MS });
    const { kills, missed, records, uids } = JSON.parse(text);
    t.diagnostic(`${kills} kills, ${missed} that came too late; ${records} of them had a hold`);
    assert.ok(kills > 15, `${kills} kills`);
    assert.ok(records > 0 && records < kills, `${records} of ${kills} had a hold`);
    const names = Object.keys(uids);
    for (const name of [...names.slice(0, 3), ...names.slice(-3)]) {
      assert.equal(await other.acquire(name), uids[name], 'on the other host, too');
    }
    const { stdout } = await other.fleet(['names', '--json=short']);
    const bound: readonly { name: string; uid: number }[] = JSON.parse(stdout);
    assert.equal(new Set(bound.map(({ uid }) => uid)).size, bound.length);
    assert.equal((await other.fleet(['check', '--json=short'])).status, 0);
  });
});
