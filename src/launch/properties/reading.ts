/** How a value is read, and what happens to a bad one: the same as with systemd, in a unit file and on the command line. */
import { type Fail, failFor } from '../errors.ts';
import type { Specifiers } from '../syntax/specifiers.ts';
import { type Assignment, fieldOf } from '../syntax/unit-file.ts';
import type { ValueContext } from '../syntax/values.ts';

/** Ends the reading of a value or an entry that is ignored with a warning. */
class Bad extends Error {}

/**
 * Reads the value of an assignment.
 * @param refuses whether systemd does not start a unit with a bad value, instead of ignoring the value
 * @param warn gets what fell out, and why
 * @returns undefined if the value as a whole fell out
 * @throws DynuserError LaunchFailed, LimitReached
 */
export function readValue<Value>(
  assignment: Assignment,
  refuses: boolean,
  specifiers: Specifiers,
  warn: (text: string) => void,
  read: (context: ValueContext) => Value,
): { readonly value: Value } | undefined {
  const field = fieldOf(assignment);
  const isInFile = assignment.origin !== undefined;
  const contextWith = (fail: Fail): Omit<ValueContext, 'strict'> => {
    // systemd-run expands none, so people write "%" on command lines as it is; in a unit file it is a mistake.
    const unknown = (specifier: string): void => {
      if (isInFile) {
        fail(`unknown specifier ${specifier}; write a percent sign as %%`);
      }
    };
    return {
      fail,
      field,
      expand: (text, protect) => specifiers.expand(text, { fail, field, unknown }, protect),
      entry: readEntry => unlessBad(readEntry, reason => warn(`${field}=: an entry is ignored: ${reason}`)),
    };
  };
  const strict: ValueContext = {
    ...contextWith(failFor(field)),
    get strict() {
      return strict;
    },
  };
  const context = isInFile && !refuses ? { ...contextWith(fallOut), strict } : strict;
  return unlessBad(
    () => ({ value: read(context) }),
    reason => warn(`${field}= is ignored: ${reason}`),
  );
}

function fallOut(reason: string): never {
  throw new Bad(reason);
}

function unlessBad<Value>(read: () => Value, tell: (reason: string) => void): Value | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Bad)) {
      throw error;
    }
    tell(error.message);
    return undefined;
  }
}
