/** The time of day of a host jumps by a year: no UID is freed for that, and nothing is refused but connections with certificates that are not valid. */
// time limit: 600 s
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { CHECKOUT } from '../../src/tooling/checkout.ts';
import { FLEET_NAME, Fleet, type FleetHost, type FleetOptions } from '../support/fleet/hosts.ts';
import { until } from '../support/until.ts';

const YEAR_SEC = 365 * 86_400;
const OFFSET = '/run/clock-offset';
/** In the storage that all hosts have, where the test can build it. */
const LIBRARY = '/srv/shared/clock-offset.so';
const SOURCE = `${CHECKOUT}test/native/support/clock_offset.c`;
const JUMPS = { 'a year forward': YEAR_SEC, 'a year back': -YEAR_SEC } as const;

async function bootWith(options: Partial<FleetOptions>): Promise<Fleet> {
  const fleet = await Fleet.boot({ hosts: 2, ...options });
  execFileSync('cc', ['-shared', '-fPIC', '-O1', '-Wall', '-o', `${fleet.shared}/clock-offset.so`, SOURCE]);
  for (const { machine } of fleet.hosts) {
    await machine.write('/etc/ld.so.preload', `${LIBRARY}\n`);
  }
  await fleet.start();
  return fleet;
}

function jump({ machine }: FleetHost, seconds: number): Promise<void> {
  return machine.write(OFFSET, `${seconds}\n`);
}

/** What the store has of bindings and holds: nothing of that goes because time passes. */
async function bindingsOf({ cluster }: Fleet): Promise<readonly string[]> {
  const keys = (await cluster?.keys(`/dynuser/v1/${FLEET_NAME}/`)) ?? new Map<string, string>();
  return [...keys].filter(([key]) => /\/(name|uid|by-host|inc)\//.test(key)).map(entry => entry.join(' '));
}

/** @returns the second in which the daemon thinks that it gave a user out */
async function sinceOf(host: FleetHost, name: string): Promise<number> {
  const { stdout } = await host.ctl(['list', '--json=short']);
  const users: readonly { userName: string; since: number }[] = JSON.parse(stdout);
  const since = users.find(({ userName }) => userName === name)?.since ?? 0;
  // Varlink has it in microseconds, and whoever prints it may have it in seconds.
  return since > 1e12 ? since / 1e6 : since;
}

describe('a clock that jumps', () => {
  let fleet: Fleet;
  before(async () => {
    fleet = await bootWith({ validDays: 3_650, config: 'FleetForgetSec=3600' });
  });
  after(() => fleet?.stop());

  for (const [what, seconds] of Object.entries(JUMPS)) {
    it(`${what} is not a reason to free, refuse or forget anything`, async () => {
      const [host, other] = [fleet.host(0), fleet.host(1)];
      const lives = await host.acquire('f-lives');
      const rests = await host.acquire('f-rests');
      await host.release('f-rests');
      await other.acquire('f-lives');
      const bound = await bindingsOf(fleet);
      await jump(host, seconds);
      const name = seconds > 0 ? 'f-after' : 'f-before';
      const fresh = await host.acquire(name);
      const off = (await sinceOf(host, name)) - Date.now() / 1_000 - seconds;
      assert.ok(Math.abs(off) < 3_600, `its clock is ${off} seconds off from where it should be`);
      assert.equal((await host.status()).state, 'member');
      // Also for programs that begin with that clock, and for what they count and write as they end.
      await host.restart();
      await host.untilMember();
      assert.equal(await host.acquire('f-rests'), rests);
      await host.release('f-rests');
      assert.equal(await other.acquire(name), fresh);
      const { holds } = await host.status();
      assert.deepEqual(
        holds.filter(each => [lives, rests, fresh].includes(each.uid)).map(each => [each.name, each.uid, each.live]),
        [
          ['f-lives', lives, true],
          ['f-rests', rests, false],
          [name, fresh, true],
        ].toSorted(),
      );
      const idle = JSON.parse(await host.machine.sh('cat /var/lib/dynuser/fleet/idle'));
      assert.ok(idle['f-rests'] < 3_600, `f-rests was not used for ${idle['f-rests']} seconds`);
      assert.equal((await host.fleet(['check'])).status, 0);
      await host.release(name);
      await other.release(name);
      const left = await bindingsOf(fleet);
      assert.deepEqual(
        bound.filter(binding => !binding.includes('/inc/') && !left.includes(binding)),
        [],
        'they are in the store as before',
      );
      await jump(host, 0);
    });
  }
});

describe('a clock by which the certificates are not valid', () => {
  let fleet: Fleet;
  before(async () => {
    fleet = await bootWith({});
  });
  after(() => fleet?.stop());

  for (const [what, seconds] of Object.entries(JUMPS)) {
    it(`${what} keeps a host from new names, says so once, and frees nothing`, async () => {
      const host = fleet.host(0);
      const uid = await host.acquire('f-held');
      await fleet.host(1).acquire('f-held');
      const bound = await bindingsOf(fleet);
      host.daemonLog = '';
      await jump(host, seconds);
      await host.restartCompanion();
      const why = seconds > 0 ? /certificate has expired/ : /certificate is not yet valid/;
      let said = '';
      await until(
        () => `a new name is refused; the host says: ${said}`,
        async () => {
          const { status, stderr } = await host.ctl(['acquire', '--user=f-new', 'f-new.service']);
          said = stderr;
          assert.notEqual(status, 0);
          return why.test(stderr);
        },
      );
      await host.release('f-held');
      assert.equal(await host.acquire('f-held'), uid);
      // Each request that is refused is a line besides.
      const lines = host.daemonLog.split('\n').filter(line => /not a member of the fleet/.test(line) && why.test(line));
      assert.equal(lines.length, 1, host.daemonLog);
      assert.deepEqual(await bindingsOf(fleet), bound);
      await jump(host, 0);
      await host.restartCompanion();
      await host.untilMember();
      await host.acquire('f-new');
      await host.release('f-new');
      await host.fleet(['forget', 'f-new']);
      await host.fleet(['gc', 'f-new']);
    });
  }
});
