/** Runs dynuserctl: within this process with io of the test's own, or as the program that operators run. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { run } from '../../../src/cli/main.ts';
import type { Output } from '../../../src/cli/process-io.ts';

export interface Outcome {
  readonly status: number;
  readonly output: string;
  readonly errors: string;
}

export interface CommandOptions {
  readonly environment: Readonly<Record<string, string>>;
  /** the output is a terminal of that many columns */
  readonly columns?: number;
  /** so is standard error */
  readonly errorColumns?: number;
  /** told of all that is written to standard error, as it is */
  readonly onErrors?: (text: string) => void;
  /** milliseconds since the epoch */
  readonly now?: number;
  /** the terminal has that many lines */
  readonly rows?: number;
  /** what the operator answers on the terminal; without it there is no terminal */
  readonly answer?: string;
  /** told of each question */
  readonly onQuestion?: (question: string) => unknown;
  /** shows what is paged; there is no pager without it */
  readonly onPage?: (text: string) => void;
  /** aborted where the operator interrupts */
  readonly interruption?: AbortSignal;
}

/** Runs the command in this process, to its end. */
export async function runCommand(argv: readonly string[], options: CommandOptions): Promise<Outcome> {
  const written = { output: '', errors: '' };
  const outputInto = (stream: 'output' | 'errors', columns: number | undefined): Output => ({
    terminal:
      columns === undefined ? undefined : { columns, ...(options.rows === undefined ? {} : { rows: options.rows }) },
    write: async text => {
      written[stream] += text;
      if (stream === 'errors') {
        options.onErrors?.(text);
      }
    },
    broken: new AbortController().signal,
  });
  const status = await run(argv, {
    environment: options.environment,
    output: outputInto('output', options.columns),
    errors: outputInto('errors', options.errorColumns),
    now: () => options.now ?? 0,
    ask: async question => {
      options.onQuestion?.(question);
      return options.answer;
    },
    page: async text => {
      options.onPage?.(text);
      return options.onPage !== undefined;
    },
    listenForInterruption: () => ({
      signal: options.interruption ?? new AbortController().signal,
      [Symbol.dispose]: () => {},
    }),
  });
  return { status, ...written };
}

const PROGRAM = fileURLToPath(new URL('../../../src/bin/dynuserctl.js', import.meta.url));

export interface RunningCommand {
  readonly child: ChildProcessWithoutNullStreams;
  /** resolves with the output so far as soon as it matches */
  readonly shows: (pattern: RegExp) => Promise<string>;
  /** resolves at the end; status is −1 where a signal ended it */
  readonly ended: Promise<Outcome>;
}

/** Starts the program as a process of its own. */
export function startCommand(argv: readonly string[], environment: Readonly<Record<string, string>>): RunningCommand {
  const child = spawn(process.execPath, [PROGRAM, ...argv], { env: { ...process.env, ...environment } });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const ended = once(child, 'close').then(([status]) => ({ status: status ?? -1, output, errors }));
  const shows = async (pattern: RegExp): Promise<string> => {
    while (!pattern.test(output)) {
      const next = await Promise.race([once(child.stdout, 'data'), ended]);
      if (!Array.isArray(next) && !pattern.test(output)) {
        throw new Error(`ended without showing ${pattern}: ${output}${errors}`);
      }
    }
    return output;
  };
  return { child, shows, ended };
}
