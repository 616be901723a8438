/** SECURITY.md promises nothing without a test: the rows of its threat model, and the files that they name. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, it } from 'node:test';
import { CHECKOUT } from '../../src/tooling/checkout.ts';
import { readSource } from '../support/sources.ts';

const HEADER = '| who | what they can do | what holds it | test |';
const ROWS_MIN = 20;

/** @returns the cells of each row below the header of the threat model, until the table ends */
function threatRows(text: string): string[][] {
  const lines = text.split('\n');
  const header = lines.indexOf(HEADER);
  assert.notEqual(header, -1, 'SECURITY.md has no threat model');
  const body = lines.slice(header + 2);
  const end = body.findIndex(line => !line.startsWith('|'));
  return body.slice(0, end === -1 ? undefined : end).map(line =>
    line
      .replace(/^\||\|$/g, '')
      .split('|')
      .map(cell => cell.trim()),
  );
}

/** @returns the tests that the last cell names, as `npm test --` takes them, and what else stands in it */
function testsOf(cell: string): { names: string[]; rest: string } {
  return { names: [...cell.matchAll(/`([^`]*)`/g)].map(([, name]) => name ?? ''), rest: cell.replace(/`[^`]*`/g, '') };
}

function fault(row: readonly string[]): string | undefined {
  const { names, rest } = testsOf(row[3] ?? '');
  if (row.length !== 4 || row.some(cell => cell === '')) {
    return `not four cells: ${row.join(' | ')}`;
  }
  if (names.length === 0 || /[^\s,]/.test(rest)) {
    return `no list of tests: ${row[3]}`;
  }
  const missing = names.find(
    name => !/^(?:[a-z-]+\/)+[a-z0-9-]+$/.test(name) || !existsSync(`${CHECKOUT}test/${name}.test.ts`),
  );
  return missing === undefined ? undefined : `no such test: ${missing}`;
}

describe('the threat model of SECURITY.md', () => {
  const rows = threatRows(readSource('SECURITY.md'));

  it('has a test behind each of its rows', () => {
    assert.ok(rows.length >= ROWS_MIN, `${rows.length} rows are too few to be all`);
    assert.deepEqual(rows.map(fault).filter(Boolean), []);
  });

  it('says each thing once', () => {
    const said = rows.map(row => row.slice(0, 2).join(': '));
    assert.deepEqual(
      said.filter((row, index) => said.indexOf(row) !== index),
      [],
    );
  });

  it('would be seen to be wrong', () => {
    const table = [
      HEADER,
      '| --- | --- | --- | --- |',
      '| a | b | c | `contract/security` |',
      '| a | b | c | `contract/nothing` |',
      '| a | b | c | it is known |',
      '| a | b | `contract/security` |',
      '| a | b | c | `../../etc/passwd` |',
    ];
    assert.deepEqual(threatRows(table.join('\n')).map(fault), [
      undefined,
      'no such test: contract/nothing',
      'no list of tests: it is known',
      'not four cells: a | b | `contract/security`',
      'no such test: ../../etc/passwd',
    ]);
  });
});
