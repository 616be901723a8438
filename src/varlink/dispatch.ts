/** Answers one call, as its interface declares. It knows no socket and no session. */
import { invalidParameter, VarlinkError } from './errors.ts';
import type { Call, Connection } from './handler.ts';
import { checkStruct, Mismatch } from './idl/check.ts';
import { encodeStruct } from './idl/encode.ts';
import type { JsonObject } from './json.ts';
import type { MethodCall } from './message.ts';
import type { MethodTable, ServedMethod } from './method-table.ts';

/** The error, without parameters, by which a peer learns that a handler failed. */
const INTERNAL_ERROR = 'org.varlink.service.InternalError';

/** The outcome of a call. */
export interface Answer {
  /** the qualified name, if it is an error */
  readonly error?: string;
  /** the text of an object */
  readonly parameters: string;
  /** a failure that the peer is not told of, and that somebody should know */
  readonly failure?: { readonly what: string; readonly cause: unknown };
}

/** Where a call came from. */
export interface CallOrigin<P> extends Connection {
  readonly peer: P;
  /** Sends the text of one of several replies. @returns as Call.send does */
  sendContinuing(parameters: string): boolean;
  /** Sends texts, each when it is its turn. @returns as Call.sendAll does */
  sendEach(texts: Iterator<string>): Promise<void>;
}

/** @returns the one answer; a promise of it only if the handler gave one, and that is never rejected */
export function dispatch<P>(
  methods: MethodTable<P>,
  origin: CallOrigin<P>,
  request: MethodCall,
): Answer | Promise<Answer> {
  const method = methods.find(request.method);
  if (method instanceof VarlinkError) {
    return refusal(methods, method);
  }
  const parameters = checkStruct(method.idl, method.definition.parameters, request.parameters);
  if (parameters instanceof Mismatch) {
    return refusal(methods, invalidParameter(parameters.path[0] ?? ''));
  }
  const call = new CallUnderWay(methods, origin, method, { ...request, parameters });
  let reply: JsonObject | Promise<JsonObject>;
  try {
    reply = method.handler(call);
  } catch (error) {
    return call.failed(error);
  }
  return reply instanceof Promise
    ? reply.then(
        value => call.answered(value),
        (error: unknown) => call.failed(error),
      )
    : call.answered(reply);
}

/** The answer for an error that the library itself found. */
export function refusal<P>(methods: MethodTable<P>, error: VarlinkError): Answer {
  return { error: error.error, parameters: methods.encodeError(error) };
}

class CallUnderWay<P> implements Call<P> {
  readonly method: string;
  readonly parameters: JsonObject;
  readonly more: boolean;
  readonly oneway: boolean;
  readonly connection: Connection;
  readonly peer: P;
  readonly #methods: MethodTable<P>;
  readonly #origin: CallOrigin<P>;
  readonly #method: ServedMethod<P>;
  #isAnswered = false;

  constructor(methods: MethodTable<P>, origin: CallOrigin<P>, method: ServedMethod<P>, request: MethodCall) {
    this.method = request.method;
    this.parameters = request.parameters;
    this.more = request.more;
    this.oneway = request.oneway;
    this.connection = origin;
    this.peer = origin.peer;
    this.#methods = methods;
    this.#origin = origin;
    this.#method = method;
  }

  send(parameters: JsonObject): boolean {
    this.#checkMore();
    return this.#origin.sendContinuing(this.#encode(parameters));
  }

  async sendAll(replies: Iterable<JsonObject>): Promise<void> {
    this.#checkMore();
    await this.#origin.sendEach(this.#encodeEach(replies));
  }

  *#encodeEach(replies: Iterable<JsonObject>): Generator<string, void, undefined> {
    for (const reply of replies) {
      yield this.#encode(reply);
    }
  }

  #encode(parameters: JsonObject): string {
    return encodeStruct(this.#method.idl, this.#method.definition.reply, parameters);
  }

  #checkMore(): void {
    if (!this.more || this.#isAnswered) {
      const why = this.more ? 'the call has had its final reply' : 'the call is not for several replies ("more")';
      throw new Error(`${this.method}: ${why}`);
    }
  }

  answered(reply: JsonObject): Answer {
    this.#isAnswered = true;
    try {
      return { parameters: this.#encode(reply) };
    } catch (cause) {
      return this.#broke('its reply is not as its interface declares', cause);
    }
  }

  failed(error: unknown): Answer {
    this.#isAnswered = true;
    if (!(error instanceof VarlinkError)) {
      return this.#broke('its handler failed', error);
    }
    try {
      return refusal(this.#methods, error);
    } catch (cause) {
      return this.#broke('its error reply is not as its interface declares', cause);
    }
  }

  #broke(what: string, cause: unknown): Answer {
    return { error: INTERNAL_ERROR, parameters: '{}', failure: { what: `${this.method}: ${what}`, cause } };
  }
}
