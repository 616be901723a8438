/** How a call fails on the bus. */
import { DynuserError, type ErrorCode, wireCodeOf } from '../core/errors.ts';
import { ALLOCATOR } from './interface.ts';
import { DRIVER } from './message.ts';

/** The errors of the specification that are used here. */
type StandardError = 'InvalidArgs' | 'UnknownObject' | 'UnknownInterface' | 'UnknownMethod';

/** A call that is refused here, before it gets to the port. */
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
  const name = error === 'NoSuchDynamicUser' ? error : wireCodeOf(error);
  return new CallRefused(`${ALLOCATOR}.${name}`, reason);
}

/** @returns how the caller is told of an error; undefined for one that is a fault of the daemon */
export function toRefusal(error: unknown): CallRefused | undefined {
  if (error instanceof CallRefused) {
    return error;
  }
  return error instanceof DynuserError ? refuseOwn(error.code, error.message) : undefined;
}
