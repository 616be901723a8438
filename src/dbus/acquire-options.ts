/** Reads the arguments of Acquire: values of D-Bus become parameters of the request. It checks types alone. */
import { asPid } from '../core/ids.ts';
import { keptProcess, LIFETIMES } from '../core/lease.ts';
import { ACQUIRE_OPTIONS } from './acquire-option-types.ts';
import { typedValue } from './connection.ts';
import { refuse } from './interface.ts';
import type { AcquireParameters } from './port.ts';

/**
 * @param unit of type s
 * @param options of type a{sv}, as it was decoded
 * @throws CallRefused InvalidArgs, with the option and what it should be: an unknown one may be a misspelt restriction,
 *   so it is not passed over
 */
export function readAcquire(unit: unknown, options: unknown): AcquireParameters {
  if (typeof unit !== 'string' || typeof options !== 'object' || options === null) {
    throw refuse('InvalidArgs', 'Acquire takes a unit name and a dictionary of options');
  }
  const parameters: Record<string, AcquireParameters[string]> = {};
  for (const [name, variant] of Object.entries(options)) {
    const type = isOption(name) ? ACQUIRE_OPTIONS[name] : undefined;
    if (type === undefined) {
      const known = Object.keys(ACQUIRE_OPTIONS).join(', ');
      throw refuse('InvalidArgs', `unknown option ${JSON.stringify(name.slice(0, 64))}; there are ${known}`);
    }
    const value = readValue(variant, type);
    if (value === undefined) {
      throw refuse('InvalidArgs', `the option ${name} must be of type ${type}`);
    }
    parameters[name] = value;
  }
  checkLifetime(parameters);
  return { ...parameters, unit };
}

function isOption(name: string): name is keyof typeof ACQUIRE_OPTIONS {
  return Object.hasOwn(ACQUIRE_OPTIONS, name);
}

/** In varlink these two are refused by the protocol's own error, which D-Bus has another name for. */
function checkLifetime({ lifetime = 'connection', pid }: Record<string, AcquireParameters[string]>): void {
  const known = LIFETIMES.find(name => name === lifetime);
  if (known === undefined) {
    throw refuse('InvalidArgs', `the option lifetime must be one of ${LIFETIMES.join(', ')}`);
  }
  if (pid !== undefined && (keptProcess(known) !== 'bound' || asPid(Number(pid)) === undefined)) {
    throw refuse('InvalidArgs', 'the option pid must be the number of a process, and goes with the lifetime process');
  }
}

function readValue(variant: unknown, type: string): AcquireParameters[string] | undefined {
  const typed = typedValue(variant);
  if (typed?.signature !== type) {
    return undefined;
  }
  const { value } = typed;
  if (Array.isArray(value)) {
    return value.filter(entry => typeof entry === 'string');
  }
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : undefined;
}
