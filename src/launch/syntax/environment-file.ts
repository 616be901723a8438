/** The syntax of environment files (systemd.exec(5), EnvironmentFile=): that of a shell's assignments, without a shell. Pure. */
import { skipWhitespace, trimmed, WHITESPACE } from './words.ts';

export interface FileVariable {
  readonly name: string;
  readonly value: string;
}

/** What a backslash takes its meaning from between double quotes, as in a POSIX shell. */
const ESCAPED_IN_QUOTES = '"\\`$';

/** @returns the assignments in order, whatever their names; text without "=" is passed over */
export function parseEnvironmentFile(text: string): FileVariable[] {
  const found: FileVariable[] = [];
  const reader = new Reader(text.replace(/\r\n?/g, '\n'));
  while (!reader.done) {
    const variable = reader.line();
    if (variable !== undefined) {
      found.push(variable);
    }
  }
  return found;
}

/** @returns the values by their names; of several of a name the last one holds */
export function variablesIn(text: string): ReadonlyMap<string, string> {
  return new Map(parseEnvironmentFile(text).map(({ name, value }) => [name, value]));
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get done(): boolean {
    return this.#at >= this.#text.length;
  }

  /** Reads one line, or several that belong together. */
  line(): FileVariable | undefined {
    this.#at = skipWhitespace(this.#text, this.#at);
    if (this.done) {
      return undefined;
    }
    const end = this.#endOfLine();
    const equals = '#;'.includes(this.#text.charAt(this.#at)) ? -1 : this.#text.slice(this.#at, end).indexOf('=');
    if (equals < 0) {
      this.#at = end + 1;
      return undefined;
    }
    const name = trimmed(this.#text.slice(this.#at, this.#at + equals));
    this.#at += equals + 1;
    return { name, value: this.#value() };
  }

  #endOfLine(): number {
    const end = this.#text.indexOf('\n', this.#at);
    return end < 0 ? this.#text.length : end;
  }

  /** Quoted parts and plain ones may follow each other; white space around them goes, and inside a plain one stays. */
  #value(): string {
    let value = '';
    let plain = false;
    // The end of the plain part without the white space behind it.
    let kept = 0;
    for (; !this.done; this.#at++) {
      const character = this.#text.charAt(this.#at);
      if (character === '\n') {
        this.#at++;
        break;
      }
      if (!plain && (character === '"' || character === "'")) {
        value += this.#quoted(character);
        kept = value.length;
      } else if (character === '\\') {
        plain = true;
        this.#at++;
        const next = this.#text.charAt(this.#at);
        value += next === '\n' ? '' : next;
        kept = value.length;
      } else if (plain || !WHITESPACE.includes(character)) {
        plain = true;
        value += character;
        kept = WHITESPACE.includes(character) ? kept : value.length;
      }
    }
    return value.slice(0, kept);
  }

  /** Reads from one quote to the next; a quote that is not closed goes to the end of the text, as with systemd. */
  #quoted(quote: string): string {
    let value = '';
    for (this.#at++; !this.done; this.#at++) {
      const character = this.#text.charAt(this.#at);
      if (character === quote) {
        break;
      }
      if (character === '\\' && quote === '"') {
        this.#at++;
        const next = this.#text.charAt(this.#at);
        value += next === '\n' ? '' : ESCAPED_IN_QUOTES.includes(next) ? next : `\\${next}`;
      } else {
        value += character;
      }
    }
    return value;
  }
}
