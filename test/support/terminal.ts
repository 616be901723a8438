/**
 * A shell on a pseudo-terminal of a machine, of which a person would see the same: each line is typed at the prompt that it
 * belongs to, and what stands on the screen afterwards is the transcript.
 */

import type { MachineProcess } from './machine/process.ts';
import type { Machine } from './machine.ts';

/** How long one command may take until the next prompt is there, in milliseconds. */
const PROMPT_DEADLINE_MS = 20_000;
/** dash's, for root, for anybody else, and within a here-document. */
const PROMPT = /(?:^|\n)([#$>] )$/;
const INPUT = /^[#$>] /;

export interface PlayOptions {
  /** Brings what is on the screen, and what should be, into a form in which the two can be compared. */
  readonly normalise: (transcript: string) => string;
  /** Waits for what a person would not be quick enough to see, before each line that is typed at root's prompt. */
  readonly settle: () => Promise<void>;
  /** The last command does not end by itself: the session is over as soon as its output is there. */
  readonly runsOn: boolean;
}

/**
 * Types the lines of a session that begin with a prompt.
 * @param session as it should look, from the first prompt on
 * @returns what it did look like
 */
export async function playSession(machine: Machine, session: string, options: PlayOptions): Promise<string> {
  // script(1) gives the shell the terminal as its controlling one.
  const screen = new Screen(await machine.spawn(['script', '--quiet', '--command', 'sh', '/dev/null']));
  for (const line of session.split('\n').filter(text => INPUT.test(text))) {
    const prompt = await screen.until(text => PROMPT.exec(text)?.[1]);
    if (prompt !== line.slice(0, prompt.length)) {
      throw new Error(`there is the prompt "${prompt}" where "${line}" should be typed:\n${screen.text}`);
    }
    if (prompt === '# ') {
      await options.settle();
    }
    screen.type(`${line.slice(prompt.length)}\n`);
  }
  const wanted = options.normalise(session);
  await screen.until((text, all) => PROMPT.test(text) || (options.runsOn && options.normalise(all) === wanted));
  return screen.text.replace(PROMPT, '\n');
}

class Screen {
  readonly #shell: MachineProcess;
  #text = '';
  /** where what was typed last begins: a prompt before it is answered already */
  #typed = 0;
  #wake = (): void => undefined;

  constructor(shell: MachineProcess) {
    this.#shell = shell;
    shell.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#text += text.replaceAll('\r', '');
      this.#wake();
    });
    shell.stdout.on('end', () => this.#wake());
  }

  get text(): string {
    return this.#text;
  }

  type(text: string): void {
    this.#typed = this.#text.length;
    this.#shell.stdin.write(text);
  }

  /** @param see gets what came since the last line was typed, and all of it @throws Error where it does not see it in time */
  async until<T>(see: (text: string, all: string) => T | undefined | false): Promise<T> {
    const deadline = Date.now() + PROMPT_DEADLINE_MS;
    for (;;) {
      const seen = see(this.#text.slice(this.#typed), this.#text);
      if (seen !== undefined && seen !== false) {
        return seen;
      }
      const rest = deadline - Date.now();
      if (rest <= 0 || this.#shell.stdout.readableEnded) {
        throw new Error(`the terminal ${rest <= 0 ? 'shows no prompt' : 'is gone'}:\n${this.#text}`);
      }
      await this.#news(rest);
    }
  }

  #news(timeoutMs: number): Promise<void> {
    return new Promise(resolve => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
