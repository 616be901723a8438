/**
 * Parameters and replies as the interface declares them. A reply may have fields that are not declared: a newer daemon
 * says more, and a program need not be built anew for that.
 */
import { ALLOCATOR_INTERFACE } from '../api/generated/io-dynuser-allocator.ts';
import { checkStruct, Mismatch, namedType } from '../varlink/idl/check.ts';
import { encodeStruct } from '../varlink/idl/encode.ts';
import type { IdlMethod, IdlStruct, IdlType } from '../varlink/idl/model.ts';
import { parseInterface } from '../varlink/idl/parse.ts';
import { isJsonArray, isJsonObject, type Json, type JsonObject } from '../varlink/json.ts';
import { DynuserError } from './errors.ts';

const IDL = parseInterface(ALLOCATOR_INTERFACE);

export type Method = 'Acquire' | 'Claim' | 'Release' | 'List' | 'Explain' | 'Watch';

export function qualified(method: Method): string {
  return `${IDL.name}.${method}`;
}

/** @returns the parameters without those that are undefined. @throws TypeError that names one that is not as declared */
export function writeParameters(method: Method, parameters: { readonly [key: string]: unknown }): JsonObject {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined);
  // What is no JSON is no value of the interface either: encodeStruct() names it.
  const object = Object.fromEntries(given) as JsonObject;
  encodeStruct(IDL, definitionOf(method).parameters, object);
  return object;
}

/**
 * @template Reply the generated type of this method's reply: made from the same text that is checked against here
 * @throws DynuserError UnexpectedReply
 */
export function readReply<Reply>(method: Method, reply: JsonObject): Reply {
  const declared = declaredFields(definitionOf(method).reply, reply);
  const checked = checkStruct(IDL, definitionOf(method).reply, declared);
  if (checked instanceof Mismatch) {
    const where = checked.path.join('.');
    throw new DynuserError('UnexpectedReply', `the reply to ${method} is not as declared: ${where} ${checked.reason}`);
  }
  return checked as Reply;
}

function definitionOf(method: Method): IdlMethod {
  const definition = IDL.methods.get(method);
  if (definition === undefined) {
    throw new TypeError(`${IDL.name} has no method ${method}`);
  }
  return definition;
}

function declaredFields(struct: IdlStruct, value: JsonObject): JsonObject {
  const kept: [string, Json][] = [];
  for (const { name, type } of struct.fields.values()) {
    const given = Object.hasOwn(value, name) ? value[name] : undefined;
    if (given !== undefined) {
      kept.push([name, declaredParts(type, given)]);
    }
  }
  return Object.fromEntries(kept);
}

/** Descends as far as the value has the declared shape; what has not is left for the check to name. */
function declaredParts(type: IdlType, value: Json): Json {
  switch (type.kind) {
    case 'struct':
      return isJsonObject(value) ? declaredFields(type, value) : value;
    case 'array':
      return isJsonArray(value) ? value.map(element => declaredParts(type.element, element)) : value;
    case 'map':
      return isJsonObject(value)
        ? Object.fromEntries(Object.entries(value).map(([key, member]) => [key, declaredParts(type.element, member)]))
        : value;
    case 'maybe':
      return declaredParts(type.element, value);
    case 'named':
      return declaredParts(namedType(IDL, type.name), value);
    default:
      return value;
  }
}
