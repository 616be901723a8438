/**
 * One running dynuser-helper: writes a line to it, gives back the line that it answers, and says when it has ended. It
 * knows neither questions nor deadlines; who uses it kills it. Never asked twice at a time.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { DynuserError, reasonOf } from '../../core/errors.ts';
import { ANSWER_BYTES_MAX } from './protocol.ts';

/**
 * All that a helper's environment has. Neither our own NSS module nor nss-systemd, by way of our socket in
 * /run/systemd/userdb, may bring a question back to the daemon that waits for its answer. The records below
 * /etc/userdb, /run/userdb and /usr/lib/userdb nss-systemd reads by itself if it may not ask systemd-userdbd for them,
 * which takes it a tenth of the time.
 */
const ENVIRONMENT = {
  PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
  DYNUSER_NSS_BYPASS: '1',
  SYSTEMD_BYPASS_USERDB: 'io.dynuser.DynamicUser:io.systemd.DropIn',
};

/** Program and arguments of a helper. */
export type HelperCommand = readonly [program: string, ...arguments_: string[]];

export interface HelperEvents {
  /** a whole line came, without its newline */
  answered(line: string): void;
  /** it is gone, or was never there; said once, and nothing after it. The reason completes "the helper …" */
  ended(reason: string): void;
}

export class HelperProcess {
  readonly #child: ChildProcess;
  readonly #events: HelperEvents;
  #received = '';
  #broken: string | undefined;
  #ended = false;

  constructor(command: HelperCommand, events: HelperEvents) {
    const [program, ...rest] = command;
    this.#events = events;
    // What an NSS module complains about goes where our own log goes.
    this.#child = spawn(program, rest, { env: ENVIRONMENT, stdio: ['pipe', 'pipe', 'inherit'], cwd: '/' });
    this.#child.once('error', error => this.#end(`cannot be started (${error.message})`));
    const end = (code: number | null, signal: NodeJS.Signals | null) =>
      this.#end(this.#broken ?? (signal === null ? `exited with status ${code}` : `was ended by ${signal}`));
    this.#child.once('exit', (code, signal) => {
      // One that ends by itself may have answered last, and only 'close' tells that its output was read. After a crash
      // 'close' may be far off: a child of an NSS module can hold the pipe open.
      if (code !== 0) {
        end(code, signal);
      }
    });
    this.#child.once('close', end);
    // There are no streams if the host has no descriptors left: then 'error' follows. EPIPE: 'close' follows.
    this.#child.stdin?.on('error', () => {});
    this.#child.stdout?.setEncoding('latin1').on('data', (text: string) => this.#receive(text));
  }

  /** @param line with its newline */
  ask(line: string): void {
    this.#child.stdin?.write(line);
  }

  /** Ends it at once; ended() follows. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #receive(text: string): void {
    this.#received += text;
    const end = this.#received.indexOf('\n');
    if (end === -1 && this.#received.length < ANSWER_BYTES_MAX) {
      return;
    }
    // One question, one answer: anything behind its newline is not an answer to anything.
    if (end === -1 || end !== this.#received.length - 1 || end >= ANSWER_BYTES_MAX) {
      this.#broken = 'broke its protocol';
      this.#received = '';
      this.kill();
      return;
    }
    const line = this.#received.slice(0, end);
    this.#received = '';
    if (this.#broken === undefined) {
      this.#events.answered(line);
    }
  }

  #end(reason: string): void {
    if (!this.#ended) {
      this.#ended = true;
      this.#events.ended(reason);
    }
  }
}

/** Without its helper the daemon could answer no request. @throws DynuserError HostFailed */
export function checkHelper(path: string): void {
  try {
    accessSync(path, constants.X_OK);
  } catch (error) {
    const problem = `it cannot be run (${reasonOf(error)}); install dynuser again`;
    throw new DynuserError('HostFailed', `${path}: ${problem}`, {}, error);
  }
}
