/** Lists of system calls, as SystemCallFilter= and SystemCallLog= have them: of assignments that add to each other and take away. Pure. */
import { defined } from '../defined.ts';
import { quote } from '../errors.ts';
import { callsOfGroup, isCall, isGroup } from '../filter/abi.ts';
import { errnoOf } from '../filter/errno-names.ts';
import type { ValueContext } from '../syntax/values.ts';
import { entriesOf, type Reader } from './property.ts';

/** What becomes of a call: it fails with an errno, or ends the process. */
export type CallError = number | 'kill';

/** What an assignment says about a call, or about all calls of a group. */
interface CallWord {
  readonly name: string;
  /** "~" was before the list */
  readonly isDenied: boolean;
  readonly error?: CallError;
}

/** As short as it was written: what its groups have is looked up by callsOf() when a filter is made of it, which is kept. */
export interface CallList {
  /** the list has what is allowed (or logged); otherwise what is not */
  readonly isOfAllowed: boolean;
  /** each name once; later ones hold over earlier ones */
  readonly words: readonly CallWord[];
}

/** What every program needs to come up, which is part of every list of what is allowed. */
export const DEFAULT_CALLS = '@default';

interface Options {
  /** what a list of allowed calls begins with */
  readonly initial: readonly string[];
  /** ":ERRNO" may follow a name after "~" */
  readonly hasErrors: boolean;
}

/** The first assignment says whether the list allows or denies calls; in later ones "~" takes from a list that allows, or adds to one that denies. */
export function callListReader({ initial, hasErrors }: Options): Reader<CallList | undefined> {
  return (text, previous, context) => {
    if (text === '') {
      return undefined;
    }
    const isDenied = text.startsWith('~');
    const { isOfAllowed, words } = previous ?? {
      isOfAllowed: !isDenied,
      words: isDenied ? [] : initial.map(name => ({ name, isDenied })),
    };
    const named = entriesOf(isDenied ? text.slice(1) : text, 'plain', context, word => word);
    // A word that is repeated says the same again.
    const read = [...new Set(named)].flatMap(
      word => context.entry(() => [readEntry(word, isDenied, hasErrors, context)]) ?? [],
    );
    // A later word replaces an earlier one of the same name, so there are never more words than names.
    const again = new Set(read.map(({ name }) => name));
    return { isOfAllowed, words: [...words.filter(({ name }) => !again.has(name)), ...read] };
  };
}

/** @returns the names of the calls in a list, with the errors of those that have a separate one */
export function callsOf({ isOfAllowed, words }: CallList): ReadonlyMap<string, CallError | undefined> {
  const calls = new Map<string, CallError | undefined>();
  for (const { name, isDenied, error } of words) {
    for (const call of callsOfGroup(name) ?? [name]) {
      if (isDenied !== isOfAllowed || error !== undefined) {
        calls.set(call, error);
      } else {
        calls.delete(call);
      }
    }
  }
  return calls;
}

function readEntry(word: string, isDenied: boolean, hasErrors: boolean, { fail }: ValueContext): CallWord {
  const colon = word.indexOf(':');
  const name = colon < 0 ? word : word.slice(0, colon);
  if (colon >= 0 && !(isDenied && hasErrors)) {
    fail(`only calls that are denied can have an error: ${quote(word)}; leave it out`);
  }
  const error = colon < 0 ? undefined : readCallError(word.slice(colon + 1), fail);
  if (!(name.startsWith('@') ? isGroup(name) : isCall(name))) {
    fail(`not a system call or a group of them: ${quote(name)}; leave it out`);
  }
  return defined({ name, isDenied, error });
}

/** @param text "kill", or the name or number of an error */
export function readCallError(text: string, fail: ValueContext['fail']): CallError {
  return text === 'kill'
    ? text
    : (errnoOf(text) ?? fail(`not an error: ${quote(text)}; use a name of errno(3), or kill`));
}
