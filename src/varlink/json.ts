/** The values of a message, as types and the questions that can be asked of them. */

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
