/** Runs the C tests of the helper's parts. */
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { BUILD, buildNative } from '../../support/native.ts';

const PROGRAMS = [
  'parts_test',
  'search_test',
  'known_threads_test',
  'process_walk_test',
  'end_processes_test',
  'ipc_removal_test',
  'ipc_gifts_test',
];

describe(`the parts of dynuser-helper (${BUILD.name})`, () => {
  buildNative('helper-tests', BUILD);
  for (const program of PROGRAMS) {
    it(program, () => {
      execFileSync(`${BUILD.programs}/helper/${program}`, { stdio: ['ignore', 'ignore', 'inherit'] });
    });
  }
});
