/**
 * Parses the bytes of a peer as JSON (RFC 8259). It is stricter than JSON.parse: it refuses invalid UTF-8, lone surrogates, NUL and
 * unbounded nesting, reports duplicate keys, and keeps integers of up to 64 bits exact.
 */
import { isUtf8 } from 'node:buffer';
import { fitsInt64, type Json, type JsonObject } from './json.ts';
import { JSON_DEPTH_MAX } from './limits.ts';

export class JsonError extends Error {
  override readonly name = 'JsonError';
}

export interface ParsedJson {
  readonly value: Json;
  /** the keys that lead to the first key that its object has twice; array indexes left out */
  readonly duplicate?: readonly string[];
}

/** @throws JsonError if the bytes are not one JSON value that is within the bounds */
export function parseJson(bytes: Buffer): ParsedJson {
  if (!isUtf8(bytes)) {
    throw new JsonError('not UTF-8');
  }
  const text = bytes.toString('utf8');
  return readCanonical(text) ?? new Parser(text).parse();
}

/** Longer messages are few. */
const CANONICAL_LENGTH_MAX = 4_096;
/** A number with so many digits may have no exact double. */
const LONG_NUMBER = /(?:^|[:[,])-?(?:\d{17}|9\d{15})/;
const OPENING = /[[{]/g;

/**
 * Most messages are as JSON.stringify() writes them. Such a message has no key twice, no number that was rounded, and nothing else that
 * JSON.parse() guesses at. JSON.parse() takes a fraction of the time, and its strings do not keep the message in memory, as parts of it would.
 * @returns undefined if the text is not known to be such a message
 */
function readCanonical(text: string): ParsedJson | undefined {
  // An escape may stand for a character that is refused.
  const isPlain = text.length <= CANONICAL_LENGTH_MAX && !text.includes('\\') && !LONG_NUMBER.test(text);
  if (!isPlain || (text.match(OPENING)?.length ?? 0) > JSON_DEPTH_MAX) {
    return undefined;
  }
  try {
    const value: Json = JSON.parse(text);
    return JSON.stringify(value) === text ? { value } : undefined;
  } catch {
    // The parser says where.
    return undefined;
  }
}

/** "-9223372036854775808" and "18446744073709551615": a longer number has no exact value here. */
const INTEGER_LENGTH_MAX = 20;

const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
const HEX4 = /^[0-9a-fA-F]{4}$/;

/** By the character behind the backslash. */
const SIMPLE_ESCAPES: ReadonlyMap<string, string> = new Map(
  Object.entries({ '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }),
);

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const BRACE_OPEN = 0x7b;
const BRACE_CLOSE = 0x7d;
const BRACKET_OPEN = 0x5b;
const BRACKET_CLOSE = 0x5d;

class Parser {
  readonly #text: string;
  #offset = 0;
  #depth = 0;
  #duplicate: readonly string[] | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): ParsedJson {
    const value = this.#value();
    this.#skipSpace();
    if (this.#offset < this.#text.length) {
      throw this.#unexpected();
    }
    return this.#duplicate === undefined ? { value } : { value, duplicate: this.#duplicate };
  }

  #value(): Json {
    this.#skipSpace();
    switch (this.#text.charCodeAt(this.#offset)) {
      case QUOTE:
        return this.#string();
      case BRACE_OPEN:
        return this.#object();
      case BRACKET_OPEN:
        return this.#array();
      case 0x74:
        return this.#word('true', true);
      case 0x66:
        return this.#word('false', false);
      case 0x6e:
        return this.#word('null', null);
      default:
        return this.#number();
    }
  }

  #object(): JsonObject {
    const object: Record<string, Json> = {};
    this.#enter();
    if (this.#accept(BRACE_CLOSE)) {
      this.#depth -= 1;
      return object;
    }
    do {
      this.#skipSpace();
      if (this.#text.charCodeAt(this.#offset) !== QUOTE) {
        throw this.#unexpected();
      }
      const key = this.#string();
      this.#expect(COLON);
      const before = this.#duplicate;
      const value = this.#value();
      if (this.#duplicate !== before && this.#duplicate !== undefined) {
        this.#duplicate = [key, ...this.#duplicate];
      }
      if (Object.hasOwn(object, key)) {
        this.#duplicate ??= [key];
      }
      if (key === '__proto__') {
        // An assignment would set the prototype instead.
        Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
      } else {
        object[key] = value;
      }
    } while (this.#accept(COMMA));
    this.#expect(BRACE_CLOSE);
    this.#depth -= 1;
    return object;
  }

  #array(): readonly Json[] {
    const array: Json[] = [];
    this.#enter();
    if (this.#accept(BRACKET_CLOSE)) {
      this.#depth -= 1;
      return array;
    }
    do {
      array.push(this.#value());
    } while (this.#accept(COMMA));
    this.#expect(BRACKET_CLOSE);
    this.#depth -= 1;
    return array;
  }

  #string(): string {
    const text = this.#text;
    this.#offset += 1;
    let decoded = '';
    let start = this.#offset;
    for (;;) {
      const code = text.charCodeAt(this.#offset);
      if (code === QUOTE) {
        decoded += text.slice(start, this.#offset);
        this.#offset += 1;
        return decoded;
      }
      if (code === BACKSLASH) {
        decoded += text.slice(start, this.#offset) + this.#escape();
        start = this.#offset;
      } else if (code >= 0x20) {
        this.#offset += 1;
      } else {
        // A control character, or NaN behind the last character.
        throw this.#unexpected();
      }
    }
  }

  /** A lone surrogate has no UTF-8 form, and NUL ends a message and every C string: neither can be handed on. */
  #escape(): string {
    const letter = this.#text.charAt(this.#offset + 1);
    const simple = SIMPLE_ESCAPES.get(letter);
    if (simple !== undefined) {
      this.#offset += 2;
      return simple;
    }
    if (letter !== 'u') {
      throw this.#unexpected();
    }
    const unit = this.#hexUnit();
    if (unit === 0) {
      throw new JsonError(`NUL in a string before offset ${this.#offset}`);
    }
    if (unit < 0xd800 || unit > 0xdfff) {
      return String.fromCharCode(unit);
    }
    const low = this.#text.startsWith('\\u', this.#offset) ? this.#hexUnit() : 0;
    if (unit > 0xdbff || low < 0xdc00 || low > 0xdfff) {
      throw new JsonError(`lone surrogate before offset ${this.#offset}`);
    }
    return String.fromCharCode(unit, low);
  }

  #hexUnit(): number {
    const digits = this.#text.slice(this.#offset + 2, this.#offset + 6);
    if (!HEX4.test(digits)) {
      throw this.#unexpected();
    }
    this.#offset += 6;
    return Number.parseInt(digits, 16);
  }

  #number(): number | bigint {
    NUMBER.lastIndex = this.#offset;
    const found = NUMBER.exec(this.#text);
    if (found === null) {
      throw this.#unexpected();
    }
    this.#offset = NUMBER.lastIndex;
    const [token, fraction, exponent] = found;
    const value = Number(token);
    if (!Number.isFinite(value)) {
      throw new JsonError(`number too large before offset ${this.#offset}`);
    }
    const isInteger = fraction === undefined && exponent === undefined;
    if (!isInteger || Number.isSafeInteger(value) || token.length > INTEGER_LENGTH_MAX) {
      return value;
    }
    const exact = BigInt(token);
    return fitsInt64(exact) ? exact : value;
  }

  #word<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#offset)) {
      throw this.#unexpected();
    }
    this.#offset += word.length;
    return value;
  }

  /** Steps over the sign that opens an object or an array. */
  #enter(): void {
    this.#offset += 1;
    this.#depth += 1;
    if (this.#depth > JSON_DEPTH_MAX) {
      throw new JsonError(`nested more than ${JSON_DEPTH_MAX} deep`);
    }
  }

  #accept(code: number): boolean {
    this.#skipSpace();
    const found = this.#text.charCodeAt(this.#offset) === code;
    if (found) {
      this.#offset += 1;
    }
    return found;
  }

  #expect(code: number): void {
    if (!this.#accept(code)) {
      throw this.#unexpected();
    }
  }

  #skipSpace(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#offset);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) {
        return;
      }
      this.#offset += 1;
    }
  }

  #unexpected(): JsonError {
    const code = this.#text.codePointAt(this.#offset);
    const found = code === undefined ? 'end' : JSON.stringify(String.fromCodePoint(code));
    return new JsonError(`unexpected ${found} at offset ${this.#offset}`);
  }
}
