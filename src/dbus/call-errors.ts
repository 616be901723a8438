/** How a call fails: the one map from errors to names on the bus, exhaustive, so that a new code cannot be forgotten. */
import { DynuserError, type ErrorCode } from '../core/errors.ts';
import { ALLOCATOR } from './interface.ts';
import { DRIVER } from './message.ts';

const ERROR_NAMES: Readonly<Record<ErrorCode, string>> = {
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

/** The errors of the specification that are used here. */
type StandardError = 'InvalidArgs' | 'UnknownObject' | 'UnknownInterface' | 'UnknownMethod';

/** A call that this room itself refuses. */
export class CallRefused extends Error {
  override readonly name = 'CallRefused';
  readonly errorName: string;

  constructor(errorName: string, reason: string) {
    super(reason);
    this.errorName = errorName;
  }
}

export function refuse(error: StandardError, reason: string): CallRefused {
  return new CallRefused(`${DRIVER}.Error.${error}`, reason);
}

/** @param error one of the interface's own, by the last part of its name */
export function refuseOwn(error: 'NoSuchDynamicUser' | ErrorCode, reason: string): CallRefused {
  const name = error === 'NoSuchDynamicUser' ? error : ERROR_NAMES[error];
  return new CallRefused(`${ALLOCATOR}.${name}`, reason);
}

/** @returns how the caller is told of an error; undefined for one that is a fault of the daemon */
export function toRefusal(error: unknown): CallRefused | undefined {
  if (error instanceof CallRefused) {
    return error;
  }
  return error instanceof DynuserError ? refuseOwn(error.code, error.message) : undefined;
}
