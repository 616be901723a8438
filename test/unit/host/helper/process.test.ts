/** One helper process: what it gets, what it says, and that its end is told once. */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, it } from 'node:test';
import { checkHelper, HelperProcess } from '../../../../src/host/helper/process.ts';
import { until } from '../../../support/until.ts';

/** Runs a script as a helper. @returns it, and what it said and how it ended, in order */
function run(script: string) {
  const events: string[] = [];
  const helper = new HelperProcess(['/bin/sh', '-c', script], {
    answered: line => events.push(`answered ${line}`),
    ended: reason => events.push(`ended: ${reason}`),
  });
  const ended = () => until('it has ended', () => events.some(event => event.startsWith('ended')));
  return { helper, events, ended };
}

describe('a helper', () => {
  it('answers line by line, in pieces if it likes, and byte by byte', async () => {
    const { helper, events, ended } = run(
      'read -r l; printf "one "; sleep 0.02; printf "$l\\n"; read -r l; printf "\\303\\244 $l\\n"; read -r l',
    );
    helper.ask('first\n');
    await until('it has answered', () => events.length === 1);
    helper.ask('second\n');
    await until('it has answered again', () => events.length === 2);
    helper.kill();
    await ended();
    assert.deepEqual(events, ['answered one first', 'answered \u00c3\u00a4 second', 'ended: was ended by SIGKILL']);
  });

  it('may end after its answer', async () => {
    const { helper, events, ended } = run('read -r l; echo done');
    helper.ask('x\n');
    await ended();
    assert.deepEqual(events, ['answered done', 'ended: exited with status 0']);
  });

  it('is told to have failed though somebody else still holds its output', async () => {
    const directory = mkdtempSync(`${tmpdir()}/dynuser-process-`);
    try {
      const { helper, events, ended } = run(`read -r l; sleep 60 & echo $! >${directory}/pid; exit 3`);
      helper.ask('x\n');
      await ended();
      process.kill(Number(readFileSync(`${directory}/pid`, 'utf8')), 'SIGKILL');
      assert.deepEqual(events, ['ended: exited with status 3']);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('says nothing more once it broke its protocol', async () => {
    const { helper, events, ended } = run('read -r l; printf "a\\nb\\n"; exec sleep 60');
    helper.ask('x\n');
    await ended();
    assert.deepEqual(events, ['ended: broke its protocol']);
  });

  it('that has ended takes questions, which come to nothing', async () => {
    const { helper, events, ended } = run('exit 0');
    await ended();
    helper.ask('x\n');
    helper.kill();
    await new Promise(setImmediate);
    assert.deepEqual(events, ['ended: exited with status 0']);
  });

  it('starts in the root directory', async () => {
    const { helper, events, ended } = run('read -r l; pwd');
    helper.ask('x\n');
    await ended();
    assert.equal(events[0], 'answered /');
  });
});

describe('the program of the helper', () => {
  it('has to be there, and to be one', () => {
    const directory = mkdtempSync(`${tmpdir()}/dynuser-process-`);
    try {
      const path = `${directory}/dynuser-helper`;
      const message = new RegExp(`^${path}: it cannot be run \\(E[A-Z]+: .*\\); install dynuser again$`);
      assert.throws(() => checkHelper(path), { code: 'HostFailed', message });
      writeFileSync(path, '', { mode: 0o644 });
      assert.throws(() => checkHelper(path), { code: 'HostFailed', message });
      chmodSync(path, 0o755);
      checkHelper(path);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
