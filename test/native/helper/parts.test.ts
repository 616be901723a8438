/** Runs the C tests of the helper's parts, plain and with sanitizers. */
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { CHECKOUT } from '../../../src/tooling/checkout.ts';
import { buildNative } from '../../support/native.ts';

const BUILDS = [
  ['plain', false, 'dist/native'],
  ['sanitized', true, 'dist/native-sanitized'],
] as const;
const PROGRAMS = [
  'parts_test',
  'search_test',
  'known_threads_test',
  'process_walk_test',
  'end_processes_test',
  'ipc_removal_test',
  'ipc_gifts_test',
];

describe('the parts of dynuser-helper', () => {
  for (const [name, sanitize, output] of BUILDS) {
    it(name, () => {
      buildNative('helper-tests', { sanitize });
      for (const program of PROGRAMS) {
        execFileSync(`${CHECKOUT}${output}/test/helper/${program}`, { stdio: ['ignore', 'ignore', 'inherit'] });
      }
    });
  }
});
