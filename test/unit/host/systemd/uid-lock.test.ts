// time limit: 180 s
/** The lock files, against flock(1) of util-linux as the other side, and against everything that may be at their paths. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
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
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { DynuserError } from '../../../../src/core/errors.ts';
import { asUid, type Uid } from '../../../../src/core/ids.ts';
import { parseUserName } from '../../../../src/core/name.ts';
import { raiseDescriptorLimit } from '../../../../src/host/libc/libc.ts';
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
    locks = SystemdUidLocks.open(directory);
  });

  afterEach(async () => {
    await letGo();
    rmSync(top, { recursive: true, force: true });
  });

  /** Another process takes the lock of the file, made if it is missing, and keeps it. */
  async function hold(): Promise<void> {
    holder = spawn('flock', [path, '-c', 'echo held; exec cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
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

  it('are taken once by ourselves, too', () => {
    locks.lock(UID, NAME);
    assert.deepEqual(locks.lock(UID, NAME), { kind: 'taken' });
    assert.deepEqual(locks.peek(UID), { kind: 'taken' });
    locks.sweep(UID);
    assert.equal(othersCanLock(), false);
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
    ['a FIFO', () => void execFileSync('mkfifo', [path]), /61647: it is no regular file$/],
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
      () => SystemdUidLocks.open(`${top}/file/dynamic-uid`),
      error => error instanceof DynuserError && error.code === 'HostFailed' && /lock directory/.test(error.message),
    );
  });

  it('are made again in a directory that was removed, or that is another one by now', async () => {
    const told: string[] = [];
    locks = SystemdUidLocks.open(directory, { report: what => told.push(what) });
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
