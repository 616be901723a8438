/** The errors of a conversation: those that travel in a reply, and those of a connection on which no reply can come. */
import type { JsonObject } from './json.ts';

/** An error reply: what a handler throws, and what a client's call rejects with. */
export class VarlinkError extends Error {
  override readonly name = 'VarlinkError';
  /** the qualified name, such as org.varlink.service.MethodNotFound */
  readonly error: string;
  readonly parameters: JsonObject;

  constructor(error: string, parameters: JsonObject = {}) {
    super(error);
    this.error = error;
    this.parameters = parameters;
  }
}

/** A connection that could not be made, was lost, timed out, or on which the peer broke the protocol. */
export class ConnectionError extends Error {
  override readonly name: string = 'ConnectionError';

  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
  }
}

/** A reply that is not as its interface declares it. */
export class ReplyMismatch extends ConnectionError {
  /** @param method the qualified name of the method that was called */
  constructor(method: string, { path, reason }: { readonly path: readonly string[]; readonly reason: string }) {
    super(`the reply to ${method} is not as declared: ${path.join('.')} ${reason}`);
  }
}

const SERVICE = 'org.varlink.service';

/** @param name the interface that no implementation was given for */
export function interfaceNotFound(name: string): VarlinkError {
  return new VarlinkError(`${SERVICE}.InterfaceNotFound`, { interface: name });
}

/** @param method the qualified name of a method that its interface does not have */
export function methodNotFound(method: string): VarlinkError {
  return new VarlinkError(`${SERVICE}.MethodNotFound`, { method });
}

/** @param method the qualified name of a method that is declared, but is not served, or not in this way */
export function methodNotImplemented(method: string): VarlinkError {
  return new VarlinkError(`${SERVICE}.MethodNotImplemented`, { method });
}

/** @param parameter the key that is missing, unknown, or has a value that it must not have */
export function invalidParameter(parameter: string): VarlinkError {
  return new VarlinkError(`${SERVICE}.InvalidParameter`, { parameter });
}

/** The method answers with several replies, so it has to be called with `more`. */
export function expectedMore(): VarlinkError {
  return new VarlinkError(`${SERVICE}.ExpectedMore`);
}
