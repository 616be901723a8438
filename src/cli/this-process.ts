/** The streams, signals, environment and clock of this process. */
import type { Interruption, Output, ProcessIo } from './process-io.ts';

/** Longer than any process lives between two wake-ups that matter: the timer only keeps the event loop alive. */
const KEEP_ALIVE_MS = 0x7fff_ffff;
/** What a terminal that does not know its size is taken for (termcap's own default). */
const DEFAULT_COLUMNS = 80;

export function thisProcess(): ProcessIo {
  return {
    environment: process.env,
    output: outputOf(process.stdout),
    errors: outputOf(process.stderr),
    now: Date.now,
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
      return stream.isTTY ? { columns: stream.columns > 0 ? stream.columns : DEFAULT_COLUMNS } : undefined;
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

function listenForInterruption(): Interruption {
  const controller = new AbortController();
  const interrupt = (): void => controller.abort();
  const keepAlive = setInterval(() => {}, KEEP_ALIVE_MS);
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  return {
    signal: controller.signal,
    dispose: () => {
      clearInterval(keepAlive);
      process.removeListener('SIGINT', interrupt);
      process.removeListener('SIGTERM', interrupt);
    },
  };
}
