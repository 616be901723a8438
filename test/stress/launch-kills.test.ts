/** A launcher that is killed at every system call of a start: its user is gone, and the next start finds all as it was. */
// time limit: 600 s
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { PREPARATION, STARTS } from '../support/launches/starts.ts';
import { TracedLaunches, testimony } from '../support/launches/traced.ts';

const KILLED = 128 + 9;
/** What is on disk of the directories, and whose it is. */
const ON_DISK = `cd /var/lib && find . -mindepth 1 -printf '%p %y %u %g %m %l\\n' | sort; ls -A /run/web 2>/dev/null; true`;

describe('a launcher that is killed', () => {
  let launches: TracedLaunches;
  before(async () => {
    launches = await TracedLaunches.boot(PREPARATION);
  });
  after(() => launches.stop());

  for (const { name: start, argv } of STARTS) {
    it(`${start}: at each system call`, async () => {
      const { machine } = launches.installed;
      const normal = testimony((await launches.run(argv)).stdout);
      const calls = await launches.record(argv);
      assert.deepEqual(await launches.remains(), []);
      const disk = await machine.sh(ON_DISK);
      // What stands between others of the same name dies no other death than they.
      const chosen = calls.filter(
        ({ name }, index) => name !== 'close' && (name !== calls[index - 1]?.name || name !== calls[index + 1]?.name),
      );
      let killed = 0;
      for (const call of chosen) {
        const { status, stdout } = await launches.tamper(argv, call, 'signal=SIGKILL');
        if (status === 0) {
          // A child was killed that had done its work.
          assert.deepEqual(testimony(stdout), normal, call.line);
        } else {
          // Where it was a child that had not, the launcher said so.
          assert.ok(status === KILLED || status === 125, `${status}: ${call.line}`);
          assert.equal(stdout, '', call.line);
          killed += status === KILLED ? 1 : 0;
        }
        assert.deepEqual(await launches.remains(), [], call.line);
      }
      assert.ok(killed > 30 && killed > chosen.length * 0.9, `${killed} of ${chosen.length}`);
      assert.equal(await machine.sh(ON_DISK), disk);
      assert.deepEqual(testimony((await launches.run(argv)).stdout), normal);
      assert.equal((await machine.run(['pgrep', '-x', 'dynuser-run'])).status, 1, 'a child of the launcher is left');
    });
  }
});
