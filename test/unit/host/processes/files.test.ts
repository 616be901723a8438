/** What is read from /proc/<pid>, whatever name a process has given itself. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { describe, it } from 'node:test';
import { asPid } from '../../../../src/core/ids.ts';
import { parseStartTime, parseUids, readBoot, readStartTime, readUids } from '../../../../src/host/processes/files.ts';

const FIELDS_4_TO_21 = '1 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0';

describe('proc_pid_stat(5)', () => {
  for (const name of ['sh', 'a b', 'x) S 2 (y', ')))', '\n', '']) {
    it(`has a start time behind the name ${JSON.stringify(name)}`, () => {
      assert.equal(parseStartTime(`42 (${name}) S ${FIELDS_4_TO_21} 123456 4096 9\n`), 123_456);
    });
  }

  for (const text of ['', '42 (sh) S', `42 (sh) S ${FIELDS_4_TO_21}`, `42 (sh) S ${FIELDS_4_TO_21} -5 0\n`]) {
    it(`is not ${JSON.stringify(text)}`, () => assert.throws(() => parseStartTime(text), /has no start time/));
  }
});

describe('proc_pid_status(5)', () => {
  it('has four UIDs, the real one first', () => {
    const status = 'Name:\tUid:\\n7\nState:\tS\nUid:\t61184\t1\t2\t3\nGid:\t5\t6\t7\t8\n';
    assert.deepEqual(parseUids(status), [61_184, 1, 2, 3]);
  });

  for (const text of [
    '',
    'Uid:\tx\t1\t2\t3\n',
    'Uid:\t1\t2\t3\n',
    'Uid:\t1\t2\t3\t4294967295\n',
    'Uid:\t4294967295\t1\t2\t3\n',
    'xUid:\t1\t1\t1\t1\n',
  ]) {
    it(`is not ${JSON.stringify(text)}`, () => assert.throws(() => parseUids(text), /has no UIDs/));
  }
});

describe('a process', () => {
  const self = asPid(process.pid);
  // PID_MAX_LIMIT is never given out.
  const nobody = asPid(0x40_0000);
  assert.ok(self !== undefined && nobody !== undefined);

  it('that is there is read', () => {
    assert.ok((readStartTime(self) ?? 0) > 0);
    assert.equal(readUids(self)?.[0], process.getuid?.());
  });

  it('that is not there is nothing', () => {
    assert.equal(readStartTime(nobody), undefined);
    assert.equal(readUids(nobody), undefined);
  });

  it('that ends while it is read is nothing, and any other trouble is an error', context => {
    let code = 'ESRCH';
    context.mock.method(fs, 'readFileSync', () => {
      throw Object.assign(new Error(code), { code });
    });
    syncBuiltinESMExports();
    context.after(() => {
      context.mock.restoreAll();
      syncBuiltinESMExports();
    });
    assert.equal(readStartTime(self), undefined);
    assert.equal(readUids(self), undefined);
    code = 'EMFILE';
    assert.throws(() => readStartTime(self), { code });
    assert.throws(() => readUids(self), { code });
  });

  it('runs in a boot that has a name', () => assert.match(readBoot(), /^[0-9a-f-]{36}$/));
});
