/** Reads the fields of an object that came from outside, each as what it has to be. Knows no reply. */
import { asLeaseId } from '../core/ids.ts';
import { isJsonArray, isJsonObject, type Json, type JsonObject, ownValue } from '../varlink/json.ts';
import { CommandFailure } from './failure.ts';

function misshapen(field: string, expected: string): never {
  throw new CommandFailure(
    `the answer cannot be understood: '${field}' is not ${expected}: is the daemon of the same version as this command?`,
  );
}

/** varlink: a nullable field that is null is as good as absent. */
export function absent(parent: JsonObject, field: string): boolean {
  return (ownValue(parent, field) ?? null) === null;
}

/** @throws CommandFailure that names the field; so do all of these */
export function text(parent: JsonObject, field: string): string {
  const value = ownValue(parent, field);
  return typeof value === 'string' ? value : misshapen(field, 'a string');
}

export function leaseId(parent: JsonObject): string {
  return asLeaseId(text(parent, 'lease')) ?? misshapen('lease', 'an id of 32 hexadecimal digits');
}

export function integer(parent: JsonObject, field: string): number {
  const value = ownValue(parent, field);
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : misshapen(field, 'an integer');
}

export function truth(parent: JsonObject, field: string): boolean {
  const value = ownValue(parent, field);
  return typeof value === 'boolean' ? value : misshapen(field, 'a boolean');
}

export function choice<T extends string>(parent: JsonObject, field: string, choices: readonly T[]): T {
  const value = ownValue(parent, field);
  return choices.find(known => known === value) ?? misshapen(field, `one of ${choices.join(', ')}`);
}

function list(parent: JsonObject, field: string): readonly Json[] {
  const value = ownValue(parent, field);
  return isJsonArray(value) ? value : misshapen(field, 'a list');
}

export function object(parent: JsonObject, field: string): JsonObject {
  const value = ownValue(parent, field);
  return isJsonObject(value) ? value : misshapen(field, 'an object');
}

export function objects(parent: JsonObject, field: string): JsonObject[] {
  return list(parent, field).map(value => (isJsonObject(value) ? value : misshapen(field, 'a list of objects')));
}

export function texts(parent: JsonObject, field: string): string[] {
  return list(parent, field).map(value => (typeof value === 'string' ? value : misshapen(field, 'a list of strings')));
}

/** @returns an object's values by their names, each of which is a string */
export function textMap(parent: JsonObject, field: string): Record<string, string> {
  const entries = Object.entries(object(parent, field));
  return Object.fromEntries(
    entries.map(([name, value]) => [name, typeof value === 'string' ? value : misshapen(field, 'a map of strings')]),
  );
}
