/**
 * The JSON parser beside JSON.parse, and its short way beside the careful one: whatever it takes, JSON.parse takes as well and finds the same in it; what it refuses and JSON.parse
 * takes has one of the reasons that it is stricter for. What it takes is written, and reads as the same again.
 */
import assert from 'node:assert/strict';
import { isUtf8 } from 'node:buffer';
import { isDeepStrictEqual } from 'node:util';
import { isJsonArray, type Json, writeJson } from '../../../src/varlink/json.ts';
import { JsonError, type ParsedJson, parseJson } from '../../../src/varlink/json-parser.ts';
import { JSON_DEPTH_MAX } from '../../../src/varlink/limits.ts';
import { outcomeOf, type Target } from './types.ts';

/** @returns the value with exact integers rounded, as JSON.parse has them */
function rounded(value: Json): unknown {
  if (typeof value === 'bigint') {
    return Number(value);
  }
  if (typeof value !== 'object' || value === null) {
    return value === 0 ? 0 : value;
  }
  if (isJsonArray(value)) {
    return value.map(rounded);
  }
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, rounded(member)]));
}

function depthOf(text: string): number {
  let [depth, deepest, quoted] = [0, 0, false];
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (quoted) {
      at += character === '\\' ? 1 : 0;
      quoted = character !== '"';
    } else if (character === '"') {
      quoted = true;
    } else if ('[{'.includes(character)) {
      depth++;
      deepest = Math.max(deepest, depth);
    } else if (']}'.includes(character)) {
      depth--;
    }
  }
  return deepest;
}

/** What JSON.parse guesses at and this parser refuses: NUL, half a surrogate pair, no end of nesting, numbers without end. */
function mayBeRefused(text: string): boolean {
  // Of the text, not of its value: of a member that is there twice JSON.parse keeps the second.
  const numbers = text.replace(/"(?:[^"\\]|\\.)*"/g, '""').match(/-?\d[\d.eE+-]*/g) ?? [];
  return (
    depthOf(text) > JSON_DEPTH_MAX ||
    /\\u0000|\\u[dD][89a-fA-F]/.test(text) ||
    // JSON has no such number; JSON.parse makes it infinite.
    numbers.some(number => Math.abs(Number(number)) === Number.POSITIVE_INFINITY)
  );
}

function parse(input: Buffer): ParsedJson | JsonError {
  try {
    return parseJson(input);
  } catch (error) {
    assert.ok(error instanceof JsonError, `${String(error)} is not a JsonError`);
    return error;
  }
}

function parseByNode(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text, (_key, value: unknown) => (value === 0 ? 0 : value)) };
  } catch {
    return undefined;
  }
}

export const json: Target = {
  name: 'json',
  pieces: [
    ...[
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '\\',
      '\\u',
      '\\ud83d\\ude00',
      '\\ud800',
      '\\u0000',
      'true',
      'false',
      'null',
    ],
    ...[
      '-',
      '0',
      '1',
      '.5',
      'e9',
      'E+308',
      'e-400',
      '9007199254740993',
      '18446744073709551616',
      '"__proto__":',
      '"a":',
    ],
    ...[' ', '\t', '\n', '\r', '\ufeff', '\u2028', 'é', '[[[[[[[[', ']]]]]]]]'],
  ],
  bytesMax: 1_024,
  start: () => ({
    run(input) {
      const parsed = parse(input);
      // With white space behind it no text is as JSON.stringify() writes it, so that it is read character by character.
      const careful = parse(Buffer.concat([input, Buffer.from(' ')]));
      assert.ok(parsed instanceof JsonError ? careful instanceof JsonError : isDeepStrictEqual(parsed, careful));
      const text = input.toString('utf8');
      const other = isUtf8(input) ? parseByNode(text) : undefined;
      if (parsed instanceof JsonError) {
        assert.ok(other === undefined || mayBeRefused(text), `refused: ${parsed.message}`);
        return outcomeOf(parsed);
      }
      assert.notEqual(other, undefined, 'JSON.parse refuses it');
      if (parsed.duplicate === undefined) {
        assert.deepEqual(rounded(parsed.value), other?.value);
      }
      const written = writeJson(parsed.value);
      // By its text: the sign of -0 is nobody's business.
      assert.equal(writeJson(parseJson(Buffer.from(written)).value), written);
      return `${typeof parsed.value} ${parsed.duplicate === undefined ? '' : 'twice'} ${Math.min(depthOf(text), 8)}`;
    },
  }),
};
