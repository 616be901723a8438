/** Runs the C tests of the launcher's parts. */
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { BUILD, buildNative } from '../../support/native.ts';

const PROGRAMS = [
  'environment_test',
  'seccomp_filter_test',
  'json_write_test',
  'options_test',
  'plan_fuzz_test',
  'plan_test',
  'pattern_test',
  'questions_test',
  'launch_reply_test',
  'resolve_test',
  'streams_test',
];
/** The fuzzing takes some seconds. */
const RUN_DEADLINE_MS = 120_000;

describe(`the parts of dynuser-run (${BUILD.name})`, () => {
  buildNative('run-tests', BUILD);
  for (const program of PROGRAMS) {
    it(program, () => {
      execFileSync(`${BUILD.programs}/run/${program}`, {
        stdio: ['ignore', 'ignore', 'inherit'],
        timeout: RUN_DEADLINE_MS,
        // What the launcher holds until execve(2) is nothing that it lost.
        env: { ...process.env, ASAN_OPTIONS: 'detect_leaks=0' },
      });
    });
  }
});
