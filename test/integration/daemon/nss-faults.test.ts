import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { CHECKOUT } from '../../../src/tooling/checkout.ts';
import { errorOf, type Installed, replyOf, withInstalled } from '../../support/installed.ts';
import { buildNative, PLAIN } from '../../support/native.ts';
import { until } from '../../support/until.ts';

const ACQUIRE = 'io.dynuser.Allocator.Acquire';
const NSSWITCH = { passwd: 'files dutest dynuser', group: 'files dutest dynuser' };
const CONFIG = 'ProbeTimeoutSec=0.5\n';

const acquire = (unit: string) => [ACQUIRE, { unit, lifetime: 'explicit' }] as const;

/** Installs the NSS module of test/native/helper, which hangs, crashes or fails as the name that is asked says. */
async function installFaultyModule(host: Installed): Promise<void> {
  buildNative('helper-tests', PLAIN);
  const multiarch = execFileSync('gcc', ['-print-multiarch'], { encoding: 'utf8' }).trim();
  const library = `${CHECKOUT}dist/native/test/helper/libnss_dutest.so.2`;
  await host.machine.output(['cp', library, `/usr/lib/${multiarch}/`]);
}

function assertProbeFailed(host: Awaited<ReturnType<Installed['calls']>>[number] | undefined, words: RegExp): void {
  const { error, parameters } = errorOf(host);
  assert.equal(error, 'io.dynuser.Allocator.ProbeFailed');
  assert.match(String(parameters['reason']), words);
}

test('an NSS module that hangs, crashes, ends the process or fails costs one request, with a clear word', async () => {
  await withInstalled({ nsswitch: NSSWITCH, config: CONFIG }, async host => {
    await installFaultyModule(host);
    await host.startDaemon();
    const [hung, crashed, exited, failed, fine] = await host.calls([
      acquire('du-hang.service'),
      acquire('du-crash.service'),
      acquire('du-exit.service'),
      acquire('du-error-5.service'),
      acquire('fine.service'),
    ]);
    assertProbeFailed(hung, /did not answer within 0\.5 s when asked for the user "du-hang".*nsswitch\.conf/);
    assertProbeFailed(crashed, /SIGSEGV.*"du-crash"/);
    assertProbeFailed(exited, /"du-exit"/);
    assertProbeFailed(failed, /EIO/);
    assert.equal(replyOf(fine)['userName'], 'fine');
    assert.deepEqual((await host.traces()).length, 4, 'one user: two links, a lease file, a lock file');
  });
});

test('while one request hangs, lookups, lists and other requests are answered', async () => {
  await withInstalled({ nsswitch: NSSWITCH, config: 'ProbeTimeoutSec=60\n' }, async host => {
    await installFaultyModule(host);
    await host.startDaemon();
    let hanging = true;
    const hung = host.calls([acquire('du-hang.service')]).finally(() => {
      hanging = false;
    });
    const [other, list] = await host.calls([acquire('other.service'), ['io.dynuser.Allocator.List', {}]]);
    const id = await host.machine.output(['id', 'other']);
    assert.ok(hanging, 'the request for the hanging name is still under way');
    assert.match(id, new RegExp(`^uid=${replyOf(other)['uid']}\\(other\\)`));
    assert.equal((replyOf(list)['leases'] as unknown[]).length, 1);
    // The deadline is longer than a busy machine takes for all of this; the test need not wait for it.
    // ProbeTimeoutSec= is longer than a busy machine takes for all of this; the test does not wait for it.
    await until('a helper hangs', async () => (await host.machine.run(['pkill', '-KILL', 'du-hang'])).status === 0);
    assertProbeFailed((await hung)[0], /SIGKILL/);
  });
});
