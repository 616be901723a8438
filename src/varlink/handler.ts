/** The types between a service and the server. `P` is whatever identifies a peer. */
import type { JsonObject } from './json.ts';

export interface InterfaceImplementation<P> {
  /** the text of the interface definition: it is served as it is, and calls and replies are checked against it */
  readonly description: string;
  /** by name; a method that the definition declares and that is not here is answered with MethodNotImplemented */
  readonly methods: { readonly [name: string]: MethodHandler<P> };
}

/**
 * Answers one call. What it returns is the final reply; what it returns without a promise goes out in the same tick.
 * @throws VarlinkError for an error reply that its interface or org.varlink.service declares; anything else is reported
 *   as a failure and answered with org.varlink.service.InternalError
 */
export type MethodHandler<P> = (call: Call<P>) => JsonObject | Promise<JsonObject>;

export interface Call<P> {
  /** the qualified name */
  readonly method: string;
  /** as the interface declares them: no unknown keys, no wrong types, and what is nullable is absent, never null */
  readonly parameters: JsonObject;
  readonly more: boolean;
  /** nobody will see an answer */
  readonly oneway: boolean;
  readonly peer: P;
  readonly connection: Connection;
  /**
   * Sends one of several replies, for calls with `more` alone. If the connection is gone, the reply is dropped.
   * @returns false if the peer reads too slowly for more to be useful now; a peer that lets more than
   *   ServerLimits.maxQueuedBytes wait loses its connection
   * @throws Error for other calls, after the final reply, and for what the interface does not declare
   */
  send(parameters: JsonObject): boolean;
  /**
   * Sends replies as send() does, as many as there are: each is asked for when the peer has read most of those before it, and when
   * it is the turn of its connection. Nothing else is sent meanwhile.
   * @returns when all were sent, or the connection is gone
   * @throws what the replies throw, and what send() throws
   */
  sendAll(replies: Iterable<JsonObject>): Promise<void>;
}

export interface Connection {
  /** counts up from 1 */
  readonly id: number;
  readonly closed: boolean;
  /** @param listener called once, when the connection is gone; at once if it is already. @returns takes it back */
  onClose(listener: () => void): () => void;
  /** Keeps the connection from being closed as idle. @returns ends that */
  hold(): () => void;
}
