// time limit: 180 s
/** The lock files, against flock(1) of util-linux as the other side, and against everything that may be at their paths. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs, {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { DynuserError } from '../../../../src/core/errors.ts';
import { asUid, type Uid } from '../../../../src/core/ids.ts';
import { parseUserName } from '../../../../src/core/name.ts';
import { DescriptorSocket } from '../../../../src/host/libc/descriptor-socket.ts';
import { raiseDescriptorLimit } from '../../../../src/host/libc/descriptors.ts';
import { flock, LOCK_EXCLUSIVE } from '../../../../src/host/libc/libc.ts';
import { LockStore } from '../../../../src/host/systemd/lock-store.ts';
import { SystemdUidLocks } from '../../../../src/host/systemd/uid-lock.ts';

const parsed = parseUserName('waldo');
assert.ok('name' in parsed);
const NAME = parsed.name;
const UID = uid(61647);

function uid(number: number): Uid {
  const checked = asUid(number);
  assert.ok(checked !== undefined);
  return checked;
}

/**
 * The protocol once more, by other means: open, flock, see that the file still has its name, unlink, close; over and over for
 * the given seconds. Python's O_APPEND keeps the lines of the log whole.
 */
const CONTENDER = `
import fcntl, os, sys, time
path, log, end = sys.argv[1], os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND | os.O_CREAT), time.monotonic() + float(sys.argv[3])
while time.monotonic() < end:
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(lock).st_nlink > 0:
            os.write(log, b'in\\n')
            os.write(log, b'out\\n')
            os.unlink(path)
    except BlockingIOError:
        pass
    os.close(lock)`;
const CONTENTION_SECONDS = 2;

describe('the lock files shared with systemd', () => {
  let top = '';
  let directory = '';
  let path = '';
  let locks: SystemdUidLocks;
  let holder: ChildProcess | undefined;

  beforeEach(() => {
    top = mkdtempSync(`${tmpdir()}/dynuser-locks-`);
    directory = `${top}/systemd/dynamic-uid`;
    path = `${directory}/${UID}`;
    locks = new SystemdUidLocks(directory);
  });

  afterEach(async () => {
    await letGo();
    rmSync(top, { recursive: true, force: true });
  });

  /** Another process takes the lock of the file, made if it is missing, and keeps it. */
  async function hold(kind: '--exclusive' | '--shared' = '--exclusive'): Promise<void> {
    holder = spawn('flock', [kind, path, '-c', 'echo held; exec cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
    assert.ok(holder.stdout);
    await once(holder.stdout, 'data');
  }

  async function letGo(): Promise<void> {
    if (holder !== undefined) {
      const gone = once(holder, 'exit');
      holder.stdin?.end();
      await gone;
      holder = undefined;
    }
  }

  function othersCanLock(): boolean {
    try {
      execFileSync('flock', ['--nonblock', '--conflict-exit-code', '9', path, 'true']);
      return true;
    } catch (error) {
      assert.ok(error instanceof Error && 'status' in error && error.status === 9, String(error));
      return false;
    }
  }

  describe('after a daemon that kept nothing', () => {
    it('are taken again by the file that it left, and its name in it', () => {
      mkdirSync(directory, { recursive: true });
      writeFileSync(path, 'waldo\n');
      const { ino } = statSync(path);
      assert.deepEqual(locks.relock(UID, NAME), { kind: 'locked' });
      assert.equal(statSync(path).ino, ino);
      assert.equal(othersCanLock(), false);
      locks.release(UID);
      assert.equal(existsSync(path), false);
    });

    it('are lost if the file is gone, since somebody else had the UID: none is made', () => {
      assert.deepEqual(locks.relock(UID, NAME), { kind: 'unusable', reason: 'its lock file is gone' });
      assert.equal(existsSync(path), false);
    });

    for (const text of ['', 'waldo', 'wald\n', 'waldo\n\n', 'odlaw\n']) {
      it(`are lost if the file has ${JSON.stringify(text)} in it, which is left as it is`, () => {
        writeFileSync(path, text);
        const outcome = locks.relock(UID, NAME);
        assert.deepEqual(outcome, { kind: 'unusable', reason: 'its lock file has the name of somebody else' });
        assert.equal(readFileSync(path, 'utf8'), text);
        assert.equal(othersCanLock(), true);
      });
    }

    it('are lost while somebody else has the file locked', async () => {
      writeFileSync(path, 'waldo\n');
      await hold();
      assert.deepEqual(locks.relock(UID, NAME), { kind: 'taken' });
    });
  });

  it('are made like those of systemd: parents 0755, files 0600 with the name', () => {
    assert.deepEqual(locks.lock(UID, NAME), { kind: 'locked' });
    assert.equal(statSync(directory).mode & 0o7777, 0o755);
    assert.equal(statSync(path).mode & 0o7777, 0o600);
    assert.equal(readFileSync(path, 'utf8'), 'waldo\n');
  });

  it('keep others out while they are held, and leave nothing behind', () => {
    locks.lock(UID, NAME);
    assert.equal(othersCanLock(), false);
    locks.release(UID);
    assert.equal(existsSync(path), false);
    assert.equal(othersCanLock(), true);
  });

  it('respect the lock of another, and leave its file alone', async () => {
    await hold();
    writeFileSync(path, 'theirs\n');
    assert.deepEqual(locks.lock(UID, NAME), { kind: 'taken' });
    assert.deepEqual(locks.peek(UID), { kind: 'taken' });
    locks.sweep(UID);
    locks.release(UID);
    assert.equal(readFileSync(path, 'utf8'), 'theirs\n');
    await letGo();
    assert.deepEqual(locks.peek(UID), { kind: 'free' });
    assert.deepEqual(locks.lock(UID, NAME), { kind: 'locked' });
    assert.equal(readFileSync(path, 'utf8'), 'waldo\n');
  });

  it('are not taken by who merely looks at them, as we do, yet a UID that is looked at is not had', async () => {
    await hold('--shared');
    assert.deepEqual(locks.peek(UID), { kind: 'free' });
    assert.deepEqual(locks.lock(UID, NAME), { kind: 'taken' });
    locks.sweep(UID);
    assert.equal(existsSync(path), true);
  });

  it('are taken once by ourselves, too', () => {
    locks.lock(UID, NAME);
    assert.deepEqual(locks.lock(UID, NAME), { kind: 'taken' });
    assert.deepEqual(locks.relock(UID, NAME), { kind: 'taken' });
    assert.deepEqual(locks.peek(UID), { kind: 'taken' });
    locks.sweep(UID);
    assert.equal(othersCanLock(), false);
  });

  it('of UIDs that systemd never takes have no file, and are taken once all the same', () => {
    for (const outside of [uid(61183), uid(65520), uid(2147483647)]) {
      writeFileSync(`${directory}/${outside}`, 'theirs\n');
      assert.deepEqual(locks.confirm(outside), { kind: 'taken' });
      assert.deepEqual(locks.peek(outside), { kind: 'free' });
      for (const take of ['lock', 'relock'] as const) {
        assert.deepEqual(locks[take](outside, NAME), { kind: 'locked' });
        assert.deepEqual(locks.confirm(outside), { kind: 'locked' });
        assert.deepEqual(locks.peek(outside), { kind: 'taken' });
        assert.deepEqual(
          [locks.lock(outside, NAME), locks.relock(outside, NAME)],
          [{ kind: 'taken' }, { kind: 'taken' }],
        );
        locks.keep(outside);
        locks.release(outside);
      }
      locks.sweep(outside);
      assert.equal(readFileSync(`${directory}/${outside}`, 'utf8'), 'theirs\n');
      rmSync(`${directory}/${outside}`);
    }
    assert.deepEqual(readdirSync(directory), []);
  });

  it('take over a stale file, whatever it has in it', () => {
    writeFileSync(path, 'a name that is much longer than ours\n');
    assert.deepEqual(locks.lock(UID, NAME), { kind: 'locked' });
    assert.equal(readFileSync(path, 'utf8'), 'waldo\n');
  });

  it('are looked at without a trace', () => {
    assert.deepEqual(locks.peek(UID), { kind: 'free' });
    assert.deepEqual(readdirSync(directory), []);
    writeFileSync(path, 'stale\n');
    assert.deepEqual(locks.peek(UID), { kind: 'free' });
    assert.equal(readFileSync(path, 'utf8'), 'stale\n');
    assert.equal(othersCanLock(), true);
  });

  it('are swept where a former process left them', () => {
    writeFileSync(path, 'stale\n');
    locks.sweep(UID);
    assert.equal(existsSync(path), false);
    locks.sweep(UID);
  });

  it('survive that somebody unlinks the file of a held lock, or puts another in its place', () => {
    locks.lock(UID, NAME);
    rmSync(path);
    locks.release(UID);
    locks.lock(UID, NAME);
    rmSync(path);
    writeFileSync(path, 'theirs\n');
    locks.release(UID);
    assert.equal(readFileSync(path, 'utf8'), 'theirs\n');
  });

  const STRANGE: readonly (readonly [what: string, make: () => Promise<void> | void, reason: RegExp])[] = [
    ['a symbolic link', () => symlinkSync('/dev/null', path), /61647: it is a symbolic link$/],
    ['a link to nothing', () => symlinkSync('nothing', path), /61647: it is a symbolic link$/],
    ['a directory', () => mkdirSync(path), /61647: it is a directory$/],
    ['a FIFO', () => void execFileSync('mkfifo', [path]), /61647: it is not a regular file$/],
    ['a socket', makeSocket, /61647: it is a socket or a device$/],
  ];
  for (const [what, make, reason] of STRANGE) {
    it(`say that ${what} cannot be used, and touch it not`, async () => {
      await make();
      for (const outcome of [locks.lock(UID, NAME), locks.peek(UID)]) {
        assert.equal(outcome.kind, 'unusable');
        assert.match(outcome.kind === 'unusable' ? outcome.reason : '', reason);
      }
      locks.sweep(UID);
      locks.release(UID);
      assert.deepEqual(readdirSync(directory), [String(UID)]);
      assert.deepEqual(locks.lock(uid(61648), NAME), { kind: 'locked' });
    });
  }

  /** A socket whose server was killed: it has no time to unlink it. */
  function makeSocket(): void {
    const server = `require('net').createServer().listen('${path}', () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', server], { stdio: 'ignore' });
  }

  it('are all there to be held at once', () => {
    raiseDescriptorLimit(16_384);
    const uids = Array.from({ length: 4_336 }, (_, index) => uid(61_184 + index));
    for (const each of uids) {
      assert.deepEqual(locks.lock(each, NAME), { kind: 'locked' });
    }
    assert.equal(readdirSync(directory).length, uids.length);
    for (const each of uids) {
      locks.release(each);
    }
    assert.deepEqual(readdirSync(directory), []);
  });

  it('tell the fault of the host from that of a path', () => {
    rmSync(`${top}/systemd`, { recursive: true });
    writeFileSync(`${top}/systemd`, '');
    assert.throws(
      () => locks.lock(UID, NAME),
      error => error instanceof DynuserError && error.code === 'HostFailed' && /lock directory/.test(error.message),
    );
    writeFileSync(`${top}/file`, '');
    assert.throws(
      () => new SystemdUidLocks(`${top}/file/dynamic-uid`),
      error => error instanceof DynuserError && error.code === 'HostFailed' && /lock directory/.test(error.message),
    );
  });

  it('are not had, and leave nothing open, once the descriptors of this process have run out', () => {
    locks.lock(UID, NAME);
    const [, soft, hard] =
      /^Max open files +(\d+) +(\d+) /m.exec(readFileSync('/proc/self/limits', 'latin1')) ?? assert.fail();
    const limit = (most: string) => execFileSync('prlimit', [`--pid=${process.pid}`, `--nofile=${most}:${hard}`]);
    limit('200');
    const opened: number[] = [];
    try {
      assert.throws(() => {
        for (;;) {
          opened.push(openSync('/dev/null', 'r'));
        }
      }, /EMFILE/);
      const other = uid(61_648);
      for (const failing of [() => locks.lock(other, NAME), () => locks.peek(other), () => locks.relock(other, NAME)]) {
        assert.throws(failing, {
          code: 'LimitReached',
          message: /^cannot open .*\/61648: EMFILE.*; raise LimitNOFILE=/,
        });
      }
      closeSync(opened.pop() ?? -1);
      assert.deepEqual(locks.lock(other, NAME), { kind: 'locked' });
      assert.deepEqual(locks.confirm(UID), { kind: 'locked' });
    } finally {
      for (const descriptor of opened) {
        closeSync(descriptor);
      }
      limit(soft ?? '');
    }
  });

  describe('while somebody else interferes', () => {
    afterEach(() => {
      mock.restoreAll();
      syncBuiltinESMExports();
    });

    /** Has the first calls of a function of node:fs do something else. @returns how often it was called */
    function instead<Name extends 'openSync' | 'fstatSync' | 'writeSync'>(
      name: Name,
      times: number,
      act: () => unknown,
    ) {
      const original = fs[name] as (...values: unknown[]) => unknown;
      let calls = 0;
      const other = (...values: unknown[]) => (++calls <= times ? act() : original(...values));
      mock.method(fs, name, other as never);
      syncBuiltinESMExports();
      return () => calls;
    }

    const fail = (code: string) => (): never => {
      throw Object.assign(new Error(`${code}: words`), { code });
    };
    const descriptors = (): number => readdirSync('/proc/self/fd').length;

    it('and removes the directory again and again, it is tried sixteen times', () => {
      instead('openSync', 15, fail('ENOENT'));
      assert.deepEqual(locks.lock(UID, NAME), { kind: 'locked' });
      locks.release(UID);
      instead('openSync', 16, fail('ENOENT'));
      assert.throws(() => locks.lock(UID, NAME), {
        code: 'HostFailed',
        message: `the directory ${directory} is removed again and again`,
      });
    });

    it('and unlinks each file before we have its lock, the UID is taken', () => {
      const before = descriptors();
      // Each attempt looks twice: whether it is a file, and whether it still has a name.
      const original = fs.fstatSync;
      let attempts = 0;
      mock.method(fs, 'fstatSync', ((descriptor: number) => {
        const status = original(descriptor);
        if (status.isFile()) {
          attempts++;
          status.nlink = 0;
        }
        return status;
      }) as never);
      syncBuiltinESMExports();
      assert.deepEqual(locks.lock(UID, NAME), { kind: 'taken' });
      assert.equal(attempts, 2 * 16);
      assert.deepEqual(locks.relock(UID, NAME), { kind: 'unusable', reason: 'its lock file is gone' });
      mock.restoreAll();
      syncBuiltinESMExports();
      assert.equal(descriptors(), before);
      assert.deepEqual(locks.lock(UID, NAME), { kind: 'locked' });
    });

    it('and leaves no space for a name, there is no lock, and no file', () => {
      const before = descriptors();
      instead('writeSync', 1, fail('ENOSPC'));
      assert.throws(() => locks.lock(UID, NAME), {
        code: 'LimitReached',
        message: `cannot write to ${path}: ENOSPC: words; free some space there`,
      });
      assert.deepEqual(readdirSync(directory), []);
      assert.equal(descriptors(), before);
      assert.deepEqual(locks.lock(UID, NAME), { kind: 'locked' });
    });

    for (const [code, reason] of [
      ['ENODEV', 'it is a device'],
      ['EACCES', 'opening it is not allowed'],
      ['EPERM', 'opening it is not allowed; it may be immutable'],
      ['ETXTBSY', 'it is being executed'],
    ] as const) {
      it(`and opening gives ${code}, this one UID cannot be used`, () => {
        const unusable = { kind: 'unusable', reason: `${path}: ${reason}` };
        instead('openSync', 3, fail(code));
        assert.deepEqual(locks.lock(UID, NAME), unusable);
        assert.deepEqual(locks.peek(UID), unusable);
        assert.deepEqual(locks.relock(UID, NAME), unusable);
        assert.deepEqual(locks.lock(UID, NAME), { kind: 'locked' });
      });
    }
  });

  it('are in no directory that others may write to', () => {
    chmodSync(directory, 0o777);
    assert.throws(() => new SystemdUidLocks(directory), {
      code: 'HostFailed',
      message: /^cannot use the lock directory .*must belong to the user \d+ and be writable by nobody else$/,
    });
  });

  describe('with a store that keeps them beyond the end of this process', () => {
    let peer: DescriptorSocket;
    let store: LockStore;
    let told: string[] = [];

    /** @param inherited UIDs whose files a former daemon has locked, with its user's name in them */
    function open(...inherited: readonly Uid[]): void {
      const { near, far } = DescriptorSocket.pair();
      peer = new DescriptorSocket(far);
      const files = inherited.map(each => [each, lockedFile(each)] as const);
      const onFailure = (what: string) => assert.fail(what);
      store = new LockStore({ socket: near, capacity: 10, inherited: new Map(files), onFailure });
      told = [];
      locks = new SystemdUidLocks(directory, what => told.push(what), store);
    }

    function lockedFile(each: Uid): number {
      const file = `${directory}/${each}`;
      writeFileSync(file, 'waldo\n');
      const descriptor = openSync(file, 'r+');
      assert.ok(flock(descriptor, LOCK_EXCLUSIVE));
      return descriptor;
    }

    /** @returns what the store was told: + for a lock that it keeps from then on, - for one that it lets go of */
    async function messages(): Promise<readonly string[]> {
      await store.close();
      const all: string[] = [];
      for (let message = peer.receive(); message !== undefined; message = peer.receive()) {
        const [, removed, number] = /^FDSTORE(REMOVE)?=1\nFDNAME=uid-(\d+)\n$/.exec(message.text) ?? assert.fail();
        all.push(`${removed === undefined ? '+' : '-'}${number}`);
        if (message.descriptor !== undefined) {
          closeSync(message.descriptor);
        }
      }
      peer.close();
      return all;
    }

    it('are kept once, if they are held, until they are released', async () => {
      open();
      locks.keep(UID);
      locks.lock(UID, NAME);
      locks.keep(UID);
      locks.keep(UID);
      locks.release(UID);
      locks.keep(UID);
      locks.lock(UID, NAME);
      locks.release(UID);
      assert.deepEqual(await messages(), ['+61647', '-61647']);
    });

    it('are kept again after somebody has removed their file, if they were kept before', async () => {
      open();
      locks.lock(UID, NAME);
      locks.keep(UID);
      rmSync(path);
      assert.deepEqual(locks.confirm(UID), { kind: 'locked' });
      assert.deepEqual(told, ['the lock file of UID 61647 (waldo) was gone, and is locked again']);
      const other = uid(61_648);
      locks.lock(other, NAME);
      rmSync(`${directory}/${other}`);
      assert.deepEqual(locks.confirm(other), { kind: 'locked' });
      assert.deepEqual(await messages(), ['+61647', '-61647', '+61647']);
    });

    it('are kept from then on if a former daemon has left the file alone', async () => {
      open();
      writeFileSync(path, 'waldo\n');
      assert.deepEqual(locks.relock(UID, NAME), { kind: 'locked' });
      locks.keep(UID);
      assert.deepEqual(await messages(), ['+61647']);
      locks.release(UID);
    });

    it('are had again as the former daemon has left them, without a moment in which they are free', async () => {
      open(UID);
      const { ino } = statSync(path);
      assert.deepEqual(locks.relock(UID, NAME), { kind: 'locked' });
      assert.equal(statSync(path).ino, ino);
      assert.equal(othersCanLock(), false);
      locks.keep(UID);
      locks.release(UID);
      assert.equal(existsSync(path), false);
      assert.deepEqual(await messages(), ['-61647']);
    });

    it('are lost if another file is in place of what was kept', async () => {
      open(UID);
      rmSync(path);
      writeFileSync(path, 'odlaw\n');
      const outcome = locks.relock(UID, NAME);
      assert.deepEqual(outcome, { kind: 'unusable', reason: 'its lock file has the name of somebody else' });
      assert.equal(readFileSync(path, 'utf8'), 'odlaw\n');
      assert.deepEqual(await messages(), ['-61647']);
    });

    it('are lost if what was kept is no longer a lock, and somebody else has it', async () => {
      mkdirSync(directory, { recursive: true });
      await hold();
      const { near, far } = DescriptorSocket.pair();
      peer = new DescriptorSocket(far);
      const inherited = new Map([[UID, openSync(path, 'r+')]]);
      store = new LockStore({ socket: near, capacity: 10, inherited, onFailure: what => assert.fail(what) });
      locks = new SystemdUidLocks(directory, () => {}, store);
      assert.deepEqual(locks.relock(UID, NAME), { kind: 'taken' });
      locks.dropInherited();
      assert.equal(existsSync(path), true);
      assert.deepEqual(await messages(), ['-61647']);
    });

    it('end if nobody has them again, file and all; the others stay', async () => {
      const [second, third] = [uid(61_648), uid(61_649)];
      open(UID, second, third);
      locks.relock(second, NAME);
      locks.sweep(third);
      assert.deepEqual(readdirSync(directory), [String(UID), String(second)]);
      locks.dropInherited();
      assert.deepEqual(readdirSync(directory), [String(second)]);
      locks.dropInherited();
      locks.sweep(second);
      assert.deepEqual(readdirSync(directory), [String(second)]);
      assert.deepEqual(await messages(), ['-61649', '-61647']);
      locks.release(second);
    });
  });

  it('are made again in a directory that was removed, or that is another one by now', async () => {
    const told: string[] = [];
    locks = new SystemdUidLocks(directory, what => told.push(what));
    const other = uid(61_648);
    locks.lock(UID, NAME);
    rmSync(directory, { recursive: true });
    assert.deepEqual(locks.lock(other, NAME), { kind: 'locked' });
    assert.equal(statSync(directory).mode & 0o7777, 0o755);
    assert.deepEqual(readdirSync(directory), [String(UID), String(other)]);
    assert.equal(othersCanLock(), false);
    assert.match(told.join('\n'), /gone or another one, and 1 UIDs are locked again/);
    // Somebody else is faster: as systemd, which makes the directory by itself and knows nothing of our locks.
    renameSync(directory, `${top}/former`);
    mkdirSync(directory, { mode: 0o755 });
    await hold();
    assert.deepEqual(locks.confirm(other), { kind: 'locked' });
    assert.deepEqual(locks.confirm(UID), { kind: 'taken' });
    locks.release(UID);
    assert.deepEqual(readdirSync(directory), [String(UID), String(other)], 'their file is theirs');
  });

  it('are ours only as long as the file that is locked is the one at the path', async () => {
    locks.lock(UID, NAME);
    assert.deepEqual(locks.confirm(UID), { kind: 'locked' });
    rmSync(path);
    assert.deepEqual(locks.confirm(UID), { kind: 'locked' }, 'nobody has it, so it is taken again');
    assert.equal(readFileSync(path, 'utf8'), 'waldo\n');
    assert.equal(othersCanLock(), false);
    rmSync(path);
    await hold();
    assert.deepEqual(locks.confirm(UID), { kind: 'taken' });
    await letGo();
    assert.deepEqual(locks.confirm(UID), { kind: 'taken' }, 'what was lost is not taken up again');
    assert.equal(existsSync(path), true);
  });

  it('are never held twice, whatever two sides do at a time', async () => {
    // Whoever has the lock writes two lines to a log, and unlinks the file before letting go; so do we.
    const log = `${top}/log`;
    const other = spawn('python3', ['-c', CONTENDER, path, log, String(CONTENTION_SECONDS)], { stdio: 'inherit' });
    const done = once(other, 'exit');
    const descriptor = openSync(log, 'a');
    let turns = 0;
    while (other.exitCode === null) {
      for (let turn = 0; turn < 200; turn++) {
        if (locks.lock(UID, NAME).kind === 'locked') {
          turns++;
          writeSync(descriptor, 'in\n');
          writeSync(descriptor, 'out\n');
          locks.release(UID);
        }
      }
      await new Promise(resolve => setImmediate(resolve));
    }
    closeSync(descriptor);
    assert.deepEqual(await done, [0, null]);
    const lines = readFileSync(log, 'utf8');
    assert.equal(lines.replaceAll('in\nout\n', ''), '');
    assert.ok(turns > 0 && lines.length > turns * 'in\nout\n'.length, 'both sides had their turns');
  });
});
