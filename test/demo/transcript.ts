/** Runs the commands of the demo in a machine, shows each with what it really printed, and holds it against what it should print. */
import type { Machine } from '../support/machine.ts';

export interface Expected {
  /** the exit status; 0 unless said */
  readonly status?: number;
  /** all of it, or what it has to match; nothing unless said */
  readonly stdout?: string | RegExp;
  readonly stderr?: string | RegExp;
}

/** A command that did something else than it should. */
export class Mismatch extends Error {}

export class Transcript {
  readonly #machine: Machine;
  #commands = 0;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** how many commands were run and did what they should */
  get commands(): number {
    return this.#commands;
  }

  /** A line between the commands that says what comes. */
  say(text: string): void {
    process.stdout.write(`\n${text}\n`);
  }

  /** Shows something that was done by other means as the command it amounts to. */
  show(command: string): void {
    process.stdout.write(`# ${command}\n`);
  }

  /** @param command one line of shell @throws Mismatch */
  async run(command: string, expected: Expected): Promise<void> {
    this.show(command);
    const { status, stdout, stderr } = await this.#machine.run(['sh', '-c', command]);
    process.stdout.write(stdout + stderr);
    const differences = [
      ...compare('exit status', String(expected.status ?? 0), String(status)),
      ...compare('output', expected.stdout ?? '', stdout),
      ...compare('error output', expected.stderr ?? '', stderr),
    ];
    if (differences.length > 0) {
      throw new Mismatch(`"${command}" did not do what it should:\n${differences.join('\n')}`);
    }
    this.#commands++;
  }
}

/** @returns lines that say how the two differ; none where they do not */
function compare(what: string, expected: string | RegExp, actual: string): string[] {
  const same = typeof expected === 'string' ? expected === actual : expected.test(actual);
  const wanted = typeof expected === 'string' ? expected : `what matches ${expected}`;
  return same ? [] : [`  ${what}:`, ...marked('-', wanted), ...marked('+', actual)];
}

function marked(mark: string, text: string): string[] {
  return text
    .replace(/\n$/, '')
    .split('\n')
    .map(line => `  ${mark} ${line}`);
}
