/** Errors of the daemon as error replies of io.dynuser.Allocator. */
import { DynuserError, errorParameters, wireCodeOf } from '../core/errors.ts';
import { VarlinkError } from '../varlink/errors.ts';

const ALLOCATOR = 'io.dynuser.Allocator';

/** @returns the error reply for a DynuserError; anything else as it is, for the server to report */
export function toWireError(error: unknown): unknown {
  return error instanceof DynuserError
    ? new VarlinkError(`${ALLOCATOR}.${wireCodeOf(error.code)}`, errorParameters(error))
    : error;
}
