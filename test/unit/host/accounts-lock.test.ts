/** The lock of the account files, against who takes it as lckpwdf(3) does. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { DynuserError } from '../../../src/core/errors.ts';
import { PasswordFileLock } from '../../../src/host/accounts-lock.ts';

/** As lckpwdf(3): a write lock of the whole file, waited for in the kernel. Says when it has it; ends with its input. */
const EDITOR = `
import fcntl, os, sys
lock = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT, 0o600)
fcntl.lockf(lock, fcntl.LOCK_EX)
print('locked', flush=True)
sys.stdin.read()`;

describe('the lock of the account files', () => {
  let top = '';
  let path = '';
  let reports: string[] = [];
  let waitMs = 2_000;
  let lock: PasswordFileLock;
  const editors: ChildProcess[] = [];
  beforeEach(() => {
    top = mkdtempSync(`${tmpdir()}/dynuser-accounts-`);
    path = `${top}/.pwd.lock`;
    reports = [];
    waitMs = 2_000;
    lock = new PasswordFileLock(
      path,
      () => waitMs,
      what => reports.push(what),
    );
  });
  afterEach(() => {
    for (const editor of editors.splice(0)) {
      editor.kill('SIGKILL');
    }
    rmSync(top, { recursive: true });
  });

  function edit(): ChildProcess {
    const editor = spawn('python3', ['-c', EDITOR, path], { stdio: ['pipe', 'pipe', 'inherit'] });
    editors.push(editor);
    return editor;
  }

  async function locked(editor: ChildProcess): Promise<void> {
    assert.ok(editor.stdout);
    await once(editor.stdout, 'data');
  }

  const canEdit = () => spawnSync('flock', ['--fcntl', '--nonblock', path, 'true']).status === 0;

  it('is made for root alone, keeps editors out while it is held, and is shared', async () => {
    const [one, two] = [await lock.take(), await lock.take()];
    assert.equal(statSync(path).mode & 0o7777, 0o600);
    assert.equal(canEdit(), false);
    one();
    one();
    assert.equal(canEdit(), false, 'the other one has it still');
    two();
    assert.equal(canEdit(), true);
  });

  it('is waited for, and had when the editor is done', async () => {
    const editor = edit();
    await locked(editor);
    let isTaken = false;
    const taken = lock.take().then(letGo => {
      isTaken = true;
      return letGo;
    });
    await sleep(50);
    assert.equal(isTaken, false);
    editor.stdin?.end();
    (await taken)();
  });

  it('is waited for no longer than a probe may take, and the holder is named', async () => {
    waitMs = 100;
    const editor = edit();
    await locked(editor);
    const late = (error: unknown) =>
      error instanceof DynuserError &&
      error.code === 'ProbeFailed' &&
      error.message.includes(`process ${editor.pid} has had ${path} locked for 0.1 s; wait until`);
    await Promise.all(Array.from({ length: 100 }, () => assert.rejects(lock.take(), late)));
  });

  describe('by the clock', () => {
    let now = 0;
    beforeEach(() => {
      now = 10_000;
      mock.method(performance, 'now', () => now);
    });
    afterEach(() => mock.restoreAll());

    /** @returns what has become of a request within some of its tries */
    function stateOf(taking: Promise<() => void>): Promise<'taken' | 'refused' | 'waiting'> {
      const ended = taking.then(
        () => 'taken' as const,
        () => 'refused' as const,
      );
      return Promise.race([ended, sleep(25, 'waiting' as const)]);
    }

    it('is shared for a quarter of a second, and then nobody joins until all have let go', async () => {
      waitMs = 1_000;
      const first = await lock.take();
      now += 250;
      const second = await lock.take();
      first();
      now += 1;
      const third = lock.take();
      assert.equal(await stateOf(third), 'waiting');
      second();
      now += 10;
      const letGo = await third;
      assert.equal(canEdit(), false);
      letGo();
    });

    it('is refused to who waited too long for the requests before it', async () => {
      waitMs = 1_000;
      const letGo = await lock.take();
      now += 251;
      const late = lock.take();
      now += 1_000;
      assert.equal(await stateOf(late), 'waiting', 'until the last moment');
      now += 1;
      await assert.rejects(late, { code: 'LimitReached', message: /too many requests are choosing one; try again$/ });
      assert.equal(canEdit(), false, 'who has it has it still');
      letGo();
    });

    it('is nobody’s for ten milliseconds after requests that have followed one another for so long', async () => {
      const first = await lock.take();
      now += 251;
      first();
      now += 9;
      const next = lock.take();
      assert.equal(await stateOf(next), 'waiting');
      assert.equal(canEdit(), true);
      now += 1;
      const letGo = await next;
      assert.equal(canEdit(), false);
      letGo();
    });

    it('is had at once by requests that have not followed one another for so long', async () => {
      (await lock.take())();
      now += 9;
      const second = await lock.take();
      // Without a turn for others in between, the time of the first one counts.
      now += 242;
      const third = lock.take();
      assert.equal(await stateOf(third), 'waiting');
      second();
      now += 10;
      (await third)();
      // This was a turn: the time starts anew.
      now += 10;
      const fifth = await lock.take();
      now += 250;
      (await lock.take())();
      fifth();
    });
  });

  it('is had where there is no directory for the file, and says so once', async () => {
    for (const [missing, code] of [
      [`${top}/none/.pwd.lock`, 'ENOENT'],
      [`${top}/file/.pwd.lock`, 'ENOTDIR'],
    ] as const) {
      writeFileSync(`${top}/file`, '');
      reports = [];
      lock = new PasswordFileLock(
        missing,
        () => waitMs,
        what => reports.push(what),
      );
      const [one, two] = [await lock.take(), await lock.take()];
      one();
      two();
      (await lock.take())();
      assert.deepEqual(reports, [
        `${missing} cannot be opened (${code}): UIDs are chosen without a lock on the accounts of this host`,
      ]);
    }
  });

  it('has no name for a holder that the kernel does not know', async () => {
    waitMs = 0;
    // This program has a lock of an open file, as we have, which is not a process's.
    const holder = spawn('flock', ['--fcntl', path, '-c', 'echo locked; exec cat'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    editors.push(holder);
    await locked(holder);
    await assert.rejects(lock.take(), { code: 'ProbeFailed', message: /: another process has had .* locked for 0 s/ });
    const gone = once(holder, 'exit');
    holder.stdin?.end();
    await gone;
  });

  it('gives editors a turn, however many requests follow one another', async () => {
    let stopped = false;
    let holds = 0;
    const request = async () => {
      while (!stopped) {
        const letGo = await lock.take();
        holds++;
        await sleep(1);
        letGo();
      }
    };
    const requests = Array.from({ length: 8 }, request);
    for (let turns = 0; turns < 3; turns++) {
      const editor = edit();
      await locked(editor);
      editor.stdin?.end();
      await once(editor, 'exit');
    }
    stopped = true;
    await Promise.all(requests);
    assert.ok(holds > 8);
  });

  it('is done without, which is said once, if the file does not exist and cannot be made', async () => {
    // As below a read-only /etc: not even root can make a file there.
    execFileSync('mount', ['--bind', top, top]);
    try {
      execFileSync('mount', ['-o', 'remount,bind,ro', top]);
      for (let count = 0; count < 2; count++) {
        (await lock.take())();
      }
      assert.equal(existsSync(path), false);
      assert.equal(reports.length, 1);
      assert.match(reports[0] ?? '', /EROFS.*: UIDs are chosen without a lock/);
    } finally {
      execFileSync('umount', [top]);
    }
  });

  it('is had where the file is there and cannot be written to', async () => {
    (await lock.take())();
    execFileSync('mount', ['--bind', top, top]);
    try {
      execFileSync('mount', ['-o', 'remount,bind,ro', top]);
      const letGo = await lock.take();
      assert.deepEqual(reports, []);
      letGo();
    } finally {
      execFileSync('umount', [top]);
    }
  });

  for (const [what, make] of [
    ['a link', () => symlinkSync('/dev/null', path)],
    ['a directory', () => mkdirSync(path)],
  ] as const) {
    it(`is refused if ${what} is in its place`, async () => {
      make();
      await assert.rejects(lock.take(), error => error instanceof DynuserError && error.code === 'HostFailed');
      assert.deepEqual(readdirSync(top), ['.pwd.lock']);
    });
  }
});
