/**
 * What a row of the table of properties is. All that dynuser-run knows of a property is in its row: its reader, its
 * default, what DynamicUser= makes of it, what it needs and what is lost without that, and what it plans.
 */
import type { LaunchPlan } from '../../api/generated/io-dynuser-allocator.ts';
import { checkLimit } from '../errors.ts';
import type { Filter, FilterContext } from '../filter/filter.ts';
import { LIST_MAX } from '../limits.ts';
import type { MountEntry } from '../namespace/mount-entry.ts';
import { asBoolean, readBoolean, readWord, type ValueContext } from '../syntax/values.ts';
import { type Backslash, takeWord } from '../syntax/words.ts';

/**
 * @param text without white space at its ends; empty resets
 * @param previous what earlier assignments made of it; undefined if there was none, or it was reset
 * @returns undefined if the property is reset
 */
export type Reader<Value> = (text: string, previous: Value | undefined, context: ValueContext) => Value | undefined;

/** What the rows have to know to plan mounts, besides their own value. */
export interface LayoutContext {
  /** RootDirectory= */
  readonly root: string | undefined;
  /** ProcSubset=pid: there is nothing in /proc but processes */
  readonly hasPidsAlone: boolean;
  /** whether a path of the host is a directory; known of the sources of binds */
  readonly isDirectory: (path: string) => boolean;
}

/** @template Value of the property: false, 'no', an empty list or undefined if it is off */
export interface Property<Value> {
  readonly read: Reader<Value>;
  /** a bad value in a unit file is an error: systemd does not start a unit that has one, while it ignores others */
  readonly refuses?: true;
  /** further names for it, each with its reader */
  readonly otherNames?: Readonly<Record<string, Reader<Value>>>;
  /** the value if nothing gives it; a list is empty */
  readonly default: Value;
  /** the value with a dynamic user (systemd.exec(5), DynamicUser=). Unlike with systemd, it can be turned off by name */
  implied?(given: Value | undefined): Value;
  /** what --untrusted sets */
  readonly untrusted?: string;
  /** what the launcher must be able to make: mounts in a mount namespace, or just another namespace */
  readonly needs?: 'mounts' | 'namespace';
  /** what is lost if the launcher cannot make it, for a launch that goes without; absent if nothing is */
  readonly lost?: string;
  /** without it the service would not be what its unit file describes: a launch never goes without it */
  readonly isVital?: true;
  /** what it does, for dynuser-run(1): a sentence or two, in a few lines */
  readonly manual: string;
  /** what it does, for --explain: a phrase that follows "NAME=VALUE: " */
  readonly meaning?: string;
  /** capabilities that leave the bounding set while it is on */
  readonly dropsCapabilities?: bigint;
  /** what it puts where in the mount namespace while it is on */
  mounts?(value: Exclude<Value, undefined>, context: LayoutContext): readonly MountEntry[];
  /** the system calls that it takes from the service while it is on; undefined if none */
  filter?(value: Exclude<Value, undefined>, context: FilterContext): Filter | undefined;
  /** its fields of the plan */
  plan?(value: Value): Partial<LaunchPlan>;
}

type Row<Value> = Omit<Property<Value>, 'read' | 'default'>;

/**
 * A boolean that is off unless it is given or implied.
 * @param meaningYes further words that mean yes
 */
export function boolean(row: Row<boolean>, ...meaningYes: readonly string[]): Property<boolean> {
  const read = (text: string, context: ValueContext): boolean =>
    meaningYes.includes(text) || readBoolean(text, context, meaningYes);
  return { ...row, default: false, read: filled(read) };
}

/** A boolean that is off unless it is given or implied, and that an empty assignment resets: systemd has three states for it. */
export function resettableBoolean(row: Row<boolean>): Property<boolean> {
  return { ...boolean(row), read: single<boolean>(readBoolean) };
}

/** A property with any default and any reader. */
export function property<Value>(initial: Value, read: Reader<Value>, row: Row<Value>): Property<Value> {
  return { ...row, default: initial, read };
}

/** A value of which the last assignment holds; an empty one resets it. */
export function value<Value>(
  read: (text: string, context: ValueContext) => Value,
  row: Row<Value | undefined>,
): Property<Value | undefined> {
  return { ...row, default: undefined, read: single<Value | undefined>(read) };
}

/** A value of which the last assignment holds, and which is never empty. */
export function filledValue<Value>(
  read: (text: string, context: ValueContext) => Value,
  row: Row<Value | undefined>,
): Property<Value | undefined> {
  return { ...row, default: undefined, read: filled<Value | undefined>(read) };
}

/** One of several words, of which the first is the default. */
export function word<const Word extends string>(
  words: readonly [Word, ...Word[]],
  row: Row<Word>,
  reader: typeof filled = filled,
): Property<Word> {
  return { ...row, default: words[0], read: reader((text, context) => readWord(text, words, context)) };
}

/** A boolean, or one of further words. */
export function choice<const Word extends string>(
  words: readonly Word[],
  row: Row<Word | 'yes' | 'no'>,
): Property<Word | 'yes' | 'no'> {
  const read = (text: string, context: ValueContext): Word | 'yes' | 'no' => {
    const truth = asBoolean(text);
    return truth === undefined ? readWord(text, ['yes', 'no', ...words], context) : truth ? 'yes' : 'no';
  };
  return { ...row, default: 'no', read: filled(read) };
}

/** A list: an empty assignment empties it, others add to it. */
export function list<Entry>(
  read: (text: string, context: ValueContext) => readonly Entry[],
  row: Row<readonly Entry[]>,
  most = LIST_MAX,
): Property<readonly Entry[]> {
  return { ...row, default: [], read: listReader(read, most) };
}

export function listReader<Entry>(
  read: (text: string, context: ValueContext) => readonly Entry[],
  most = LIST_MAX,
): Reader<readonly Entry[]> {
  return (text, previous = [], context) => {
    if (text === '') {
      return undefined;
    }
    const entries = [...previous, ...read(text, context)];
    checkLimit(entries.length, most, 'list entries', context.field);
    return entries;
  };
}

export function single<Value>(read: (text: string, context: ValueContext) => Value): Reader<Value> {
  return (text, _previous, context) => (text === '' ? undefined : read(text, context));
}

/** For properties that systemd cannot reset: an empty value is as bad as any other unknown one. */
export function filled<Value>(read: (text: string, context: ValueContext) => Value): Reader<Value> {
  return (text, _previous, context) => read(text, context);
}

/** @returns the words of a value, within the bound of a list; what cannot be split falls out, and what is before it stays */
export function wordsOf(text: string, backslash: Backslash, { fail, entry, field }: ValueContext): string[] {
  const words: string[] = [];
  for (let from = 0; ; ) {
    const word = entry(() => takeWord(text, from, backslash, fail));
    if (word === undefined) {
      return words;
    }
    words.push(word.text);
    checkLimit(words.length, LIST_MAX, 'list entries', field);
    from = word.next;
  }
}

/** @returns what the words of a value are read as; bad ones fall out alone */
export function entriesOf<Entry>(
  text: string,
  backslash: Backslash,
  context: ValueContext,
  read: (word: string) => Entry,
): Entry[] {
  return wordsOf(text, backslash, context).flatMap(word => context.entry(() => [read(word)]) ?? []);
}
