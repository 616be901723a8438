/** A kernel, or a filter around the launcher, that says yes and does nothing: each drop of privilege is looked at afterwards. */
// time limit: 120 s
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { PREPARATION, STARTS } from '../support/launches/starts.ts';
import { TracedLaunches, testimony } from '../support/launches/traced.ts';

/** Calls by which privileges go, and what is said where they only seem to. */
const DROPS: readonly (readonly [call: RegExp, words: RegExp])[] = [
  [/^setgroups\(/, /did not set the supplementary groups/],
  [/^setresgid\(/, /did not make this process one of group/],
  [/^setresuid\(/, /did not make this process one of user/],
  [/^capset\(/, /did not set the capabilities/],
  [/^seccomp\(/, /did not install the seccomp filter/],
  [/^setuid\(0\)/, /could become root again/],
  [/^setns\(.*CLONE_NEWUSER\)/, /did not put this process into the user namespace/],
  [/^prctl\(PR_SET_NO_NEW_PRIVS,/, /did not forbid new privileges/],
  [/^prctl\(PR_SET_SECUREBITS,/, /did not reset the securebits/],
  [/^prctl\(PR_SET_KEEPCAPS, 1/, /cannot set the capabilities/],
  [/^prctl\(PR_CAPBSET_DROP,/, /did not take capability \d+ from the bounding set/],
  [/^prctl\(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE,/, /did not set the ambient capabilities/],
];

let launches: TracedLaunches;
before(async () => {
  launches = await TracedLaunches.boot(PREPARATION);
});
after(() => launches.stop());

it('a drop of privilege that did not happen ends the start', async () => {
  const proved = new Set<RegExp>();
  for (const { argv } of STARTS) {
    const normal = testimony((await launches.run(argv)).stdout);
    const calls = await launches.record(argv);
    for (const [pattern, words] of DROPS) {
      const call = calls.find(({ line }) => pattern.test(line));
      if (call !== undefined) {
        const { status, stdout, stderr } = await launches.tamper(argv, call, 'retval=0');
        assert.deepEqual(await launches.remains(), [], call.line);
        if (status === 0) {
          // What it asked for was so already.
          assert.deepEqual(testimony(stdout), normal, call.line);
          continue;
        }
        assert.deepEqual([status, stdout], [125, ''], call.line);
        assert.match(stderr, words);
        proved.add(pattern);
      }
    }
  }
  assert.deepEqual(
    DROPS.map(([pattern]) => pattern).filter(pattern => !proved.has(pattern)),
    [],
    'believed in each start',
  );
});
