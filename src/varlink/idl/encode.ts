/**
 * Values into the text of a message by what the interface declares: what it forbids is never sent, a float is written
 * as one (1.0, so that a peer can tell it from 1), and fields come in their declared order.
 */
import { isJsonArray, isJsonObject, type Json, type JsonObject, ownValue, writeJson, writeString } from '../json.ts';
import { JSON_DEPTH_MAX } from '../limits.ts';
import { namedType } from './check.ts';
import type { IdlInterface, IdlStruct, IdlType } from './model.ts';

const INT64_MIN = -(2n ** 63n);
const UINT64_MAX = 2n ** 64n - 1n;

/** Of parameters, which are in the envelope of their message. */
const PARAMETERS_DEPTH = 2;

/**
 * @param idl where the named types are
 * @param depth how deep the object itself is in its message, which is 1 deep
 * @throws TypeError that names the field, if the value is not as declared
 */
export function encodeStruct(
  idl: IdlInterface,
  struct: IdlStruct,
  value: JsonObject,
  depth = PARAMETERS_DEPTH,
): string {
  if (depth > JSON_DEPTH_MAX) {
    throw new TypeError(`nested more than ${JSON_DEPTH_MAX} deep`);
  }
  for (const key of Object.keys(value)) {
    if (!struct.fields.has(key)) {
      throw new TypeError(`${key} is not declared`);
    }
  }
  let text = '';
  for (const { name, type } of struct.fields.values()) {
    const given = ownValue(value, name) ?? null;
    if (given === null && type.kind === 'maybe') {
      continue;
    }
    text += `${text === '' ? '' : ','}"${name}":${encodeField(idl, name, type, given, depth)}`;
  }
  return `{${text}}`;
}

function encodeField(idl: IdlInterface, name: string, type: IdlType, value: Json, depth: number): string {
  try {
    return encodeType(idl, type, value, depth);
  } catch (error) {
    throw new TypeError(`${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

function encodeType(idl: IdlInterface, type: IdlType, value: Json, depth: number): string {
  switch (type.kind) {
    case 'bool':
      return typeof value === 'boolean' ? String(value) : wrong('a boolean');
    case 'int':
      return isInt64(value) ? String(value) : wrong('an integer of 64 bits');
    case 'float':
      return typeof value === 'number' ? writeFloat(value) : wrong('a number');
    case 'string':
      return typeof value === 'string' ? writeString(value) : wrong('a string');
    case 'object':
      return isJsonObject(value) ? writeJson(value, depth) : wrong('an object');
    case 'any':
      return value === null ? wrong('a value') : writeJson(value, depth);
    case 'enum':
      return typeof value === 'string' && type.values.includes(value)
        ? `"${value}"`
        : wrong(`one of ${type.values.join(', ')}`);
    case 'maybe':
      return value === null ? 'null' : encodeType(idl, type.element, value, depth);
    case 'array':
      return isJsonArray(value)
        ? `[${value.map(element => encodeType(idl, type.element, element, deeper(depth))).join(',')}]`
        : wrong('an array');
    case 'map':
      return isJsonObject(value) ? encodeMap(idl, type.element, value, deeper(depth)) : wrong('an object');
    case 'struct':
      return isJsonObject(value) ? encodeStruct(idl, type, value, depth + 1) : wrong('an object');
    case 'named':
      return encodeType(idl, namedType(idl, type.name), value, depth);
  }
}

function encodeMap(idl: IdlInterface, element: IdlType, value: JsonObject, depth: number): string {
  const members = Object.entries(value).map(
    ([key, member]) => `${writeString(key)}:${encodeType(idl, element, member, depth)}`,
  );
  return `{${members.join(',')}}`;
}

function isInt64(value: Json): value is number | bigint {
  return typeof value === 'bigint' ? value >= INT64_MIN && value <= UINT64_MAX : Number.isSafeInteger(value);
}

function writeFloat(value: number): string {
  const text = writeJson(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

function deeper(depth: number): number {
  if (depth >= JSON_DEPTH_MAX) {
    throw new TypeError(`nested more than ${JSON_DEPTH_MAX} deep`);
  }
  return depth + 1;
}

function wrong(expected: string): never {
  throw new TypeError(`not ${expected}`);
}
