/**
 * Looks at a message before it is decoded: who sent it, and how many values it holds. To decode many tiny values takes a hundred times as long
 * as to count them here, and counting ends at a bound. Nothing is trusted: what does not fit into the bytes is an error. (D-Bus
 * specification, "Marshaling" and "Message Format".)
 */
import { DEPTH_MAX, HEADER_FIELDS_MAX, HEADER_VALUES_MAX } from './limits.ts';

/** The fixed part, with the length of the body at 4, the serial at 8, and the length of the array of header fields at its end. */
export const FIXED_BYTES = 16;
const TYPE_AT = 1;
const FLAGS_AT = 2;
const BODY_LENGTH_AT = 4;
const SERIAL_AT = 8;
const FIELDS_LENGTH_AT = 12;
const LITTLE_ENDIAN = 'l'.charCodeAt(0);

/** Message types, and the header fields that are read here. */
export const METHOD_CALL = 1;
export const SIGNAL = 4;
const SENDER = 7;
const SIGNATURE = 8;
const NO_REPLY_EXPECTED = 1;

/** A bus name (D-Bus specification, "Valid Names"): also what may be answered to, since no other name can be encoded safely. */
const BUS_NAME = /^:?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+$/;

/** The size of each type of a fixed size, which is its alignment too. */
const FIXED_SIZES: Readonly<Record<string, number>> = { y: 1, n: 2, q: 2, b: 4, i: 4, u: 4, h: 4, x: 8, t: 8, d: 8 };
const END_OF: Readonly<Record<string, string>> = { '(': ')', '{': '}' };

/** Why a message is not decoded. */
export class Unreadable extends Error {
  override readonly name = 'Unreadable';
}

export interface Head {
  readonly type: number;
  readonly serial: number;
  readonly replyExpected: boolean;
  /** as the bus stamped it; empty if it did not */
  readonly sender: string;
  readonly signature: string;
}

/** @returns the length of what follows the fixed part: the header's fields, padded to a multiple of 8, and the body */
export function restLength(fixed: Buffer): number {
  return bodyOffset(fixed) + read32(fixed, BODY_LENGTH_AT);
}

/**
 * @param fixed FIXED_BYTES bytes
 * @param rest restLength() bytes
 * @throws Unreadable if its header cannot be read, has more than HEADER_FIELDS_MAX fields, or names a sender that is not a bus name
 */
export function readHead(fixed: Buffer, rest: Buffer): Head {
  const end = read32(fixed, FIELDS_LENGTH_AT);
  const walk = new Walk(rest.subarray(0, end), isLittle(fixed), HEADER_VALUES_MAX);
  let sender = '';
  let signature = '';
  for (let count = 0; walk.offset < end; count++) {
    if (count === HEADER_FIELDS_MAX) {
      throw new Unreadable(`it has more than ${HEADER_FIELDS_MAX} header fields`);
    }
    walk.align(8);
    const code = walk.byte();
    const type = walk.signature();
    if (code === SENDER && type === 's') {
      sender = walk.text(walk.word());
      if (!BUS_NAME.test(sender)) {
        throw new Unreadable('its sender is not a bus name');
      }
    } else if (code === SIGNATURE && type === 'g') {
      signature = walk.text(walk.byte());
    } else {
      walk.skipAll(type, 1);
    }
  }
  return {
    type: fixed[TYPE_AT] ?? 0,
    serial: read32(fixed, SERIAL_AT),
    replyExpected: ((fixed[FLAGS_AT] ?? 0) & NO_REPLY_EXPECTED) === 0,
    sender,
    signature,
  };
}

/**
 * @param max how many values its body may hold; containers count, and what is in them; an array of bytes is one
 * @throws Unreadable if it holds more, or is nested deeper than DEPTH_MAX, or is cut short
 */
export function checkBody(fixed: Buffer, rest: Buffer, { signature }: Head, max: number): void {
  new Walk(rest.subarray(bodyOffset(fixed)), isLittle(fixed), max).skipAll(signature, 0);
}

function isLittle(fixed: Buffer): boolean {
  return fixed[0] === LITTLE_ENDIAN;
}

function read32(fixed: Buffer, offset: number): number {
  return isLittle(fixed) ? fixed.readUInt32LE(offset) : fixed.readUInt32BE(offset);
}

/** The body begins at a multiple of 8, as the fields do: alignment may be counted from either. */
function bodyOffset(fixed: Buffer): number {
  return Math.ceil(read32(fixed, FIELDS_LENGTH_AT) / 8) * 8;
}

/** Goes over marshalled values by their signature. */
class Walk {
  readonly #bytes: Buffer;
  readonly #little: boolean;
  readonly #max: number;
  #values = 0;
  offset = 0;

  constructor(bytes: Buffer, little: boolean, max: number) {
    this.#bytes = bytes;
    this.#little = little;
    this.#max = max;
  }

  /** Goes over a value of each type of a signature. @param depth of the containers around them */
  skipAll(signature: string, depth: number): void {
    for (let at = 0; at < signature.length; ) {
      at = this.#skip(signature, at, depth);
    }
  }

  align(size: number): void {
    this.#forward((size - (this.offset % size)) % size);
  }

  byte(): number {
    this.#forward(1);
    return this.#bytes[this.offset - 1] ?? 0;
  }

  word(): number {
    this.align(4);
    this.#forward(4);
    return this.#little ? this.#bytes.readUInt32LE(this.offset - 4) : this.#bytes.readUInt32BE(this.offset - 4);
  }

  /** @returns the text of so many bytes, which a NUL follows */
  text(length: number): string {
    const start = this.offset;
    this.#forward(length + 1);
    return this.#bytes.toString('latin1', start, start + length);
  }

  signature(): string {
    return this.text(this.byte());
  }

  /** @returns where the next complete type of the signature begins */
  #skip(signature: string, at: number, depth: number): number {
    const type = signature[at] ?? '';
    this.#count(1);
    if (depth > DEPTH_MAX) {
      throw new Unreadable(`it is nested deeper than ${DEPTH_MAX}`);
    }
    const size = FIXED_SIZES[type];
    if (size !== undefined) {
      this.align(size);
      this.#forward(size);
      return at + 1;
    }
    switch (type) {
      case 's':
      case 'o':
        this.#forward(this.word() + 1);
        return at + 1;
      case 'g':
        this.#forward(this.byte() + 1);
        return at + 1;
      case 'v':
        this.skipAll(this.signature(), depth + 1);
        return at + 1;
      case 'a':
        return this.#skipArray(signature, at + 1, depth + 1);
      case '(':
      case '{':
        return this.#skipStruct(signature, at, depth + 1);
      default:
        throw new Unreadable(`it has the type ${JSON.stringify(type)}`);
    }
  }

  #skipStruct(signature: string, begin: number, depth: number): number {
    const end = END_OF[signature[begin] ?? ''];
    this.align(8);
    let at = begin + 1;
    while (signature[at] !== end) {
      at = this.#skip(signature, at, depth);
    }
    return at + 1;
  }

  #skipArray(signature: string, element: number, depth: number): number {
    const length = this.word();
    const type = signature[element] ?? '';
    const size = FIXED_SIZES[type];
    this.align(size ?? (type in END_OF ? 8 : type === 'v' || type === 'g' ? 1 : 4));
    const end = this.offset + length;
    if (size !== undefined) {
      this.#count(type === 'y' ? 0 : Math.ceil(length / size));
      this.#forward(length);
      return element + 1;
    }
    while (this.offset < end) {
      this.#skip(signature, element, depth);
    }
    return endOfType(signature, element);
  }

  #count(values: number): void {
    this.#values += values;
    if (this.#values > this.#max) {
      throw new Unreadable(`it holds more than ${this.#max} values`);
    }
  }

  #forward(bytes: number): void {
    this.offset += bytes;
    if (this.offset > this.#bytes.length) {
      throw new Unreadable('it is cut short');
    }
  }
}

/** @returns where the complete type that begins there ends in the signature */
function endOfType(signature: string, begin: number): number {
  let at = begin;
  while (signature[at] === 'a') {
    at++;
  }
  const opening = signature[at];
  if (opening === undefined) {
    throw new Unreadable('its signature has no end');
  }
  at++;
  let open = opening in END_OF ? 1 : 0;
  while (open > 0) {
    const type = signature[at];
    if (type === undefined) {
      throw new Unreadable('its signature has no end');
    }
    open += type in END_OF ? 1 : type === ')' || type === '}' ? -1 : 0;
    at++;
  }
  return at;
}
