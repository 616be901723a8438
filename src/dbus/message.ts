/** Messages in the terms of the D-Bus specification. The library that reads and writes them is known to connection.ts alone. */

/** The bus itself, as a sender; nobody else can have this name. */
export const DRIVER = 'org.freedesktop.DBus';
export const DRIVER_PATH = '/org/freedesktop/DBus';

/** A value inside a variant, with its type. */
export interface TypedValue {
  readonly signature: string;
  readonly value: unknown;
}

/** A call to the bus or to somebody on it. */
export interface Question {
  /** a unique name, or the bus itself: only its answer counts */
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature?: string;
  readonly body?: readonly unknown[];
}

export interface Signal {
  /** a unique name, as the bus stamped it */
  readonly sender: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature: string;
  readonly body: readonly unknown[];
}

/**
 * A call by somebody on the bus. It is answered once, by reply or fail; if no answer is wanted, or its connection is
 * gone, they send nothing.
 */
export interface IncomingCall extends Omit<Signal, 'interface'> {
  /** absent if the caller left it open, as the specification allows */
  readonly interface: string | undefined;
  readonly answerWanted: boolean;
  /** @returns whether the answer is on its way */
  reply(signature: string, body: readonly unknown[]): boolean;
  fail(error: string, reason: string): void;
}

/** An answer that is an error: its name and its text, as the bus or a peer gave them. */
export class BusError extends Error {
  override readonly name = 'BusError';
  readonly errorName: string;

  constructor(errorName: string, text: string) {
    super(`${errorName}: ${text}`);
    this.errorName = errorName;
  }
}
