/** The refusals of requests for which there is no room. */
import { DynuserError } from '../core/errors.ts';
import { rangeSize, type UidRange } from '../core/range.ts';

export function rangeExhausted(range: UidRange, held: number): DynuserError {
  const size = rangeSize(range);
  const others = held < size ? ' and the rest is used by others' : '';
  const reason =
    `no UID of ${range.first}-${range.last} is free: ${held} of ${size} are held here${others}; ` +
    'release users that are not needed, or widen UidRange=';
  return new DynuserError('RangeExhausted', reason, { held });
}

export function limitReached(reason: string): DynuserError {
  return new DynuserError('LimitReached', reason, { field: 'lease' });
}
