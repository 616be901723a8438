/** The one map from the house's errors to the wire's: exhaustive, so that a new code cannot be forgotten. */
import { DynuserError, type ErrorCode } from '../core/errors.ts';
import { VarlinkError } from '../varlink/errors.ts';
import type { JsonObject } from '../varlink/json.ts';

const ALLOCATOR = 'io.dynuser.Allocator';

const WIRE_NAMES: Readonly<Record<ErrorCode, string>> = {
  InvalidName: 'InvalidName',
  NameConflict: 'NameConflict',
  RangeExhausted: 'RangeExhausted',
  NotPermitted: 'NotPermitted',
  NoSuchLease: 'NoSuchLease',
  ProbeFailed: 'ProbeFailed',
  DirectoryFailed: 'DirectoryFailed',
  LaunchFailed: 'LaunchFailed',
  LimitReached: 'LimitReached',
  // A caller can do the same about both: mend the host and ask again.
  HostFailed: 'ProbeFailed',
  InvalidConfiguration: 'ProbeFailed',
};

/** @returns the name of an error on the wire, without that of the interface */
export function wireNameOf({ code }: DynuserError): string {
  return WIRE_NAMES[code];
}

/** @returns the wire's form of an error of the house; anything else as it is, for the server to report */
export function toWireError(error: unknown): unknown {
  if (!(error instanceof DynuserError)) {
    return error;
  }
  const { held, field = '' } = error.detail;
  const reason = error.message;
  const parameters: JsonObject = error.code === 'RangeExhausted' ? { held: held ?? 0, reason } : { field, reason };
  return new VarlinkError(`${ALLOCATOR}.${wireNameOf(error)}`, parameters);
}
