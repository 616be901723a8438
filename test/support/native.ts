/**
 * What of the C is tried, and how its tests are built: plain, or in `npm run test:sanitized` with AddressSanitizer and
 * UndefinedBehaviorSanitizer. Test files run at the same time, hence the lock around a build.
 */
import { execFileSync } from 'node:child_process';
import { CHECKOUT } from '../../src/tooling/checkout.ts';

const LOCK = `${CHECKOUT}dist/.native-tests.lock`;
/** A build may have to wait for those of other test files. */
const BUILD_DEADLINE_MS = 280_000;
/** Set by `npm run test:sanitized`. */
const SANITIZED_VARIABLE = 'DYNUSER_TEST_SANITIZED';

export interface Build {
  readonly name: 'plain' | 'sanitized';
  /** the directory of what is shipped, without a slash at the end */
  readonly lib: string;
  /** the directory of the test programs, without a slash at the end */
  readonly programs: string;
}

export const PLAIN: Build = { name: 'plain', lib: `${CHECKOUT}dist/lib`, programs: `${CHECKOUT}dist/native/test` };
export const SANITIZED: Build = {
  name: 'sanitized',
  lib: `${CHECKOUT}dist/native-sanitized`,
  programs: `${CHECKOUT}dist/native-sanitized/test`,
};
/** The build that this run of the tests is about. */
export const BUILD: Build = process.env[SANITIZED_VARIABLE] === '1' ? SANITIZED : PLAIN;

/**
 * Brings a build up to date.
 *
 * @param target of native/Makefile, such as helper-tests
 * @throws Error with what make said
 */
export function buildNative(target: string, build: Build): void {
  const make = ['make', '-s', '-C', `${CHECKOUT}native`, target, `SANITIZE=${build.name === 'sanitized' ? 1 : 0}`];
  execFileSync('flock', [LOCK, ...make], { timeout: BUILD_DEADLINE_MS, stdio: ['ignore', 'ignore', 'pipe'] });
}
