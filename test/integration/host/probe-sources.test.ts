/**
 * What NSS modules do to a question: those that answer, err, are slow, hang, crash, print, or leave a child behind. The real
 * helper, plain and sanitized, with the real glibc and a module made for it.
 */
// runs alone: the helper looks at every process of the host, and a machine of another test has users of the same range
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { DynuserError } from '../../../src/core/errors.ts';
import { BUILD } from '../../support/native.ts';
import { uid, userName, withProbe } from './helpers.ts';

const DUTEST = 'passwd: files dutest\ngroup: files dutest\n';
const PATIENT_MS = 10_000;
const SHORT_MS = 1_500;

function failsWith(pattern: RegExp): (error: unknown) => boolean {
  return error => {
    assert.ok(error instanceof DynuserError, String(error));
    assert.equal(error.code, 'ProbeFailed');
    assert.match(error.message, pattern);
    return true;
  };
}

// At a time: each starts its helpers, and some wait for deadlines.
describe(`NSS sources (${BUILD.name} helper)`, { concurrency: true }, () => {
  it('tells users and groups by name', () =>
    withProbe(DUTEST, PATIENT_MS, async probe => {
      assert.deepEqual(await probe.account(userName('root')), { user: { uid: 0, gid: 0 }, group: { gid: 0 } });
      assert.deepEqual(await probe.account(userName('du-user')), { user: { uid: 64100, gid: 64101 } });
      assert.deepEqual(await probe.account(userName('du-group')), { group: { gid: 64101 } });
      assert.deepEqual(await probe.account(userName('du-nobody')), {});
    }));

  it('tells users and groups by number, whatever their names are made of', () =>
    withProbe(DUTEST, PATIENT_MS, async probe => {
      assert.deepEqual(await probe.evidence(uid(64100)), { kind: 'user', name: 'du-user' });
      assert.deepEqual(await probe.evidence(uid(64101)), { kind: 'group', name: 'du-group' });
      assert.deepEqual(await probe.evidence(uid(64105)), { kind: 'user', name: 'o dd%\ufffd' });
      assert.equal(await probe.evidence(uid(64199)), undefined);
    }));

  it('waits for slow sources, and makes room for large records', () =>
    withProbe(DUTEST, PATIENT_MS, async probe => {
      const user = { uid: 64100, gid: 64101 };
      assert.deepEqual(await probe.account(userName('du-slow')), { user });
      assert.deepEqual(await probe.account(userName('du-big')), { user });
      await assert.rejects(
        probe.account(userName('du-endless')),
        failsWith(/getpwnam_r failed .*"du-endless".*ERANGE/),
      );
    }));

  it('takes the errors of sources that know nobody as "not found", and tells all others', () =>
    withProbe(DUTEST, PATIENT_MS, async probe => {
      const { ENOENT, ESRCH, EBADF, EPERM, ECONNREFUSED, EHOSTDOWN } = errorNumbers();
      for (const errno of [ENOENT, ESRCH, EBADF, EPERM, ECONNREFUSED, EHOSTDOWN]) {
        assert.deepEqual(await probe.account(userName(`du-error-${errno}`)), {}, `errno ${errno}`);
      }
      await assert.rejects(
        probe.account(userName('du-error-110')),
        failsWith(/getpwnam_r .*ETIMEDOUT.*nsswitch\.conf/),
      );
      await assert.rejects(
        probe.evidence(uid(64104)),
        failsWith(/getpwuid_r failed when asked for UID 64104: .*\(EIO\)/),
      );
    }));

  it('gives up a source that hangs at the deadline, and answers others meanwhile', () =>
    withProbe(DUTEST, SHORT_MS, async probe => {
      await probe.account(userName('root'));
      let isOver = false;
      const hung = assert.rejects(
        probe.account(userName('du-hang')).finally(() => {
          isOver = true;
        }),
        failsWith(/^NSS did not answer within 1\.5 s when asked for the user "du-hang"; check .*nsswitch\.conf$/),
      );
      assert.deepEqual(await probe.account(userName('du-user')), { user: { uid: 64100, gid: 64101 } });
      assert.equal(isOver, false, 'the other question did not wait');
      await hung;
      await assert.rejects(probe.evidence(uid(64102)), failsWith(/within 1\.5 s when asked for UID 64102/));
      assert.deepEqual(await probe.account(userName('root')), { user: { uid: 0, gid: 0 }, group: { gid: 0 } });
    }));

  it('is well again after every helper has hung', () =>
    withProbe(DUTEST, SHORT_MS, async probe => {
      const names = ['du-hang', 'du-hang', 'du-hang', 'du-hang', 'du-hang', 'du-hang'];
      await Promise.all(names.map(name => assert.rejects(probe.account(userName(name)), failsWith(/within 1\.5 s/))));
      assert.equal((await probe.account(userName('root'))).user?.uid, 0);
    }));

  it('names the signal of a source that crashes, also where it leaves a child behind', () =>
    withProbe(DUTEST, PATIENT_MS, async probe => {
      await probe.account(userName('root'));
      const crashed = /^the helper process was ended by SIGSEGV when asked for .*; check .*nsswitch\.conf$/;
      await assert.rejects(probe.account(userName('du-crash')), failsWith(crashed));
      await assert.rejects(probe.evidence(uid(64103)), failsWith(crashed));
      await assert.rejects(probe.account(userName('du-orphan')), failsWith(crashed));
      await assert.rejects(probe.account(userName('du-exit')), failsWith(/exited with status 7/));
      assert.equal((await probe.account(userName('root'))).user?.uid, 0);
    }));

  it('does not take what a source prints for an answer', () =>
    withProbe(DUTEST, PATIENT_MS, async probe => {
      assert.deepEqual(await probe.account(userName('du-print')), { user: { uid: 64100, gid: 64101 } });
    }));

  it('sees a change of nsswitch.conf at the next question', () =>
    withProbe('passwd: files\ngroup: files\n', PATIENT_MS, async (probe, configuration) => {
      assert.deepEqual(await probe.account(userName('du-user')), {});
      writeFileSync(configuration, DUTEST);
      const answers = await Promise.all(Array.from({ length: 20 }, () => probe.account(userName('du-user'))));
      for (const answer of answers) {
        assert.deepEqual(answer, { user: { uid: 64100, gid: 64101 } });
      }
      writeFileSync(configuration, 'passwd: files dynuser [SUCCESS=return] dutest # dynuser\n');
      assert.equal((await probe.account(userName('du-user'))).user?.uid, 64100);
    }));

  it('refuses to guess where nsswitch.conf cannot be understood', () =>
    withProbe('passwd: files [NOTFOUND=perhaps]\n', PATIENT_MS, async (probe, configuration) => {
      await assert.rejects(probe.account(userName('root')), failsWith(/\/etc\/nsswitch\.conf failed .*EINVAL/));
      writeFileSync(configuration, DUTEST);
      assert.equal((await probe.account(userName('root'))).user?.uid, 0);
    }));

  it('knows nobody of a source whose module is not installed', () =>
    withProbe('passwd: files nosuchmodule\ngroup: nosuchmodule\n', PATIENT_MS, async probe => {
      assert.deepEqual(await probe.account(userName('root')), { user: { uid: 0, gid: 0 } });
      assert.deepEqual(await probe.account(userName('du-user')), {});
    }));
});

function errorNumbers() {
  return { EPERM: 1, ENOENT: 2, ESRCH: 3, EBADF: 9, ECONNREFUSED: 111, EHOSTDOWN: 112 };
}
