/** How what goes wrong with a directory is told: one DirectoryFailed, with the call, the path and the parameter. */
import { DynuserError, reasonOf } from '../core/errors.ts';
import { errnoWords } from '../files/errno.ts';

/** @param field the parameter of the request that named the directory */
export function directoryFailed(field: string, reason: string, cause?: unknown): DynuserError {
  return new DynuserError('DirectoryFailed', reason, { field }, cause);
}

/** @returns the system's words for an error of node:fs, without the paths below /proc that it adds */
export function systemWords(error: unknown): string {
  if (error instanceof Error && 'errno' in error && typeof error.errno === 'number') {
    return errnoWords(-error.errno);
  }
  return reasonOf(error);
}
