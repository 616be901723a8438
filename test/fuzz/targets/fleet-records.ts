/**
 * What a host has recorded of its fleet, after a disk that has put anything into the files. What is read is a record that the daemon could have
 * written, one UID for a name and one name for a UID; all else is left out and told; and what is read can be written and read again.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asUid } from '../../../src/core/ids.ts';
import { parseUserName } from '../../../src/core/name.ts';
import { RecordFiles } from '../../../src/fleet/records.ts';
import type { Target } from './types.ts';

const HOST = '0123456789abcdef';
/** Records are synced at each write, which takes a disk its time. */
const MEMORY = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
/** The files, in the order of the parts of an input; a hold is a name and its record. */
const FILES = ['host', 'seen', 'idle', 'snapshot'] as const;
const SEPARATOR = '\0';

function write(directory: string, input: Buffer): void {
  const parts = input.toString('utf8').split(SEPARATOR);
  mkdirSync(join(directory, 'holds'));
  for (const [index, file] of FILES.entries()) {
    if (parts[index] !== undefined && parts[index] !== '') {
      writeFileSync(join(directory, file), parts[index]);
    }
  }
  for (let at = FILES.length; at + 1 < parts.length; at += 2) {
    const name = (parts[at] ?? '').replaceAll('/', '');
    if (name !== '' && name !== '.' && name !== '..' && Buffer.byteLength(name) < 255) {
      writeFileSync(join(directory, 'holds', name), parts[at + 1] ?? '');
    }
  }
}

const recordsOf = (files: RecordFiles) => structuredClone([files.host, files.seen, files.byName, files.idle]);

function checkRecords({ host, seen, byName, byUid, idle }: RecordFiles): void {
  assert.equal(host.host, HOST);
  for (const text of [host.incarnation, host.next]) {
    assert.ok(text === undefined || /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(text), 'the companion takes it');
  }
  assert.ok(seen === undefined || (seen.cluster !== '' && Number.isSafeInteger(seen.revision) && seen.revision >= 0));
  assert.equal(byName.size, byUid.size);
  for (const [name, record] of byName) {
    assert.ok('name' in parseUserName(name) && record.name === name, name);
    assert.ok(asUid(record.uid) === record.uid && byUid.get(record.uid) === record, String(record.uid));
    const texts = [...record.shared, ...(record.directories === 'many' ? [] : record.directories)];
    assert.ok(texts.every(text => typeof text === 'string'));
  }
  for (const seconds of idle.values()) {
    assert.ok(Number.isFinite(seconds) && seconds >= 0, String(seconds));
  }
}

async function writeAgain(files: RecordFiles): Promise<void> {
  await files.putHost(files.host);
  await files.putIdle(files.idle);
  await (files.seen === undefined ? undefined : files.putSeen(files.seen));
  for (const record of files.byName.values()) {
    await files.put(record);
  }
  await files.close();
}

export const fleetRecords: Target = {
  name: 'fleet-records',
  pieces: [
    ...[
      SEPARATOR,
      '"host":"',
      HOST,
      '"incarnation":"',
      '"next":"',
      '"boot":"',
      '"cluster":"',
      '"revision":',
      '1e999',
      '-1',
    ],
    ...[
      '{',
      '}',
      '"uid":',
      '65536',
      '"directories":',
      '"many"',
      '[]',
      '"shared":',
      'web',
      '.new',
      'null',
      '"__proto__":',
    ],
  ],
  bytesMax: 2_048,
  start() {
    const top = mkdtempSync(join(MEMORY, 'dynuser-fuzz-records-'));
    return {
      async run(input) {
        const directory = mkdtempSync(join(top, 'x'));
        try {
          write(directory, input);
          const told: string[] = [];
          let recorded: unknown;
          let count = 0;
          {
            using files = new RecordFiles(directory, HOST, (file, reason) => told.push(`${file} ${reason}`));
            checkRecords(files);
            recorded = recordsOf(files);
            count = files.byName.size;
            await writeAgain(files);
          }
          const toldBefore = told.length;
          using again = new RecordFiles(directory, HOST, (file, reason) => told.push(`${file} ${reason}`));
          assert.deepEqual(recordsOf(again), recorded);
          assert.ok(told.length - toldBefore <= toldBefore, 'nothing is stranger than before');
          return `${count} ${toldBefore} ${again.seen === undefined} ${again.host.next === undefined} ${again.idle.size}`;
        } finally {
          rmSync(directory, { recursive: true });
        }
      },
      close: () => rmSync(top, { recursive: true }),
    };
  },
};
