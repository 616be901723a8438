/** Entries of the journal, as its native protocol has them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeEntry, Journal, logsToJournal, openJournal } from '../../../../src/host/systemd/journal.ts';

test('a field is a line, and one with several lines has its length in front', () => {
  const entry = encodeEntry([
    ['MESSAGE', 'a=b'],
    ['DYNUSER_STACK', 'x\ny'],
    ['PRIORITY', '6'],
  ]);
  const expected = 'MESSAGE=a=b\nDYNUSER_STACK\n\x03\0\0\0\0\0\0\0x\ny\nPRIORITY=6\n';
  assert.equal(entry.toString('latin1'), expected);
});

test('a value is cut, and an entry has no more fields than fit', () => {
  const long = encodeEntry([['MESSAGE', 'é'.repeat(100_000)]]);
  assert.equal(long.length, 'MESSAGE=\n'.length + 8_192);
  const many = encodeEntry(Array.from({ length: 20 }, (_, index) => [`F${index}`, 'x'.repeat(8_192)] as const));
  assert.ok(many.length <= 65_536 && many.length > 7 * 8_192, String(many.length));
});

test('standard error is the journal’s only if it is the very stream that systemd has opened', () => {
  assert.equal(logsToJournal(undefined), false);
  assert.equal(logsToJournal('1:1'), false);
  assert.equal(openJournal('1:1'), undefined);
});

test('without a journal there is an error at once', () => {
  assert.throws(() => new Journal('/nonexistent/journal'), /ENOENT/);
});
