/** Errors of a launch: `<what>: <problem>; <what to do>`. Readers of values get a Fail, and say only the problem. */
import { DynuserError } from '../core/errors.ts';
import { quote as quoteUpTo } from '../core/name.ts';
import { SHOWN_MAX } from './limits.ts';

/** Ends the reading of a value. @throws DynuserError LaunchFailed that names the property and where it is from */
export type Fail = (reason: string) => never;

/** @param field the property, option or file that the reason is about */
export function failFor(field: string): Fail {
  return reason => {
    throw new DynuserError('LaunchFailed', reason, { field });
  };
}

/** @throws DynuserError LimitReached if count is more than most */
export function checkLimit(count: number, most: number, what: string, field: string): void {
  if (count > most) {
    throw new DynuserError('LimitReached', `too many ${what}; use at most ${most}`, { field });
  }
}

/** Quotes text from outside, cut to SHOWN_MAX characters. */
export function quote(text: string): string {
  return quoteUpTo(text, SHOWN_MAX);
}
