/**
 * Unit files and environment files. Errors are of our own class and name where they are from; what is read is the same with other ends of
 * lines and with comments in between, and every assignment has a place in the text.
 */
import assert from 'node:assert/strict';
import { DynuserError } from '../../../src/core/errors.ts';
import { parseEnvironmentFile } from '../../../src/launch/syntax/environment-file.ts';
import { type Assignment, parseUnitFile } from '../../../src/launch/syntax/unit-file.ts';
import { outcomeOf, type Target } from './types.ts';

const PATH = '/srv/a.service';

function parse(text: string): { found: readonly Assignment[]; warnings: number } | DynuserError {
  let warnings = 0;
  try {
    return { found: parseUnitFile(text, PATH, () => void warnings++).service, warnings };
  } catch (error) {
    assert.ok(error instanceof DynuserError, String(error));
    assert.ok(error.detail.field?.startsWith(PATH) === true && error.message.length < 1_000, error.message);
    return error;
  }
}

function withoutOrigin(found: readonly Assignment[]): string[] {
  return found.map(({ name, value }) => `${name}=${value}`);
}

function tryUnit(text: string): string {
  const read = parse(text);
  const other = parse(text.replaceAll('\r', '').replaceAll('\n', '\r\n# between\r\n'));
  if (read instanceof DynuserError) {
    return outcomeOf(read);
  }
  const lines = text.split(/\r\n|\n|\r/).length;
  for (const { name, value, origin } of read.found) {
    assert.ok(!/^[ \t]|[ \t]$/.test(name) && !/^[ \t]|[ \t]$/.test(value));
    assert.ok(!/[\0\n\r]/.test(name + value));
    const line = Number(/:(\d+)$/.exec(origin ?? '')?.[1]);
    assert.ok(line >= 1 && line <= lines, origin);
  }
  if (!text.includes('\r')) {
    assert.ok(!(other instanceof DynuserError), String(other));
    assert.deepEqual(withoutOrigin(other.found), withoutOrigin(read.found));
  }
  return `${Math.min(read.found.length, 6)} ${Math.min(read.warnings, 2)}`;
}

function tryEnvironment(text: string): string {
  const found = parseEnvironmentFile(text);
  for (const { name, value } of found) {
    assert.ok(!name.includes('=') && name.length + value.length <= text.length);
  }
  // Written between double quotes, each value reads as itself.
  const written = found.map(({ value }, index) => `V${index}="${value.replace(/["\\`$]/g, '\\$&')}"\n`).join('');
  assert.deepEqual(
    parseEnvironmentFile(written).map(({ value }) => value),
    found.map(({ value }) => value),
  );
  return `${Math.min(found.length, 6)}`;
}

export const unitFiles: Target = {
  name: 'unit-files',
  pieces: [
    ...['[Service]', '[Unit]', '[X-a]', '[', ']', '=', '\n', '\r\n', '\r', '\\\n', '\\', '#', ';', ' ', '\t', '"', "'"],
    ...['ExecStart=/x', 'User=a', '.include /x', '\0', '\ufeff', '$A', '`', 'é', '\ud800'],
  ],
  bytesMax: 1_024,
  start: () => ({
    run(input) {
      const text = input.toString('utf8');
      return `${tryUnit(text)} / ${tryEnvironment(text)}`;
    },
  }),
};
