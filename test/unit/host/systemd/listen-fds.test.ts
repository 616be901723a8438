/** How the variables of sd_listen_fds(3) are read if they are right, wrong, or meant for another. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { describe, it } from 'node:test';
import { DynuserError } from '../../../../src/core/errors.ts';
import { takePassedDescriptors } from '../../../../src/host/systemd/listen-fds.ts';

const PID = 4242;
const NONE = { sockets: [], stored: [] };
const MODULE = new URL('../../../../src/host/systemd/listen-fds.js', import.meta.url).href;

describe('passed sockets', () => {
  it('are absent without the variables, and if they are for another process', () => {
    assert.deepEqual(takePassedDescriptors({}, PID), NONE);
    assert.deepEqual(takePassedDescriptors({ LISTEN_FDS: '1' }, PID), NONE);
    assert.deepEqual(takePassedDescriptors({ LISTEN_FDS: '1', LISTEN_PID: '1' }, PID), NONE);
    assert.deepEqual(takePassedDescriptors({ LISTEN_FDS: '0', LISTEN_PID: '4242', LISTEN_FDNAMES: '' }, PID), NONE);
  });

  it('are taken out of the environment', () => {
    const environment = { LISTEN_FDS: '1', LISTEN_PID: '1', LISTEN_FDNAMES: 'x', PATH: '/bin' };
    takePassedDescriptors(environment, PID);
    assert.deepEqual(environment, { PATH: '/bin' });
  });

  const wrong: readonly (readonly [count: string, names: string | undefined, reason: RegExp])[] = [
    ['', undefined, /LISTEN_FDS= is not a number/],
    ['-1', undefined, /not a number/],
    ['1x', undefined, /not a number/],
    ['8209', undefined, /from 0 to 8208/],
    ['17', undefined, /has 17 sockets: 16 at most/],
    ['99999999', undefined, /not a number/],
    ['1', 'a:b', /has 2 names, LISTEN_FDS is 1/],
  ];
  for (const [count, names, reason] of wrong) {
    it(`refuses LISTEN_FDS=${count} LISTEN_FDNAMES=${names}`, () => {
      const environment = {
        LISTEN_FDS: count,
        LISTEN_PID: '4242',
        ...(names === undefined ? {} : { LISTEN_FDNAMES: names }),
      };
      assert.throws(
        () => takePassedDescriptors(environment, PID),
        error => error instanceof DynuserError && error.code === 'HostFailed' && reason.test(error.message),
      );
    });
  }

  /** Runs in a process whose descriptors from 3 on are what the given stdio makes them. */
  function inChild(passed: readonly ('pipe' | 'ignore')[], names = ''): string {
    const variables = JSON.stringify({ LISTEN_FDS: String(passed.length), LISTEN_FDNAMES: names });
    const program = `
      import { takePassedDescriptors } from ${JSON.stringify(MODULE)};
      const environment = { ...${variables}, LISTEN_PID: String(process.pid) };
      try { console.log(JSON.stringify(takePassedDescriptors(environment, process.pid).sockets)); }
      catch (error) { console.log(error.message); }`;
    const stdio = ['ignore', 'pipe', 'inherit', ...passed] as const;
    return execFileSync(process.execPath, ['--input-type=module', '-e', program], {
      stdio: [...stdio],
      encoding: 'utf8',
    });
  }

  it('are descriptors from 3 on, and must be sockets', () => {
    // Node's own pipes for stdio are socket pairs.
    assert.equal(inChild(['pipe']), '[{"descriptor":3,"name":"unknown"}]\n');
    assert.equal(inChild(['ignore']), 'descriptor 3 of LISTEN_FDS is not an open socket\n');
  });

  it('are not there if they are not open; whatever else keeps us from seeing them is told of', context => {
    let code = 'EBADF';
    context.mock.method(fs, 'fstatSync', () => {
      throw Object.assign(new Error(`${code}: words`), { code });
    });
    syncBuiltinESMExports();
    context.after(() => {
      context.mock.restoreAll();
      syncBuiltinESMExports();
    });
    const take = () => takePassedDescriptors({ LISTEN_FDS: '2', LISTEN_PID: '4242' }, PID);
    assert.throws(take, { code: 'HostFailed', message: 'descriptor 3 of LISTEN_FDS is not an open socket' });
    code = 'EIO';
    assert.throws(take, { code: 'HostFailed', message: 'cannot inspect descriptor 3: EIO: words' });
  });

  it('may be 16, and each has its name', () => {
    const names = Array.from({ length: 16 }, (_, index) => `socket-${index}`);
    const expected = names.map((name, index) => ({ descriptor: 3 + index, name }));
    assert.deepEqual(
      JSON.parse(
        inChild(
          Array.from(names, () => 'pipe'),
          names.join(':'),
        ),
      ),
      expected,
    );
  });

  it('are all looked at, and the one that is wrong is named', () => {
    assert.equal(
      inChild(['pipe', 'ignore'], 'varlink:allocator'),
      'descriptor 4 of LISTEN_FDS is not an open socket\n',
    );
  });

  it('are not sockets if they have the name of a lock, and as many as can be kept and passed', () => {
    const passed = (count: number) => {
      const names = Array.from({ length: count }, (_, index) => `uid-${index}`);
      const variables = { LISTEN_FDS: String(count), LISTEN_PID: '4242', LISTEN_FDNAMES: names.join(':') };
      const stored = names.map((name, index) => ({ descriptor: 3 + index, name }));
      assert.deepEqual(takePassedDescriptors(variables, PID), { sockets: [], stored });
    };
    passed(2);
    passed(8_208);
  });
});
