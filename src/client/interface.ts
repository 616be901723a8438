/**
 * The daemon's interfaces as this package knows them: parameters are written, and replies checked, as they declare. A
 * reply may have fields that are not declared: a newer daemon says more, and a program need not be built anew for that.
 */
import { ALLOCATOR_INTERFACE } from '../api/generated/io-dynuser-allocator.ts';
import { ClientInterfaces } from '../varlink/client-interfaces.ts';
import type { JsonObject } from '../varlink/json.ts';
import { SERVICE_DESCRIPTION } from '../varlink/service-description.ts';

export const INTERFACES = new ClientInterfaces([ALLOCATOR_INTERFACE, SERVICE_DESCRIPTION], 'drop');

export type Method = 'Acquire' | 'Claim' | 'Release' | 'List' | 'Explain' | 'Watch';

export function qualified(method: Method): string {
  return `io.dynuser.Allocator.${method}`;
}

/** @returns the parameters without those that are undefined. @throws TypeError that names one that is not as declared */
export function checkParameters(method: Method, parameters: { readonly [key: string]: unknown }): JsonObject {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined);
  // What is no JSON is no value of the interface either, and is named below.
  const object = Object.fromEntries(given) as JsonObject;
  INTERFACES.encodeParameters(qualified(method), object);
  return object;
}
