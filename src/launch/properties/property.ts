/** What the reader of a property is: it takes a value, and changes the parsed properties. Shared parts of such readers. */
import { checkLimit, type Fail } from '../errors.ts';
import { LIST_MAX } from '../limits.ts';
import { splitWords } from '../syntax/words.ts';
import type { ParsedProperties } from './parsed-properties.ts';

export interface PropertyContext {
  readonly fail: Fail;
  /** the field of an error about the property */
  readonly field: string;
  /** @returns the text with its specifiers replaced, each value made to stand for itself by 'quote' */
  readonly expand: (text: string, quote?: (value: string) => string) => string;
}

/** @param value without white space at its ends; empty resets */
export type PropertyReader = (parsed: ParsedProperties, value: string, context: PropertyContext) => void;

/** The names of the parsed values of a type. */
export type KeysOf<T> = {
  [Key in keyof ParsedProperties]: ParsedProperties[Key] extends T ? Key : never;
}[keyof ParsedProperties];

/** A single value: empty takes it back, the last one holds. */
export function single<Key extends keyof ParsedProperties>(
  key: Key,
  read: (value: string, context: PropertyContext) => ParsedProperties[Key],
): PropertyReader {
  return (parsed, value, context) => {
    parsed[key] = value === '' ? (undefined as ParsedProperties[Key]) : read(value, context);
  };
}

/** A list: empty empties it, other values add to it. */
export function list<T>(
  of: (parsed: ParsedProperties) => T[],
  read: (value: string, context: PropertyContext) => T[],
): PropertyReader {
  return (parsed, value, context) => {
    const entries = of(parsed);
    if (value === '') {
      entries.length = 0;
      return;
    }
    for (const entry of read(value, context)) {
      entries.push(entry);
    }
    checkLimit(entries.length, LIST_MAX, 'entries in its list', context.field);
  };
}

/** @returns the words of a value, in which quotes are taken away and a backslash makes the next character itself */
export function plainWords(value: string, { fail, field }: PropertyContext): string[] {
  const words = splitWords(value, 'plain', fail, LIST_MAX);
  checkLimit(words.length, LIST_MAX, 'entries in its list', field);
  return words;
}
