/**
 * Interface definitions, and values that are checked against them. Errors are of the parser's own class; more white space between lines
 * changes nothing; what passes the check is encoded, and passes it again as the same.
 */
import assert from 'node:assert/strict';
import { checkStruct, Mismatch } from '../../../src/varlink/idl/check.ts';
import { encodeStruct } from '../../../src/varlink/idl/encode.ts';
import type { IdlInterface, IdlStruct } from '../../../src/varlink/idl/model.ts';
import { IdlError, parseInterface } from '../../../src/varlink/idl/parse.ts';
import { isJsonObject, type JsonObject } from '../../../src/varlink/json.ts';
import { JsonError, parseJson } from '../../../src/varlink/json-parser.ts';
import { outcomeOf, type Target } from './types.ts';

/** Between a definition and the value that is checked against its methods. */
const SEPARATOR = '\n---\n';

function parse(text: string): IdlInterface | IdlError {
  try {
    return parseInterface(text);
  } catch (error) {
    assert.ok(error instanceof IdlError, `${String(error)} is not an IdlError`);
    assert.match(error.message, /^line \d+, column \d+: ./);
    return error;
  }
}

function objectOf(text: string): JsonObject | undefined {
  try {
    const { value } = parseJson(Buffer.from(text));
    return isJsonObject(value) ? value : undefined;
  } catch (error) {
    assert.ok(error instanceof JsonError);
    return undefined;
  }
}

/** An integer that is also a float is written as 1.0 there, and encode refuses what only fits by rounding. */
function tryValue(idl: IdlInterface, struct: IdlStruct, value: JsonObject): string {
  const checked = checkStruct(idl, struct, value);
  if (checked instanceof Mismatch) {
    assert.ok(checked.path.length > 0 || checked.reason !== '');
    return `mismatch ${checked.reason.slice(0, 20)} ${checked.path.length}`;
  }
  const encoded = parseJson(Buffer.from(encodeStruct(idl, struct, checked)));
  assert.equal(encoded.duplicate, undefined);
  assert.ok(isJsonObject(encoded.value));
  assert.deepEqual(checkStruct(idl, struct, encoded.value), checked);
  return 'fits';
}

export const idl: Target = {
  name: 'idl',
  pieces: [
    ...[
      'interface org.example.A\n',
      'type T ',
      'method M',
      'error E ',
      '(',
      ')',
      '->',
      '[]',
      '[string]',
      '?',
      ':',
      ',',
    ],
    ...[
      'bool',
      'int',
      'float',
      'string',
      'object',
      '# c\n',
      '\n',
      ' ',
      'a: ',
      'T',
      '(a, b)',
      '()',
      SEPARATOR,
      '{"a":',
      '}',
    ],
    ...['1', '1.0', 'null', '"x"', '[', ']', 'true', '\t', '\0', 'é'],
  ],
  bytesMax: 2_048,
  start: () => ({
    run(input) {
      const [text = '', value = ''] = input.toString('utf8').split(SEPARATOR, 2);
      const parsed = parse(text);
      const airy = parse(text.replaceAll('\n', ' \n\t'));
      if (parsed instanceof IdlError) {
        assert.ok(airy instanceof IdlError);
        return outcomeOf(parsed);
      }
      assert.deepEqual(airy, parsed);
      const given = objectOf(value);
      const methods = given === undefined ? [] : [...parsed.methods.values()];
      const outcomes = methods.map(method => tryValue(parsed, method.parameters, given ?? {}));
      return `${Math.min(parsed.types.size, 3)} ${Math.min(parsed.methods.size, 3)} ${parsed.errors.size} ${outcomes.join(' ')}`;
    },
  }),
};
