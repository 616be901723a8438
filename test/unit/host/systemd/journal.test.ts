/** Entries of the journal, as its native protocol has them. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { createInterface } from 'node:readline';
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

/** Receives one datagram for each word that it reads, first at a new socket for "anew", and prints it in hexadecimal. */
const RECEIVER = `
import os, socket, sys
def bound():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind(sys.argv[1])
    print(flush=True)
    return s
s = bound()
for line in sys.stdin:
    if line == 'anew\\n':
        s.close()
        os.unlink(sys.argv[1])
        s = bound()
    else:
        print(s.recv(65536).decode().strip(), flush=True)`;

test('who receives may be replaced, and neither that nor the end leaves a descriptor', async context => {
  const folder = mkdtempSync(`${tmpdir()}/dynuser-journal-`);
  const child = spawn('python3', ['-c', RECEIVER, `${folder}/socket`], { stdio: ['pipe', 'pipe', 'inherit'] });
  context.after(() => {
    child.kill();
    rmSync(folder, { recursive: true });
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const next = async (word: string) => {
    child.stdin.write(`${word}\n`);
    return (await lines.next()).value;
  };
  await lines.next();
  const before = readdirSync('/proc/self/fd').length;
  const journal = new Journal(`${folder}/socket`);
  assert.equal(journal.send([['MESSAGE', 'one']]), true);
  assert.equal(await next('receive'), 'MESSAGE=one');
  await next('anew');
  assert.equal(journal.send([['MESSAGE', 'two']]), true);
  assert.equal(await next('receive'), 'MESSAGE=two');
  assert.equal(readdirSync('/proc/self/fd').length, before + 1);
  journal.close();
  assert.equal(readdirSync('/proc/self/fd').length, before);
});

test('without a journal there is an error at once', () => {
  assert.throws(() => new Journal('/nonexistent/journal'), /ENOENT/);
});
