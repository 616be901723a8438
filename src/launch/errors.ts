/** How values are complained about: each reader gets these, and says only what is wrong. */
import { DynuserError } from '../core/errors.ts';
import { SHOWN_MAX } from './limits.ts';

/** Ends the reading of a value. @throws DynuserError LaunchFailed that names the property and where it is from */
export type Fail = (reason: string) => never;

/** @param field the property, option or file that the reason is about */
export function failing(field: string): Fail {
  return reason => {
    throw new DynuserError('LaunchFailed', reason, { field });
  };
}

/** @throws DynuserError LimitReached where there are more than may be */
export function bound(count: number, most: number, what: string, field: string): void {
  if (count > most) {
    throw new DynuserError('LimitReached', `there may be ${most} ${what} at most`, { field });
  }
}

/** Quotes what came from outside: control characters escaped, and cut to a length that fits into a message. */
export function show(text: string): string {
  return JSON.stringify(text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text);
}
