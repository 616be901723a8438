/** What a run of the command uses of its process: streams, signals, environment and clock. Tests pass their own. */

import { createInterface } from 'node:readline/promises';
import { choosePager, isLoggedIn, page } from './pager.ts';

export interface ProcessIo {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly output: Output;
  readonly errors: Output;
  /** milliseconds since the epoch */
  readonly now: () => number;
  /** Asks the operator on the terminal. @returns the answer, '' if the input ends; undefined without a terminal to ask on */
  readonly ask: (question: string) => Promise<string | undefined>;
  /** Shows a text in a pager, and waits until it was left. @returns false without one: nothing was shown */
  readonly page: (text: string) => Promise<boolean>;
  /** Starts to listen for the operator's interruption, and keeps the process alive until it is disposed of. */
  readonly listenForInterruption: () => Interruption;
}

export interface Output {
  /** the terminal that the output goes to, if it is one */
  readonly terminal: { readonly columns: number; readonly rows?: number } | undefined;
  /** Resolves when the text was handed on, or no longer can be: then `broken` says why. */
  readonly write: (text: string) => Promise<void>;
  /** aborted with the error of the first write that failed */
  readonly broken: AbortSignal;
}

export interface Interruption extends Disposable {
  /** aborted at the first SIGINT or SIGTERM */
  readonly signal: AbortSignal;
}

/** Longer than any process lives between two wake-ups that matter: the timer only keeps the event loop alive. */
const KEEP_ALIVE_MS = 0x7fff_ffff;
/** What a terminal that does not know its size is taken for (termcap's own default). */
const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;

export function thisProcess(): ProcessIo {
  return {
    environment: process.env,
    output: outputOf(process.stdout),
    errors: outputOf(process.stderr),
    now: Date.now,
    ask,
    page: async text => {
      const choice = choosePager(process.env, isLoggedIn());
      return choice !== undefined && (await page(text, choice));
    },
    listenForInterruption,
  };
}

function outputOf(stream: NodeJS.WriteStream): Output {
  const broken = new AbortController();
  // Without a listener a reader that went away (EPIPE) would end the process with a stack trace.
  stream.on('error', error => broken.abort(error));
  return {
    get terminal() {
      // Asked anew each time: a terminal can change its size.
      return stream.isTTY
        ? {
            columns: stream.columns > 0 ? stream.columns : DEFAULT_COLUMNS,
            rows: stream.rows > 0 ? stream.rows : DEFAULT_ROWS,
          }
        : undefined;
    },
    write: text =>
      new Promise(resolve => {
        if (broken.signal.aborted) {
          resolve();
          return;
        }
        stream.write(text, error => {
          if (error) {
            broken.abort(error);
          }
          resolve();
        });
      }),
    broken: broken.signal,
  };
}

/** On standard error: what a program reads of the output has no questions in it. */
async function ask(question: string): Promise<string | undefined> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    return undefined;
  }
  const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: false });
  try {
    // At the end of the input nobody answers any more.
    const closed = new Promise<string>(resolve => lines.once('close', () => resolve('')));
    return await Promise.race([lines.question(question), closed]);
  } finally {
    lines.close();
  }
}

function listenForInterruption(): Interruption {
  const controller = new AbortController();
  const interrupt = (): void => controller.abort();
  const keepAlive = setInterval(() => {}, KEEP_ALIVE_MS);
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      clearInterval(keepAlive);
      process.removeListener('SIGINT', interrupt);
      process.removeListener('SIGTERM', interrupt);
    },
  };
}
