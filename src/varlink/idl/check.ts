/** What a peer sent against what its interface declares: nothing has a type until it passed through here. */
import { isJsonArray, isJsonObject, type Json, type JsonObject, ownValue } from '../json.ts';
import type { IdlInterface, IdlStruct, IdlType } from './model.ts';

/** The first place where a value is not as declared. */
export class Mismatch {
  /** the names of the fields that lead to it; array indexes and map keys left out */
  readonly path: readonly string[];
  readonly reason: string;

  constructor(path: readonly string[], reason: string) {
    this.path = path;
    this.reason = reason;
  }
}

/** What becomes of a field that is not declared. A client drops it: a newer service says more than the client knows. */
export type UnknownFields = 'refuse' | 'drop';

/**
 * @param idl where the named types are
 * @returns the declared fields alone, a null for a nullable one left out; a Mismatch names an unknown field before a
 *   field of the wrong type, and that before a missing one
 */
export function checkStruct(
  idl: IdlInterface,
  struct: IdlStruct,
  value: JsonObject,
  unknown: UnknownFields = 'refuse',
): JsonObject | Mismatch {
  const undeclared = unknown === 'refuse' ? Object.keys(value).find(key => !struct.fields.has(key)) : undefined;
  if (undeclared !== undefined) {
    return new Mismatch([undeclared], 'is not declared');
  }
  const checked: Record<string, Json> = {};
  let missing: Mismatch | undefined;
  for (const { name, type } of struct.fields.values()) {
    const given = ownValue(value, name);
    if (given === undefined || (given === null && type.kind === 'maybe')) {
      if (type.kind !== 'maybe') {
        missing ??= new Mismatch([name], 'is missing');
      }
      continue;
    }
    const member = checkType(idl, type, given, unknown);
    if (member instanceof Mismatch) {
      return new Mismatch([name, ...member.path], member.reason);
    }
    checked[name] = member;
  }
  return missing ?? checked;
}

function checkType(idl: IdlInterface, type: IdlType, value: Json, unknown: UnknownFields): Json | Mismatch {
  switch (type.kind) {
    case 'bool':
      return typeof value === 'boolean' ? value : wrong('a boolean');
    case 'int':
      // 5.0 is an integer to JSON's number type, and systemd takes it too. An integer that a double cannot hold is
      // refused rather than rounded, so that `int` is a number to every handler.
      return Number.isSafeInteger(value) ? value : wrong('an integer of at most 53 bits');
    case 'float':
      return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : wrong('a number');
    case 'string':
      return typeof value === 'string' ? value : wrong('a string');
    case 'object':
      return isJsonObject(value) ? value : wrong('an object');
    case 'any':
      return value === null ? wrong('a value') : value;
    case 'enum':
      return typeof value === 'string' && type.values.includes(value)
        ? value
        : wrong(`one of ${type.values.join(', ')}`);
    case 'maybe':
      return value === null ? null : checkType(idl, type.element, value, unknown);
    case 'array':
      return isJsonArray(value) ? checkArray(idl, type.element, value, unknown) : wrong('an array');
    case 'map':
      return isJsonObject(value) ? checkMap(idl, type.element, value, unknown) : wrong('an object');
    case 'struct':
      return isJsonObject(value) ? checkStruct(idl, type, value, unknown) : wrong('an object');
    case 'named':
      return checkType(idl, namedType(idl, type.name), value, unknown);
  }
}

function checkArray(
  idl: IdlInterface,
  element: IdlType,
  value: readonly Json[],
  unknown: UnknownFields,
): Json | Mismatch {
  const checked: Json[] = [];
  for (const given of value) {
    const member = checkType(idl, element, given, unknown);
    if (member instanceof Mismatch) {
      return member;
    }
    checked.push(member);
  }
  return checked;
}

function checkMap(idl: IdlInterface, element: IdlType, value: JsonObject, unknown: UnknownFields): Json | Mismatch {
  const checked: [string, Json][] = [];
  for (const [key, given] of Object.entries(value)) {
    const member = checkType(idl, element, given, unknown);
    if (member instanceof Mismatch) {
      return member;
    }
    checked.push([key, member]);
  }
  // fromEntries defines each key, so that "__proto__" is one like any other.
  return Object.fromEntries(checked);
}

function wrong(expected: string): Mismatch {
  return new Mismatch([], `is not ${expected}`);
}

/** The parser has seen to it that each name is defined. */
export function namedType(idl: IdlInterface, name: string): IdlType {
  const type = idl.types.get(name)?.type;
  if (type === undefined) {
    throw new TypeError(`${idl.name} has no type ${name}`);
  }
  return type;
}
