/** How the variables of sd_listen_fds(3) are read if they are right, wrong, or meant for another. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { DynuserError } from '../../../../src/core/errors.ts';
import { passedSocket, takePassedDescriptors } from '../../../../src/host/systemd/listen-fds.ts';

const PID = 4242;
const NONE = { sockets: [], stored: [] };
const MODULE = new URL('../../../../src/host/systemd/listen-fds.js', import.meta.url).href;

describe('passed sockets', () => {
  it('are none without the variables, and none for another process', () => {
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

  it('are told apart by their names', () => {
    const [varlink, allocator, unknown] = ['varlink', 'allocator', 'unknown'].map((name, index) => ({
      descriptor: 3 + index,
      name,
    }));
    assert.ok(varlink && allocator && unknown);
    assert.equal(passedSocket([allocator, varlink], 'everybody'), varlink);
    assert.equal(passedSocket([varlink, allocator], 'allocator'), allocator);
    assert.equal(passedSocket([unknown], 'everybody'), unknown);
    assert.equal(passedSocket([unknown], 'allocator'), undefined);
    assert.equal(passedSocket([], 'everybody'), undefined);
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

  /** Runs in a process whose descriptor 3 is what the given stdio makes it. */
  function inChild(third: 'pipe' | 'ignore'): string {
    const program = `
      import { takePassedDescriptors } from ${JSON.stringify(MODULE)};
      const environment = { LISTEN_FDS: '1', LISTEN_PID: String(process.pid) };
      try { console.log(JSON.stringify(takePassedDescriptors(environment, process.pid).sockets)); }
      catch (error) { console.log(error.message); }`;
    const stdio = ['ignore', 'pipe', 'inherit', third] as const;
    return execFileSync(process.execPath, ['--input-type=module', '-e', program], {
      stdio: [...stdio],
      encoding: 'utf8',
    });
  }

  it('are descriptors from 3 on, and must be sockets', () => {
    // Node's own pipes for stdio are socket pairs.
    assert.equal(inChild('pipe'), '[{"descriptor":3,"name":"unknown"}]\n');
    assert.equal(inChild('ignore'), 'descriptor 3 of LISTEN_FDS is no open socket\n');
  });
});
