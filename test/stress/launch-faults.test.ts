/**
 * Every system call of a start fails once. Either the launcher says so and nothing is left, or the program runs exactly as it
 * does without the fault: it never runs with more than was planned.
 */
// time limit: 600 s
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { PREPARATION, STARTS } from '../support/launches/starts.ts';
import { type TracedCall, TracedLaunches, testimony } from '../support/launches/traced.ts';

/** Calls whose failure would say nothing. */
const NEVER_FAIL = new Set([
  // Linux has released the descriptor all the same (close(2), NOTES), and strace did not: execve(2) closes it.
  'close',
  // It always succeeds (umask(2)).
  'umask',
  // The kernel's brk(2) answers with an address in any case (brk(2), NOTES).
  'brk',
  // The C library's own, around fork(2).
  'rt_sigprocmask',
  'set_robust_list',
  'exit_group',
]);
/** What getent(1) prints. The launcher's own first line would fail with it. */
const PRINTED = /^write\(1, /;

/** Of many calls in a row that differ in a number alone, the first and the last stand for all. */
function representatives(calls: readonly TracedCall[]): TracedCall[] {
  const kind = (call: TracedCall | undefined): string => `${call?.name} ${call?.line.replace(/,.*/, '')}`;
  return calls.filter(
    (call, index) =>
      !NEVER_FAIL.has(call.name) &&
      !PRINTED.test(call.line) &&
      (kind(call) !== kind(calls[index - 1]) || kind(call) !== kind(calls[index + 1]) || call.name !== 'prctl'),
  );
}

/** A device that cannot be made is the host's, mounted: the same device, for everybody's use. */
const MOUNTED_DEVICE = /^\S+ \/dev\/(?:null|zero|full|random|urandom|tty) rw,nosuid\S* - devtmpfs /;

function worldOf(lines: readonly string[], call: TracedCall): string[] {
  return lines.filter(line => call.name !== 'mknodat' || !MOUNTED_DEVICE.test(line));
}

describe('a start in which one system call fails', () => {
  let launches: TracedLaunches;
  before(async () => {
    launches = await TracedLaunches.boot(PREPARATION);
  });
  after(() => launches.stop());

  for (const { name: start, argv } of STARTS) {
    it(`${start}: is refused in words and leaves nothing, or is as without the fault`, async () => {
      const undisturbed = await launches.run(argv);
      assert.deepEqual(
        [undisturbed.status, undisturbed.stderr.replace(/^.* not applied \(cannot mount\): .*\n/gm, '')],
        [0, ''],
      );
      const normal = testimony(undisturbed.stdout);
      assert.ok(normal.length > 10);
      const refused = new Set<string>();
      const faults = representatives(await launches.record(argv)).flatMap(call =>
        // A socket that is closed to the launcher is followed by the public one; with another error there is no second try.
        (call.name === 'connect' ? ['EPERM', 'ENOMEM'] : ['EPERM']).map(error => ({ call, error })),
      );
      for (const { call, error } of faults) {
        const { status, stdout, stderr } = await launches.tamper(argv, call, `error=${error}`);
        if (status === 0) {
          assert.deepEqual(worldOf(testimony(stdout), call), normal, `another world without ${call.line}`);
        } else {
          assert.equal(stdout, '', call.line);
          // The status of a command before the service is its own; the fault may have met its loader.
          const before = /which runs before the service, (?:failed|was ended)/.test(stderr);
          assert.ok(before || (status >= 125 && status <= 127), `${status}: ${call.line}`);
          assert.match(stderr, /^dynuser-run: .+\n$/m, call.line);
          refused.add(call.name);
        }
        assert.deepEqual(await launches.remains(), [], call.line);
      }
      for (const name of ['connect', 'sendto', 'setgroups', 'setresuid', 'seccomp', 'execve']) {
        assert.ok(refused.has(name), `${name} was not tried`);
      }
    });
  }
});
