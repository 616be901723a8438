/** The two envelopes of the protocol (varlink.org, Method-Call): frames into calls and replies, and back into frames. */
import { invalidParameter, methodNotImplemented, type VarlinkError } from './errors.ts';
import { isJsonObject, type Json, type JsonObject } from './json.ts';
import { JsonError, type ParsedJson, parseJson } from './json-parser.ts';
import { writeString } from './json-writer.ts';

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
    return broken('has no method, or one that is no string');
  }
  if (typeof more !== 'boolean' || typeof oneway !== 'boolean' || typeof upgrade !== 'boolean') {
    return broken('has a more, oneway or upgrade that is no boolean');
  }
  if (more && oneway) {
    return broken('is both more and oneway');
  }
  if (parameters !== null && !isJsonObject(parameters)) {
    return broken('has parameters that are no object');
  }
  const duplicate = parsed.duplicate?.at(-1);
  const error = findUnknownKey(others) ?? duplicate;
  if (error !== undefined) {
    return { kind: 'refused', error: invalidParameter(error), oneway };
  }
  if (upgrade) {
    return { kind: 'refused', error: methodNotImplemented(method), oneway };
  }
  return { kind: 'call', call: { method, parameters: parameters ?? {}, more, oneway } };
}

export interface MethodReply {
  /** the qualified name where it is an error reply */
  readonly error?: string;
  readonly parameters: JsonObject;
  readonly continues: boolean;
}

/** @returns the reply, or why the frame is none */
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
    return 'has an error that is no string';
  }
  if (typeof continues !== 'boolean' || (continues && error !== undefined)) {
    return 'has a continues that is no boolean, or is beside an error';
  }
  if (parameters !== null && !isJsonObject(parameters)) {
    return 'has parameters that are no object';
  }
  return { ...(error === undefined ? {} : { error }), parameters: parameters ?? {}, continues };
}

/** @param parameters the text of an object */
export function writeCall(call: { method: string; parameters: string; more: boolean; oneway: boolean }): string {
  const flag = call.more ? ',"more":true' : call.oneway ? ',"oneway":true' : '';
  return `{"method":${writeString(call.method)},"parameters":${call.parameters}${flag}}\0`;
}

/** @param parameters the text of an object */
export function writeReply(parameters: string, continues: boolean): string {
  return `{"parameters":${parameters}${continues ? ',"continues":true' : ''}}\0`;
}

/** @param parameters the text of an object */
export function writeErrorReply(error: string, parameters: string): string {
  return `{"error":${writeString(error)},"parameters":${parameters}}\0`;
}

/** @returns the envelope, or why there is none */
function parseEnvelope(frame: Buffer): { envelope: JsonObject; duplicate?: readonly string[] } | string {
  const parsed = parse(frame);
  if (parsed instanceof JsonError) {
    return `is no JSON: ${parsed.message}`;
  }
  if (!isJsonObject(parsed.value)) {
    return 'is no object';
  }
  const { value: envelope, duplicate } = parsed;
  if (duplicate?.length === 1) {
    return `has the key ${JSON.stringify(duplicate[0])} twice`;
  }
  return duplicate === undefined ? { envelope } : { envelope, duplicate };
}

function parse(frame: Buffer): ParsedJson | JsonError {
  try {
    return parseJson(frame);
  } catch (error) {
    if (error instanceof JsonError) {
      return error;
    }
    throw error;
  }
}

const REVERSE_DNS = /^[A-Za-z][A-Za-z0-9-]*(?:\.[A-Za-z0-9-]+)+$/;

/** Vendors may add objects under names of their own, to be passed over by whoever does not know them. */
function findUnknownKey(others: { readonly [key: string]: Json }): string | undefined {
  return Object.keys(others).find(key => !(REVERSE_DNS.test(key) && isJsonObject(others[key])));
}

function broken(reason: string): ReadCall {
  return { kind: 'broken', reason };
}
