/**
 * Values into the text of a message by what the interface declares: what it forbids is never sent, a float is written
 * as one (1.0, so that a peer can tell it from 1), and fields come in their declared order.
 */
import {
  deeper,
  fitsInt64,
  isJsonArray,
  isJsonObject,
  type Json,
  type JsonObject,
  ownValue,
  writeJson,
  writeString,
} from '../json.ts';
import { namedType } from './check.ts';
import type { IdlField, IdlInterface, IdlStruct, IdlType } from './model.ts';

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
  const { places, required } = layoutOf(struct);
  for (const { name, type } of required) {
    if ((ownValue(value, name) ?? null) === null) {
      encodeField(idl, name, type, null, depth);
    }
  }
  let text = '';
  for (const name of inOrder(Object.keys(value), places)) {
    const given = value[name] ?? null;
    const field = struct.fields.get(name);
    if (field !== undefined && given !== null) {
      text += `${text === '' ? '' : ','}"${name}":${encodeField(idl, name, field.type, given, depth)}`;
    }
  }
  return `{${text}}`;
}

/** What there is to know of a struct: where its fields are, and which must be there. */
interface StructLayout {
  readonly places: ReadonlyMap<string, number>;
  readonly required: readonly IdlField[];
}

/** Most fields of a struct are absent in most values, and are not to be looked for in each. */
const layouts = new WeakMap<IdlStruct, StructLayout>();

function layoutOf(struct: IdlStruct): StructLayout {
  let layout = layouts.get(struct);
  if (layout === undefined) {
    const fields = [...struct.fields.values()];
    layout = {
      places: new Map(fields.map(({ name }, place) => [name, place])),
      required: fields.filter(({ type }) => type.kind !== 'maybe'),
    };
    layouts.set(struct, layout);
  }
  return layout;
}

/** @throws TypeError if one is not declared */
function inOrder(names: string[], places: ReadonlyMap<string, number>): string[] {
  let last = -1;
  let isInOrder = true;
  for (const name of names) {
    const place = places.get(name);
    if (place === undefined) {
      throw new TypeError(`${name} is not declared`);
    }
    isInOrder &&= place > last;
    last = place;
  }
  return isInOrder ? names : names.sort((one, other) => (places.get(one) ?? 0) - (places.get(other) ?? 0));
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
      return isJsonObject(value) ? encodeStruct(idl, type, value, deeper(depth)) : wrong('an object');
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
  return typeof value === 'bigint' ? fitsInt64(value) : Number.isSafeInteger(value);
}

function writeFloat(value: number): string {
  const text = writeJson(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

function wrong(expected: string): never {
  throw new TypeError(`not ${expected}`);
}
