/** Real processes are followed to their end, whichever it is, and are never taken for others. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { after, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PinnedProcess } from '../../../src/allocator/ports.ts';
import { asPid, asUid, type Pid, type Uid } from '../../../src/core/ids.ts';
import { ProcessWatch } from '../../../src/host/processes/watch.ts';
import { CHECKOUT } from '../../../src/tooling/checkout.ts';
import { until } from '../../support/until.ts';
import { withDirectory } from './helpers.ts';

const WORLD = `${CHECKOUT}dist/test/integration/host/watch-world.js`;
const UID = uidOf(64_000);
const OTHER = uidOf(64_001);
const failures: unknown[] = [];
const watch = new ProcessWatch((_what, cause) => failures.push(cause));
after(() => watch.close());

function open(pid: number): PinnedProcess {
  const outcome = watch.open(pidOf(pid));
  assert.ok(outcome.kind === 'running');
  return outcome.process;
}

function uidOf(number: number): Uid {
  const uid = asUid(number);
  assert.ok(uid !== undefined);
  return uid;
}

function pidOf(number: number | undefined): Pid {
  const pid = asPid(number ?? 0);
  assert.ok(pid !== undefined);
  return pid;
}

function sleeper(): ChildProcess & { readonly pid: number } {
  const child = spawn('sleep', ['60'], { stdio: 'ignore', uid: UID });
  return Object.assign(child, { pid: pidOf(child.pid) });
}

const exitOf = (process: PinnedProcess): Promise<void> => new Promise(resolve => process.onExit(resolve));
const descriptors = (): number => readdirSync('/proc/self/fd').length;

describe('a process that somebody has waited for', () => {
  it('is noticed in the tick in which that is asked, and told once', async () => {
    const children = Array.from({ length: 300 }, sleeper);
    let told = 0;
    const pinned = children.map(({ pid }) => open(pid));
    for (const each of pinned) {
      each.onExit(() => told++);
    }
    watch.notice();
    assert.equal(told, 0);
    // From here to the notice the event loop has no turn, and so hears nothing of the thread that waits.
    execFileSync('sh', [
      '-c',
      'kill -KILL "$@"; for p; do while grep -q "^State:.[^Z]" "/proc/$p/status"; do :; done; done',
      'sh',
      ...children.map(({ pid }) => String(pid)),
    ]);
    watch.notice();
    assert.equal(told, children.length);
    await sleep(50);
    assert.equal(told, children.length);
    for (const each of pinned) {
      each.close();
    }
  });
});

describe('a process', () => {
  const ENDS: readonly (readonly [how: string, script: string])[] = [
    ['exits', 'read -r line; exit 0'],
    ['kills itself', 'read -r line; kill -KILL $$'],
    ['crashes', 'read -r line; kill -SEGV $$'],
    ['leaves a child behind that holds its streams', 'read -r line; sleep 60 & echo $!; exit 0'],
  ];
  for (const [how, script] of ENDS) {
    it(`is gone when it ${how}`, async () => {
      const child = spawn('sh', ['-c', script], { stdio: ['pipe', 'pipe', 'ignore'] });
      const reaped = once(child, 'exit');
      const pinned = open(child.pid ?? 0);
      const exited = exitOf(pinned);
      let output = '';
      child.stdout.on('data', bytes => {
        output += String(bytes);
      });
      child.stdin.write('go\n');
      await Promise.all([exited, reaped]);
      pinned.close();
      if (output !== '') {
        process.kill(Number(output), 'SIGKILL');
      }
    });
  }

  it('is not gone while it is stopped', async () => {
    const child = sleeper();
    const pinned = open(child.pid);
    const exited = exitOf(pinned);
    child.kill('SIGSTOP');
    assert.equal(await Promise.race([exited.then(() => 'gone'), sleep(100, 'there')]), 'there');
    child.kill('SIGKILL');
    await exited;
    pinned.close();
  });

  it('is followed though it exited before it was asked about it', async () => {
    const child = sleeper();
    const pinned = open(child.pid);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await exitOf(pinned);
    assert.equal(pinned.owner(), undefined);
    assert.equal(pinned.runsAs(UID), false);
    pinned.close();
  });

  it('is gone if nobody has the number, or a thread has it', async () => {
    assert.deepEqual(watch.open(pidOf(0x40_0000)), { kind: 'gone' });
    const thread = readdirSync('/proc/self/task').find(id => id !== String(process.pid));
    assert.deepEqual(watch.open(pidOf(Number(thread))), { kind: 'gone' });
  });

  it('is gone before its parent has waited for it', async () => {
    // The shell becomes a program that never waits.
    const parent = spawn('sh', ['-c', 'sh -c "exit 0" & echo $!; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [line] = await once(parent.stdout, 'data');
    await until('it has exited', () => watch.open(pidOf(Number(line))).kind === 'gone');
    parent.kill('SIGKILL');
  });

  it('says whose it is, and is known again by its identity alone', async () => {
    const child = sleeper();
    const pinned = open(child.pid);
    assert.equal(pinned.owner(), UID);
    assert.deepEqual([pinned.runsAs(UID), pinned.runsAs(OTHER)], [true, false]);
    const again = watch.adopt(JSON.parse(JSON.stringify(pinned.identity)));
    assert.ok(again.kind === 'running');
    assert.deepEqual(again.process.identity, pinned.identity);
    assert.deepEqual(watch.adopt({ ...pinned.identity, boot: 'another' }), { kind: 'gone' });
    again.process.close();
    child.kill('SIGKILL');
    await once(child, 'exit');
    assert.deepEqual(watch.adopt(pinned.identity), { kind: 'gone' });
    pinned.close();
  });

  it('calls nobody back that has lost interest, and leaves no descriptor', async () => {
    const before = descriptors();
    const child = sleeper();
    const pinned = open(child.pid);
    const other = open(child.pid);
    let calls = 0;
    pinned.onExit(() => calls++);
    const exited = exitOf(other);
    pinned.close();
    child.kill('SIGKILL');
    await Promise.all([exited, once(child, 'exit')]);
    other.close();
    other.close();
    assert.equal(calls, 0);
    assert.equal(descriptors(), before);
  });

  it('costs the others nothing when its callback throws', async () => {
    const child = sleeper();
    const [first, second] = [open(child.pid), open(child.pid)];
    first.onExit(() => {
      throw new Error('a callback that fails');
    });
    const exited = exitOf(second);
    child.kill('SIGKILL');
    await exited;
    assert.deepEqual(failures.splice(0).map(String), ['Error: a callback that fails']);
    first.close();
    second.close();
  });
});

describe('a number that is given out again', () => {
  it('is another process', () => {
    const output = execFileSync('unshare', ['-p', '-f', '--mount-proc', process.execPath, WORLD, 'reuse'], {
      encoding: 'utf8',
    });
    assert.deepEqual(JSON.parse(output), {
      adopted: 'gone',
      withoutInode: 'gone',
      own: 'running',
      exits: 1,
      owner: null,
    });
  });
});

describe('the process that has connected', () => {
  /** Lets somebody connect to a listener that runs behind a prefix, and returns what that saw. */
  function listened(prefix: readonly string[], client: (path: string) => Promise<number>) {
    let seen: { kind: string; pid: number | null } | undefined;
    let number = 0;
    return withDirectory(async directory => {
      const path = `${directory}/socket`;
      const [program = '', ...rest] = [...prefix, process.execPath, WORLD, 'peer', path];
      const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
      let output = '';
      child.stdout.on('data', bytes => {
        output += String(bytes);
      });
      // Listened for at once: the listener may be done before its client is.
      const closed = once(child, 'close');
      await once(child.stdout, 'data');
      number = await client(path);
      await closed;
      seen = JSON.parse(output.split('\n')[1] ?? '');
    }).then(() => ({ seen, number }));
  }

  /** Connects, has the listener look, waits until it has, and ends. */
  const CLIENT = `const s = require('net').connect(process.argv[1]); s.write('look'); s.once('data', () => process.exit())`;

  it('is followed to its end', async () => {
    const { seen, number } = await listened([], async path => {
      const child = spawn(process.execPath, ['-e', CLIENT, path], { stdio: 'inherit' });
      await once(child, 'exit');
      return child.pid ?? 0;
    });
    assert.deepEqual(seen, { kind: 'running', pid: number });
  });

  it('is followed too in a PID namespace below', async () => {
    const { seen } = await listened([], async path => {
      const child = spawn('unshare', ['-p', '-f', '--mount-proc', process.execPath, '-e', CLIENT, path], {
        stdio: 'inherit',
      });
      await once(child, 'exit');
      return 0;
    });
    assert.equal(seen?.kind, 'running');
    assert.ok((seen.pid ?? 0) > 1, 'by its number in our namespace');
  });

  it('is refused by name where it is in a namespace that cannot be seen into', async () => {
    const { seen } = await listened(['unshare', '-p', '-f', '--mount-proc'], async path => {
      const socket = connect(path);
      socket.write('look');
      await once(socket, 'data');
      socket.destroy();
      return 0;
    });
    assert.deepEqual(seen, { kind: 'invisible', pid: null });
  });

  it('is gone where it was waited for before anyone asked', async () => {
    const { seen } = await listened([], async path => {
      // The child connects and ends; the connection lives on in its parent, which has waited for it.
      const script = `import os, socket, sys
s = socket.socket(socket.AF_UNIX)
pid = os.fork()
if pid == 0:
    s.connect(sys.argv[1])
    os._exit(0)
os.waitpid(pid, 0)
s.send(b'look')
s.recv(1)`;
      const child = spawn('python3', ['-c', script, path], { stdio: 'inherit' });
      await once(child, 'exit');
      return 0;
    });
    assert.equal(seen?.kind, 'gone');
  });
});

describe('the watch', () => {
  it('lets its process end once it is closed, while processes are followed', async () => {
    const script = `
      const { ProcessWatch } = await import(${JSON.stringify(`${CHECKOUT}dist/src/host/processes/watch.js`)});
      const watch = new ProcessWatch(() => {});
      watch.open(process.ppid).process.onExit(() => {});
      await new Promise(resolve => setTimeout(resolve, 50));
      await watch.close();
      await watch.close();`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit', timeout: 10_000 });
    assert.deepEqual(await once(child, 'exit'), [0, null]);
  });

  it('says that descriptors have run out', () => {
    const output = execFileSync('sh', ['-c', 'ulimit -n 128; exec "$@"', 'sh', process.execPath, WORLD, 'exhausted'], {
      encoding: 'utf8',
    });
    const { code, message } = JSON.parse(output);
    assert.equal(code, 'LimitReached');
    assert.match(message, /^cannot watch process \d+: EMFILE/);
  });
});
