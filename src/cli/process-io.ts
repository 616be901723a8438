/** What a run of the command uses of its process, as types: bin/dynuserctl.ts passes the real one, tests pass their own. */

export interface ProcessIo {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly output: Output;
  readonly errors: Output;
  /** milliseconds since the epoch */
  readonly now: () => number;
  /** Starts to listen for the operator's interruption, and keeps the process alive until dispose(). */
  readonly listenForInterruption: () => Interruption;
}

export interface Output {
  /** the terminal that the output goes to, if it is one */
  readonly terminal: { readonly columns: number } | undefined;
  /** Resolves when the text was handed on, or can no more be: then `broken` says why. */
  readonly write: (text: string) => Promise<void>;
  /** aborted with the error of the first write that failed */
  readonly broken: AbortSignal;
}

export interface Interruption {
  /** aborted at the first SIGINT or SIGTERM */
  readonly signal: AbortSignal;
  readonly dispose: () => void;
}
