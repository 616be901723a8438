/** The two kinds of message (UAPI.20, "Wire Protocol"; varlink.org, Method-Call): frames into calls and replies, and back. */
import { invalidParameter, methodNotImplemented, type VarlinkError } from './errors.ts';
import { isJsonObject, type Json, type JsonObject, writeString } from './json.ts';
import { JsonError, type ParsedJson, parseJson } from './json-parser.ts';

export interface MethodCall {
  /** interface and method, not yet known to exist */
  readonly method: string;
  /** not yet checked against anything */
  readonly parameters: JsonObject;
  readonly more: boolean;
  readonly oneway: boolean;
}

export type ReadCall =
  | { readonly kind: 'call'; readonly call: MethodCall }
  /** the envelope could be read, and says something that has an error reply, unless `oneway` forbids it */
  | { readonly kind: 'refused'; readonly error: VarlinkError; readonly oneway: boolean }
  /** nothing in it can be relied on, not even that an answer is wanted */
  | { readonly kind: 'broken'; readonly reason: string };

/** @param frame without its NUL */
export function readCall(frame: Buffer): ReadCall {
  const parsed = parseEnvelope(frame);
  if (typeof parsed === 'string') {
    return { kind: 'broken', reason: parsed };
  }
  const { method, parameters = {}, more = false, oneway = false, upgrade = false, ...others } = parsed.envelope;
  if (typeof method !== 'string') {
    return broken('has no method, or one that is not a string');
  }
  if (typeof more !== 'boolean' || typeof oneway !== 'boolean' || typeof upgrade !== 'boolean') {
    return broken('has a more, oneway or upgrade that is not a boolean');
  }
  if (Number(more) + Number(oneway) + Number(upgrade) > 1) {
    return broken('is more than one of more, oneway and upgrade');
  }
  if (parameters !== null && !isJsonObject(parameters)) {
    return broken('has parameters that are not an object');
  }
  const unknown = findUnknownKey(others);
  if (unknown !== undefined) {
    return broken(`has the key ${JSON.stringify(unknown)}, which is unknown`);
  }
  const duplicate = parsed.duplicate?.at(-1);
  if (duplicate !== undefined) {
    return { kind: 'refused', error: invalidParameter(duplicate), oneway };
  }
  if (upgrade) {
    return { kind: 'refused', error: methodNotImplemented(method), oneway };
  }
  return { kind: 'call', call: { method, parameters: parameters ?? {}, more, oneway } };
}

export interface MethodReply {
  /** the qualified name, if it is an error reply */
  readonly error?: string;
  readonly parameters: JsonObject;
  readonly continues: boolean;
}

/** @returns the reply, or why the frame is not one */
export function readReply(frame: Buffer): MethodReply | string {
  const parsed = parseEnvelope(frame);
  if (typeof parsed === 'string') {
    return parsed;
  }
  const { error, parameters = {}, continues = false, ...others } = parsed.envelope;
  const unknown = findUnknownKey(others) ?? parsed.duplicate?.at(-1);
  if (unknown !== undefined) {
    return `has the key ${JSON.stringify(unknown)}, which is unknown or there twice`;
  }
  if (error !== undefined && typeof error !== 'string') {
    return 'has an error that is not a string';
  }
  if (typeof continues !== 'boolean' || (continues && error !== undefined)) {
    return 'has a continues that is not a boolean, or is beside an error';
  }
  if (parameters !== null && !isJsonObject(parameters)) {
    return 'has parameters that are not an object';
  }
  return { ...(error === undefined ? {} : { error }), parameters: parameters ?? {}, continues };
}

/** @param parameters the text of an object */
export function writeCall(call: { method: string; parameters: string; more: boolean; oneway: boolean }): string {
  const flag = call.more ? ',"more":true' : call.oneway ? ',"oneway":true' : '';
  return `{"method":${writeString(call.method)}${writeParameters(call.parameters, ',')}${flag}}\0`;
}

/** @param parameters the text of an object */
export function writeReply(parameters: string, continues: boolean): string {
  const given = writeParameters(parameters, '');
  const flag = continues ? '"continues":true' : '';
  return `{${given}${given !== '' && continues ? ',' : ''}${flag}}\0`;
}

/** @param parameters the text of an object */
export function writeErrorReply(error: string, parameters: string): string {
  return `{"error":${writeString(error)}${writeParameters(parameters, ',')}}\0`;
}

/** Empty parameters are left out: readers take an absent object, null and {} for the same. */
function writeParameters(parameters: string, before: string): string {
  return parameters === '{}' ? '' : `${before}"parameters":${parameters}`;
}

/** @returns the envelope, or why there is none */
function parseEnvelope(frame: Buffer): { envelope: JsonObject; duplicate: readonly string[] | undefined } | string {
  let parsed: ParsedJson;
  try {
    parsed = parseJson(frame);
  } catch (error) {
    if (error instanceof JsonError) {
      return `is not JSON: ${error.message}`;
    }
    throw error;
  }
  const { value: envelope, duplicate } = parsed;
  if (!isJsonObject(envelope)) {
    return 'is not an object';
  }
  if (duplicate?.length === 1) {
    return `has the key ${JSON.stringify(duplicate[0])} twice`;
  }
  return { envelope, duplicate };
}

const REVERSE_DNS = /^[A-Za-z][A-Za-z0-9-]*(?:\.[A-Za-z0-9-]+)+$/;

/** Vendors may add objects under names of their own, to be passed over by whoever does not know them. */
function findUnknownKey(others: { readonly [key: string]: Json }): string | undefined {
  return Object.keys(others).find(key => !(REVERSE_DNS.test(key) && isJsonObject(others[key])));
}

function broken(reason: string): ReadCall {
  return { kind: 'broken', reason };
}
