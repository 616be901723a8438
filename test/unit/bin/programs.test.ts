/** The programs as they are started: what they print, on which stream, and how they end. What a daemon does then is in integration/daemon. */
// time limit: 300 s
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { VERSION } from '../../../src/core/version.ts';

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** @param before what is done to the process before the program begins, as JavaScript */
function run(program: 'dynuserd' | 'dynuserctl', argv: readonly string[], before = ''): Ended {
  const path = fileURLToPath(new URL(`../../../src/bin/${program}.js`, import.meta.url));
  const preparation = ['--import', `data:text/javascript,${encodeURIComponent(before)}`];
  const { status, stdout, stderr } = spawnSync(process.execPath, [...preparation, path, ...argv], {
    encoding: 'utf8',
    timeout: 30_000,
  });
  return { status, stdout, stderr };
}

const AS_USER = 'process.geteuid = () => 1000;';
const AS_ROOT = 'process.geteuid = () => 0;';

describe('dynuserd', () => {
  const USAGE = 'Usage: dynuserd [OPTIONS]\n';

  it('says what it is, and its options, to everybody', () => {
    for (const argv of [['--help'], ['--version', '--help']]) {
      const { status, stdout, stderr } = run('dynuserd', argv, AS_USER);
      assert.deepEqual([status, stderr], [0, '']);
      assert.ok(stdout.startsWith(USAGE));
      for (const option of ['--config=FILE', '--help', '--version']) {
        assert.ok(stdout.includes(`\n  ${option} `), option);
      }
    }
    assert.deepEqual(run('dynuserd', ['--version'], AS_USER), {
      status: 0,
      stdout: `dynuserd ${VERSION}\n`,
      stderr: '',
    });
  });

  for (const argv of [['--nonsense'], ['--help=yes'], ['start'], ['--config']]) {
    it(`does not know what to do with ${argv.join(' ')}`, () => {
      const { status, stdout, stderr } = run('dynuserd', argv, AS_USER);
      assert.deepEqual([status, stdout], [2, '']);
      assert.match(stderr, /^dynuserd: .*'/);
      assert.ok(stderr.includes(USAGE));
    });
  }

  it('checks a configuration for everybody, and starts nothing', () => {
    const directory = mkdtempSync(join(tmpdir(), 'dynuserd-'));
    const file = join(directory, 'dynuserd.conf');
    try {
      writeFileSync(file, 'KillGraceSec=1\n');
      const check = () => run('dynuserd', ['--check-config', `--config=${file}`], AS_USER);
      assert.deepEqual(check(), { status: 0, stdout: `${file}: ok\n`, stderr: '' });
      writeFileSync(file, '\nKillGraceSec=soon\n');
      const { status, stdout, stderr } = check();
      assert.deepEqual([status, stdout], [1, '']);
      assert.match(stderr, /^dynuserd: .*dynuserd\.conf:2: KillGraceSec=: it must be a number of seconds/);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('is for root alone', () => {
    assert.deepEqual(run('dynuserd', [], AS_USER), {
      status: 1,
      stdout: '',
      stderr: 'dynuserd: dynuserd must run as root; start it by its service, or with sudo\n',
    });
  });

  it('says in one line what is wrong with its configuration', () => {
    const { status, stdout, stderr } = run('dynuserd', ['--config=/nonexistent/dynuserd.conf'], AS_ROOT);
    assert.deepEqual([status, stdout], [1, '']);
    assert.match(stderr, /^dynuserd: \/nonexistent\/dynuserd\.conf: it does not exist; .*\n$/);
  });

  it('says in one line what the host refuses, and shows where its own faults are', () => {
    const failing = (value: string) => run('dynuserd', [], `${AS_ROOT} process.umask = () => { throw ${value}; };`);
    const refused = failing(`Object.assign(new Error('EPERM: not permitted, open'), { syscall: 'open' })`);
    assert.deepEqual([refused.status, refused.stderr], [1, 'dynuserd: EPERM: not permitted, open\n']);
    const fault = failing(`new Error('a fault')`);
    assert.equal(fault.status, 1);
    assert.match(fault.stderr, /^dynuserd: Error: a fault\n {4}at .*\n/);
    assert.equal(failing(`'a text'`).stderr, 'dynuserd: a text\n');
  });
});

describe('dynuserctl', () => {
  it('says what it is, and ends as its command does', () => {
    assert.deepEqual(run('dynuserctl', ['--version']), { status: 0, stdout: `dynuserctl ${VERSION}\n`, stderr: '' });
    const { status, stdout, stderr } = run('dynuserctl', ['--nonsense']);
    assert.deepEqual([status, stdout], [2, '']);
    assert.match(stderr, /^dynuserctl: /);
  });
});
