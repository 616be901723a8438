/** How a system error becomes a DynuserError: something that ran out and may pass, or a fault of the host. */
import { DynuserError, reasonOf } from '../core/errors.ts';

const EXHAUSTED: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'ENOSPC', 'EDQUOT', 'ENOLCK']);

/** What to do about the trouble that a host has as a whole. */
const REMEDIES: ReadonlyMap<string, string> = new Map([
  ['EMFILE', 'raise LimitNOFILE= of dynuserd, or release users'],
  ['ENFILE', 'raise fs.file-max of the host'],
  ['ENOSPC', 'free some space there'],
  ['EDQUOT', 'free some space there'],
  ['EROFS', 'make that file system writable'],
]);

/** @returns the code of a system error, such as 'ENOENT', or undefined if the value is not a system error */
export function systemErrorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/**
 * @param what what was tried, with the path: "cannot open /run/x"
 * @returns LimitReached if a resource ran out, else HostFailed, with the system's own words
 */
export function hostError(error: unknown, what: string): DynuserError {
  const code = systemErrorCode(error);
  const remedy = code === undefined ? undefined : REMEDIES.get(code);
  const words = reasonOf(error) + (remedy === undefined ? '' : `; ${remedy}`);
  return new DynuserError(
    code !== undefined && EXHAUSTED.has(code) ? 'LimitReached' : 'HostFailed',
    `${what}: ${words}`,
    {},
    error,
  );
}

/** Does something with the host. @param what what is tried @throws DynuserError what hostError() makes of a failure */
export function attempt<Result>(what: string, action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    throw hostError(error, what);
  }
}
