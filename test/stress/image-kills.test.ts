/**
 * A start out of a disk image, of which the launcher, its helper, or the child that looks into the image, is killed at its system calls:
 * no mount, loop device, process or lease stays.
 */
// time limit: 1200 s
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ATTACHED, IMAGES, makeRoots } from '../support/images/make.ts';
import { TracedLaunches, testimony, WITNESS } from '../support/launches/traced.ts';
import { firstOutput } from '../support/machine/process.ts';
import { until } from '../support/until.ts';

const KILLED = 128 + 9;
const OTHERS_STEP = 3;
const root = (type: string) => ['dynuser-run', '-u', 'web', `-pRootImage=${IMAGES}/glibc.${type}`];
/** What was changed just now is looked into, and so is what is written to: the others need no helper. */
const CHANGED = ['sh', '-c', `touch ${IMAGES}/glibc.squashfs; exec "$@"`, 'sh'];
const STARTS = {
  'of an image that is looked into': [...CHANGED, ...root('squashfs'), ...WITNESS],
  'of an image that is known': [...root('squashfs'), ...WITNESS],
  'of one that is written to, with another mounted in it': [
    ...[...root('ext4'), '-pProtectSystem=no', '-pStateDirectory=web'],
    ...[`-pMountImages=${IMAGES}/glibc.squashfs:/opt`, ...WITNESS],
  ],
  'of one below what is kept in memory': [...root('squashfs'), '-pRootEphemeral=yes', ...WITNESS],
};

describe('a start out of an image', () => {
  let launches: TracedLaunches;
  before(async () => {
    launches = await TracedLaunches.boot(makeRoots());
  });
  after(() => launches.stop());

  /** Has the daemon know the images that can be known: those that were not changed in the last two seconds. */
  async function learn(argv: readonly string[]): Promise<void> {
    const { machine } = launches.installed;
    await until(
      'the images are old enough',
      async () => (await machine.sh(`find ${IMAGES} -type f -newerct '3 seconds ago'`)) === '',
    );
    await launches.run(argv);
  }

  async function assertClean(what: string): Promise<void> {
    const { machine } = launches.installed;
    assert.deepEqual(await launches.remains(), [], what);
    await until(
      () => `${what}: a loop device is left`,
      async () => (await machine.sh(ATTACHED)) === '',
    );
    assert.equal((await machine.run(['pgrep', '-f', 'dynuser-helper images'])).status, 1, `${what}: a helper is left`);
  }

  for (const [index, [name, argv]] of Object.entries(STARTS).entries()) {
    // Most calls of the others are those of the first.
    const step = index === 0 ? 1 : OTHERS_STEP;
    it(`${name}: at ${step === 1 ? 'each system call' : `one of ${step} system calls`} of each process`, async t => {
      await learn(argv);
      const normal = testimony((await launches.run(argv)).stdout);
      assert.ok(normal.length > 10);
      const calls = await launches.record(argv);
      await assertClean('at first');
      // What stands between others of the same name dies no other death than they.
      const chosen = calls
        .filter(
          ({ name: call }, at) => call !== 'close' && (call !== calls[at - 1]?.name || call !== calls[at + 1]?.name),
        )
        .filter((_, at) => at % step === 0);
      const seen = { killed: 0, lost: 0, done: 0 };
      for (const call of chosen) {
        const { status, stdout, stderr } = await launches.tamper(argv, call, 'signal=SIGKILL');
        if (status === 0) {
          // Somebody was killed who had done his work.
          assert.deepEqual(testimony(stdout), normal, call.line);
          seen.done++;
        } else {
          assert.ok(status === KILLED || status === 125, `${status}: ${call.line}: ${stderr}`);
          assert.equal(stdout, '', call.line);
          seen[status === KILLED ? 'killed' : 'lost']++;
        }
        await assertClean(call.line);
      }
      t.diagnostic(`${chosen.length} calls: ${JSON.stringify(seen)}`);
      const looks = argv[0] === 'sh' || argv.includes('-pProtectSystem=no');
      assert.ok(seen.killed > 30 / step, JSON.stringify(seen));
      assert.ok(looks ? seen.lost > 10 / step : seen.lost === 0, JSON.stringify(seen));
      assert.deepEqual(testimony((await launches.run(argv)).stdout), normal);
    });
  }

  it('lasts if the daemon is killed, and leaves nothing afterwards', async () => {
    const { installed } = launches;
    const { machine } = installed;
    const service = await machine.spawn([...root('squashfs'), '--', '/bin/sh', '-c', 'echo up; exec sleep 1000']);
    assert.match(await firstOutput(service), /up/);
    await machine.sh('kill -KILL "$(pgrep -o -f dynuserd.js)"');
    await installed.startDaemon();
    assert.equal(await machine.sh(ATTACHED), `${IMAGES}/glibc.squashfs`);
    service.kill('SIGKILL');
    await service.ended;
    await assertClean('after the daemon was killed');
  });
});
