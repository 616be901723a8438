/** The values of a message: their types, predicates for them, and their text. */
import { JSON_DEPTH_MAX } from './limits.ts';

export type Json = null | boolean | number | bigint | string | readonly Json[] | JsonObject;

/** An object of a message. Its keys are a peer's: read only those that the interface declares, or those it owns. */
export interface JsonObject {
  readonly [key: string]: Json;
}

export function isJsonArray(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !isJsonArray(value);
}

/** @returns the value of a key that the object itself has, never one that it inherits, as `constructor` would be */
export function ownValue(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** Whether an integer has 64 bits at most, with a sign or without: those are read and written exactly. */
export function fitsInt64(value: bigint): boolean {
  return value >= -(2n ** 63n) && value < 2n ** 64n;
}

/** NUL and lone surrogates, which peers refuse: json-parser.ts says why. */
const UNSENDABLE = /\0|\p{Surrogate}/u;

/**
 * Writes text that every strict parser accepts, our own included. A value that has no such text is an error of the caller.
 * @param depth how deep the value is in its message
 * @throws TypeError for numbers and strings that JSON does not have, and for what nests too deep or in itself
 */
export function writeJson(value: Json, depth = 0): string {
  switch (typeof value) {
    case 'string':
      return writeString(value);
    case 'number':
      if (!Number.isFinite(value)) {
        throw new TypeError(`JSON has no number ${value}`);
      }
      return String(value);
    case 'bigint':
    case 'boolean':
      return String(value);
    default:
      return value === null ? 'null' : writeNested(value, deeper(depth));
  }
}

function writeNested(value: readonly Json[] | JsonObject, depth: number): string {
  if (isJsonArray(value)) {
    return `[${value.map(element => writeJson(element, depth)).join(',')}]`;
  }
  const members = Object.entries(value).map(([key, member]) => `${writeString(key)}:${writeJson(member, depth)}`);
  return `{${members.join(',')}}`;
}

/** @returns the depth of what is in a value of that depth. @throws TypeError if nothing may be in it */
export function deeper(depth: number): number {
  if (depth >= JSON_DEPTH_MAX) {
    throw new TypeError(`nested more than ${JSON_DEPTH_MAX} deep`);
  }
  return depth + 1;
}

export function writeString(value: string): string {
  if (UNSENDABLE.test(value)) {
    throw new TypeError(`the string ${JSON.stringify(value)} has a NUL or a lone surrogate`);
  }
  return JSON.stringify(value);
}
