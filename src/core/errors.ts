/**
 * The error class and its codes. Callers are told those of the interface definition, from which wire-names.ts is
 * generated; an expected answer ("not found", "taken") is a value and never one of these.
 */
import { ERRORS, type WireErrorCode } from './wire-names.ts';

/** The log alone tells HostFailed from ProbeFailed: callers can do the same about both, repair the host and ask again. */
export type ErrorCode = WireErrorCode | 'HostFailed';

/** @returns the code that callers are told */
export function wireCodeOf(code: ErrorCode): WireErrorCode {
  return code === 'HostFailed' ? 'ProbeFailed' : code;
}

/** What a person needs to act on an error: which input, and numbers that belong to it. */
export interface ErrorDetail {
  /** the parameter, option or resource that the error is about, by the name its user knows */
  readonly field?: string;
  /** RangeExhausted: how many UIDs of the range are held */
  readonly held?: number;
}

export class DynuserError extends Error {
  override readonly name = 'DynuserError';
  readonly code: ErrorCode;
  readonly detail: ErrorDetail;

  /** @param reason what is wrong and what to do, in words a person can act on */
  constructor(code: ErrorCode, reason: string, detail: ErrorDetail = {}, cause?: unknown) {
    super(reason, cause === undefined ? undefined : { cause });
    this.code = code;
    this.detail = detail;
  }
}

/** @returns what was thrown, in its own words */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** @returns what failed first, if what was held by scope could not be let go of after it (SuppressedError) */
export function firstFailure(error: unknown): unknown {
  let first = error;
  while (first instanceof Error && first.name === 'SuppressedError' && 'suppressed' in first) {
    first = first.suppressed;
  }
  return first;
}

/** @returns the parameters of the error reply, as the interface declares them for the error's code */
export function errorParameters({ code, message, detail }: DynuserError): Record<string, string | number> {
  const values = { field: detail.field ?? '', held: detail.held ?? 0, reason: message };
  return Object.fromEntries(ERRORS[wireCodeOf(code)].map(name => [name, values[name]]));
}
