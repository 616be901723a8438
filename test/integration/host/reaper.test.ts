/** What a user leaves behind is ended by the real helper, in PID and IPC namespaces of the test's own. */
// runs alone: the helper ends every process of a UID on the host, and a machine of another test may have one
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { HelperCommand } from '../../../src/host/helper/process.ts';
import { HelperReaper } from '../../../src/host/helper/reaper.ts';
import { BUILD } from '../../support/native.ts';
import { besideThing, HELPER, uid, withDirectory, withSources } from './helpers.ts';

const UID = 64_000;
const ours = uid(UID);
/** Of whom the host has nothing, beside which one test looks. */
const nobodys = uid(63_179);
/** A process that only waits, once it has said that it is there. */
const STOPPED = `sh -c 'echo >&3; kill -STOP $$'`;
const AS_USER = `setpriv --reuid ${UID} --regid ${UID} --clear-groups --`;

/**
 * The helper beside what a shell script has started; PID 1 is the shell, which waits for orphans.
 *
 * @param ready how many processes of the script say so, each by a line to descriptor 3, once they are what the helper is to find
 */
function beside(helper: string, ready: number, script: string): HelperCommand {
  const namespaces = ['-m', '-i', '-p', '-f', '--kill-child=KILL', '--mount-proc'];
  const started = `{ ${script} } 3>&1 </dev/null >/dev/null 2>&1 | head -n ${ready} >/dev/null`;
  return ['unshare', ...namespaces, 'sh', '-ec', `${started}; exec 3>&-; "$@"; true`, 'sh', helper];
}

async function withReaper(
  command: HelperCommand,
  use: (reaper: HelperReaper, gifts: readonly unknown[]) => Promise<void>,
): Promise<void> {
  const gifts: unknown[] = [];
  const reaper = new HelperReaper(command, (...removed) => gifts.push(removed));
  try {
    await use(reaper, gifts);
  } finally {
    await reaper.close();
  }
}

// At a time: each test is in other namespaces.
describe(`the reaper (${BUILD.name})`, { concurrency: true }, () => {
  it('lets processes end by themselves within the grace', () =>
    withReaper(
      beside(HELPER, 1, `${AS_USER} sh -c 'trap "sleep 0.2; exit" TERM; echo >&3; sleep 60 & wait' &`),
      async reaper => {
        const started = performance.now();
        assert.equal(await reaper.endProcesses(ours, 30_000), undefined);
        assert.ok(performance.now() - started > 200, 'it had the time that it needed');
        assert.ok(performance.now() - started < 10_000, 'and no more');
      },
    ));

  it('kills what the grace did not move', () =>
    withReaper(
      beside(HELPER, 1, `${AS_USER} sh -c 'trap "" TERM; echo >&3; setsid sleep 60 & wait' &`),
      async reaper => {
        const started = performance.now();
        assert.equal(await reaper.endProcesses(ours, 700), undefined);
        assert.ok(performance.now() - started > 700, 'not before the grace is over');
      },
    ));

  it('ends what forks without end, is stopped, and runs in a namespace below', () => {
    const script = [
      `${AS_USER} sh -c 'echo >&3; exec 3>&-; while :; do (:) & done' &`,
      `${AS_USER} perl -e '$SIG{CHLD} = "IGNORE"; open(R, ">&=3"); syswrite(R, "\\n"); close(R); while (1) { exit if fork }' &`,
      `${AS_USER} sh -c 'echo >&3; kill -STOP $$' &`,
      `unshare -p -f --mount-proc ${AS_USER} sh -c 'sleep 60 & echo >&3; sleep 61' &`,
    ].join('\n');
    return withReaper(beside(HELPER, 4, script), async reaper => {
      assert.equal(await reaper.endProcesses(ours, 100), undefined);
    });
  });

  for (const [as, options] of [
    ['group', `--regid ${UID} --clear-groups`],
    ['supplementary', `--regid 64001 --groups 1,${UID},2`],
  ]) {
    it(`leaves alone what has the number as ${as}, and does not wait for it`, () =>
      withReaper(beside(HELPER, 1, `setpriv --reuid 64001 ${options} ${STOPPED} &`), async reaper => {
        const started = performance.now();
        const left = await reaper.endProcesses(ours, 60_000);
        assert.ok(left?.kind === 'process' && left.command === 'sh' && left.as === as);
        assert.deepEqual(await reaper.endProcesses(ours, 0), left);
        assert.ok(performance.now() - started < 30_000, 'neither for the grace to end');
      }));
  }

  for (const thing of [
    'sysv-shm',
    'sysv-sem',
    'sysv-msg',
    'posix-shm',
    'posix-shm-nested',
    'posix-mq',
    'gid-posix-mq',
  ]) {
    it(`removes ${thing}`, () =>
      withReaper(besideThing(thing, UID), async reaper => {
        assert.equal(await reaper.removeIpc(ours), undefined);
      }));
  }

  for (const thing of ['posix-shm', 'sysv-sem', 'process-real', 'thread-saved']) {
    it(`ends all there is, ${thing}, in one step or in several`, () =>
      withReaper(besideThing(thing, UID), async reaper => {
        // Two at a time: the second goes the long way in any case.
        const ends = [ours, uid(UID + 1)].map(number => reaper.endAll(number, 0));
        assert.deepEqual(await Promise.all(ends), [undefined, undefined]);
        assert.deepEqual(await reaper.endAll(ours, 0), undefined);
      }));
  }

  it('names a process that the end of all cannot end', () =>
    withReaper(beside(HELPER, 1, `setpriv --reuid 64001 --regid ${UID} --clear-groups ${STOPPED} &`), async reaper => {
      const left = await reaper.endAll(ours, 0);
      assert.ok(left?.kind === 'process' && left.command === 'sh');
    }));

  for (const thing of ['given-sysv-shm', 'given-sysv-shm-attached', 'given-sysv-sem', 'gid-given-sysv-msg']) {
    it(`removes ${thing} before the UID is given out`, () =>
      withReaper(besideThing(thing, UID), async (reaper, gifts) => {
        const object = thing.replace(/^(?:gid-)?given-|-attached$/g, '');
        await reaper.removeGifts(uid(UID + 1));
        assert.deepEqual(gifts, []);
        await reaper.removeGifts(ours);
        await reaper.removeGifts(ours);
        assert.deepEqual(gifts, [[ours, { count: 1, named: [{ object, id: 0, creator: 0 }] }]]);
      }));
  }

  it('is not kept by a segment that another user has attached, which is marked for destruction', () =>
    withReaper(besideThing('sysv-shm-attached', UID), async reaper => {
      assert.equal(await reaper.removeIpc(ours), undefined);
    }));

  for (const number of [0, 1_000, 60_577, 65_534, 65_535, 2_147_483_648, 4_294_967_294]) {
    it(`is refused the UID ${number} by the helper itself`, () =>
      withReaper([HELPER], async reaper => {
        const refused = { code: 'HostFailed', message: /gave an invalid answer/ };
        await assert.rejects(reaper.endProcesses(uid(number), 0), refused);
        await assert.rejects(reaper.endProcesses(uid(number), 1), refused);
        await assert.rejects(reaper.endAll(uid(number), 0), refused);
        await assert.rejects(reaper.removeIpc(uid(number)), refused);
        await assert.rejects(reaper.clearKeyrings(uid(number)), refused);
      }));
  }

  it('needs no NSS', () =>
    withDirectory(async directory => {
      const configuration = `${directory}/nsswitch.conf`;
      writeFileSync(configuration, 'passwd: files [NOTFOUND=what]\n');
      await withReaper(withSources(configuration), async reaper => {
        assert.equal(await reaper.endProcesses(nobodys, 0), undefined);
        assert.equal(await reaper.removeIpc(nobodys), undefined);
      });
    }));
});
