/** What the reader of a property is: it takes a value, and changes the draft. Shared parts of such readers. */
import { bound, type Fail } from '../errors.ts';
import { LIST_MAX } from '../limits.ts';
import { splitWords } from '../syntax/words.ts';
import type { Draft } from './parsed-properties.ts';

export interface PropertyContext {
  readonly fail: Fail;
  /** the field of an error about the property */
  readonly field: string;
  /** @returns the text with its specifiers replaced, each value made to stand for itself by 'quote' */
  readonly expand: (text: string, quote?: (value: string) => string) => string;
}

/** @param value without white space at its ends; empty resets */
export type PropertyReader = (draft: Draft, value: string, context: PropertyContext) => void;

/** The names of the draft's values of a type. */
export type KeysOf<T> = { [Key in keyof Draft]: Draft[Key] extends T ? Key : never }[keyof Draft];

/** A single value: empty takes it back, the last one holds. */
export function single<Key extends keyof Draft>(
  key: Key,
  read: (value: string, context: PropertyContext) => Draft[Key],
): PropertyReader {
  return (draft, value, context) => {
    draft[key] = value === '' ? (undefined as Draft[Key]) : read(value, context);
  };
}

/** A list: empty empties it, other values add to it. */
export function list<T>(
  of: (draft: Draft) => T[],
  read: (value: string, context: PropertyContext) => T[],
): PropertyReader {
  return (draft, value, context) => {
    const entries = of(draft);
    if (value === '') {
      entries.length = 0;
      return;
    }
    for (const entry of read(value, context)) {
      entries.push(entry);
    }
    bound(entries.length, LIST_MAX, 'entries in its list', context.field);
  };
}

/** @returns the words of a value, in which quotes are taken away and a backslash makes the next character itself */
export function plainWords(value: string, { fail, field }: PropertyContext): string[] {
  const words = splitWords(value, 'plain', fail, LIST_MAX);
  bound(words.length, LIST_MAX, 'entries in its list', field);
  return words;
}
