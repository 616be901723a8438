/**
 * What calls of this package reject with: one class, with the error codes of io.dynuser.Allocator and some for what can go wrong on the way to
 * the daemon.
 */
import { ERRORS, type WireErrorCode } from '../core/wire-names.ts';
import { ConnectionError, ReplyMismatch, VarlinkError } from '../varlink/errors.ts';
import { ownValue } from '../varlink/json.ts';

/**
 * InvalidParameter: the daemon does not take a parameter, which `field` names.
 * ConnectionFailed: there is no connection, or it was lost before the answer; whether the call was done is not known.
 * Timeout: the answer did not come in time.
 * LeaseLost: the daemon came back, or the connection did, and the lease was no longer the caller's.
 * Closed: the client was closed.
 * UnexpectedReply: the other side is not a dynuserd, or one that this version of the package does not understand.
 */
type ClientCode = 'InvalidParameter' | 'ConnectionFailed' | 'Timeout' | 'LeaseLost' | 'Closed' | 'UnexpectedReply';

export type DynuserErrorCode = WireErrorCode | ClientCode;

interface DynuserErrorDetail {
  readonly field?: string | undefined;
  readonly held?: number | undefined;
  readonly cause?: unknown;
}

export class DynuserError extends Error {
  override readonly name = 'DynuserError';
  readonly code: DynuserErrorCode;
  /** what is wrong and what to do, in words a person can act on */
  readonly reason: string;
  /** the parameter that the error is about, if it is about one */
  readonly field: string | undefined;
  /** RangeExhausted: how many UIDs of the range the daemon holds */
  readonly held: number | undefined;

  constructor(code: DynuserErrorCode, reason: string, detail: DynuserErrorDetail = {}) {
    super(`${code}: ${reason}`, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.code = code;
    this.reason = reason;
    this.field = detail.field;
    this.held = detail.held;
  }
}

const ALLOCATOR = 'io.dynuser.Allocator.';

/** @returns the error of this package for one of the varlink library; any other as it is */
export function toDynuserError(error: unknown): unknown {
  if (error instanceof ReplyMismatch) {
    return new DynuserError('UnexpectedReply', error.message, { cause: error });
  }
  if (error instanceof ConnectionError) {
    return new DynuserError('ConnectionFailed', error.message, { cause: error });
  }
  return error instanceof VarlinkError ? fromReply(error) : error;
}

function fromReply(cause: VarlinkError): DynuserError {
  const { error, parameters } = cause;
  const text = (key: string): string | undefined => {
    const value = ownValue(parameters, key);
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const code = error.startsWith(ALLOCATOR) ? error.slice(ALLOCATOR.length) : '';
  if (isErrorCode(code)) {
    const given = ownValue(parameters, 'held');
    const held = typeof given === 'number' ? given : undefined;
    return new DynuserError(code, text('reason') ?? 'the daemon gave no reason', { field: text('field'), held, cause });
  }
  const parameter = text('parameter');
  if (error === 'org.varlink.service.InvalidParameter' && parameter !== undefined) {
    const reason = `the daemon does not take the parameter ${parameter}, or not with this value`;
    return new DynuserError('InvalidParameter', reason, { field: parameter, cause });
  }
  return new DynuserError('UnexpectedReply', `the daemon answered ${error}: is it older than this package?`, { cause });
}

function isErrorCode(name: string): name is WireErrorCode {
  return Object.hasOwn(ERRORS, name);
}
