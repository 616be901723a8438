/**
 * The one error class of the house and its closed set of codes. api/error-map.ts turns each code into a wire error;
 * an expected answer ("not found", "taken") is a value and never one of these.
 */

export const ERROR_CODES = [
  'InvalidName',
  'NameConflict',
  'RangeExhausted',
  'NotPermitted',
  'NoSuchLease',
  'ProbeFailed',
  'DirectoryFailed',
  'LaunchFailed',
  'LimitReached',
  'InvalidConfiguration',
  'HostFailed',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

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
