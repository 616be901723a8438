/**
 * Everything that speaks against a UID, one at a time, made by root in namespaces of its own: IPC objects of every kind and processes
 * by each of their IDs. And what does not: things of others, and of other file systems.
 */
// runs alone: the helper looks at every process of the host, and a machine of another test has users of the same range
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { describe, it } from 'node:test';
import type { Evidence } from '../../../src/core/evidence.ts';
import type { Uid } from '../../../src/core/ids.ts';
import { ACQUIRING_LIMITS } from '../../../src/host/helper/pool.ts';
import { HelperProbe } from '../../../src/host/helper/probe.ts';
import { BUILD } from '../../support/native.ts';
import { besideThing, HELPER, uid, userName, whileOpen } from './helpers.ts';

const DEADLINE_MS = 10_000;
const NUMBER = 64_300;

function found(thing: string): Promise<Evidence | undefined> {
  return new Promise((resolve, reject) => {
    const probe = new HelperProbe(besideThing(thing, NUMBER), () => DEADLINE_MS);
    whileOpen(probe, async () => {
      assert.equal(await probe.evidence(uid(NUMBER + 1)), undefined, 'another UID is free');
      resolve(await probe.evidence(uid(NUMBER)));
    }).catch(reject);
  });
}

const IPC: readonly (readonly [thing: string, object: string, id: RegExp])[] = [
  ['sysv-shm', 'sysv-shm', /^0$/],
  ['sysv-shm-attached', 'sysv-shm', /^0$/],
  ['sysv-sem', 'sysv-sem', /^0$/],
  ['sysv-msg', 'sysv-msg', /^0$/],
  ['posix-shm', 'posix-shm', /^\/dev\/shm\/file$/],
  ['posix-shm-nested', 'posix-shm', /^\/dev\/shm\/a\/b\/file$/],
  ['posix-shm-deep', 'posix-shm', /^file$/],
  ['posix-mq', 'posix-mq', /^\/du-queue$/],
];

const IDS = ['real', 'effective', 'saved', 'filesystem', 'supplementary'];

describe(`evidence against a UID (${BUILD.name} helper)`, () => {
  for (const prefix of ['', 'gid-']) {
    for (const [thing, object, id] of IPC) {
      it(`${prefix}${thing}`, async () => {
        const evidence = await found(prefix + thing);
        assert.equal(evidence?.kind, 'ipc');
        assert.equal(evidence.object, object);
        assert.match(evidence.id, id);
      });
    }
    for (const thing of IDS.flatMap(which => [`process-${which}`, `thread-${which}`])) {
      it(`${prefix}${thing}`, async () => {
        const evidence = await found(prefix + thing);
        assert.equal(evidence?.kind, 'process');
        assert.equal(evidence.as, thing.endsWith('supplementary') ? 'supplementary' : prefix === '' ? 'user' : 'group');
        assert.ok(evidence.pid > 1, 'the process is named, and is not the helper itself');
        assert.equal(evidence.command, 'du world)');
      });
    }
  }

  it('not: processes that come and go all the time', async () => {
    const churn = spawn('sh', ['-c', 'while :; do (exit 0); (exit 0) & done'], { stdio: 'ignore' });
    try {
      await whileOpen(new HelperProbe([HELPER], () => DEADLINE_MS), async probe => {
        for (let turn = 0; turn < 300; turn++) {
          // Not that of the processes of the tests before, which may still be ending.
          assert.equal(await probe.evidence(uid(NUMBER + 2)), undefined);
        }
      });
    } finally {
      churn.kill();
    }
  });

  for (const prefix of ['given-', 'gid-given-']) {
    for (const object of ['sysv-shm', 'sysv-shm-attached', 'sysv-sem', 'sysv-msg']) {
      it(`not: ${prefix}${object}, which is to be removed for who takes the UID`, async () => {
        const gifts: Uid[] = [];
        const probe = new HelperProbe(
          besideThing(prefix + object, NUMBER),
          () => DEADLINE_MS,
          ACQUIRING_LIMITS,
          async to => void gifts.push(to),
        );
        await whileOpen(probe, async () => {
          assert.equal(await probe.evidence(uid(NUMBER)), undefined);
          assert.equal((await probe.check(userName('nobodys'), uid(NUMBER), 'look')).evidence, undefined);
          assert.deepEqual(gifts, [], 'not for a look');
          assert.equal(await probe.take(uid(NUMBER + 1)), undefined);
          assert.deepEqual(gifts, [], 'not for another UID');
          assert.equal(await probe.take(uid(NUMBER)), undefined);
          assert.deepEqual(gifts.splice(0), [uid(NUMBER)]);
          assert.equal((await probe.check(userName('nobodys'), uid(NUMBER))).evidence, undefined);
          assert.deepEqual(gifts, [uid(NUMBER)]);
        });
      });
    }
  }

  for (const thing of ['nothing', 'outside-link', 'outside-mount']) {
    it(`not: ${thing}`, async () => {
      assert.equal(await found(thing), undefined);
    });
  }
});
