/** Builds what of the C tests is out of date. Test files run at the same time, hence the lock. */
import { execFileSync } from 'node:child_process';
import { CHECKOUT } from '../../src/tooling/checkout.ts';

const LOCK = `${CHECKOUT}dist/.native-tests.lock`;
/** A build may have to wait for those of other test files. */
const BUILD_DEADLINE_MS = 280_000;

/**
 * @param target of native/Makefile, such as helper-tests
 * @param sanitize with AddressSanitizer and UndefinedBehaviorSanitizer
 * @throws Error with what make said
 */
export function buildNative(target: string, { sanitize }: { readonly sanitize: boolean }): void {
  const make = ['make', '-s', '-C', `${CHECKOUT}native`, target, `SANITIZE=${sanitize ? 1 : 0}`];
  execFileSync('flock', [LOCK, ...make], { timeout: BUILD_DEADLINE_MS, stdio: ['ignore', 'ignore', 'pipe'] });
}
