/** Descriptors of processes: this one, and children that end. What other namespaces see is in integration/host. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, mkdtempSync, openSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { describe, it, type TestContext } from 'node:test';
import { asPid, type Pid } from '../../../../src/core/ids.ts';
import { Pidfds } from '../../../../src/host/processes/pidfd.ts';
import { socketDescriptor } from '../../../../src/varlink/socket-handle.ts';

const pidfds = new Pidfds();
const pidOf = (number: number | undefined): Pid => asPid(number ?? 0) ?? assert.fail();
const SELF = pidOf(process.pid);

function open(context: TestContext, pid: Pid): number {
  const descriptor = pidfds.open(pid) ?? assert.fail();
  context.after(() => closeSync(descriptor));
  return descriptor;
}

function sleeper(): ChildProcess {
  return spawn('sleep', ['60'], { stdio: 'ignore' });
}

async function end(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

describe('the descriptor of a process', () => {
  it('knows its number, and that it has not exited', context => {
    const descriptor = open(context, SELF);
    assert.equal(pidfds.hasExited(descriptor), false);
    assert.equal(pidfds.number(descriptor), SELF);
  });

  it('knows that it has exited, and has its number no more', async context => {
    const child = sleeper();
    const descriptor = open(context, pidOf(child.pid));
    assert.equal(pidfds.number(descriptor), child.pid);
    await end(child);
    assert.equal(pidfds.hasExited(descriptor), true);
    assert.equal(pidfds.number(descriptor), 'gone');
    assert.equal(pidfds.number(open(context, SELF)), SELF, 'others are still asked');
  });

  it('has an inode number like no other process, if this kernel has them', async context => {
    const child = sleeper();
    const [one, again, other] = [open(context, SELF), open(context, SELF), open(context, pidOf(child.pid))];
    const inode = pidfds.inode(one);
    assert.equal(pidfds.inode(again), inode);
    // PID_FS_MAGIC of linux/magic.h: their file system has one inode for each process.
    if (statfsSync(`/proc/self/fd/${one}`).type === 0x5049_4446) {
      assert.equal(inode, String(fstatSync(one, { bigint: true }).ino));
      assert.notEqual(pidfds.inode(other), inode);
    } else {
      assert.equal(inode, undefined);
    }
    await end(child);
  });

  it('is not there if no process has the number, or only a thread', () => {
    assert.equal(pidfds.open(pidOf(0x40_0000)), undefined);
    const thread = readdirSync('/proc/self/task').find(id => id !== String(process.pid));
    assert.equal(pidfds.open(pidOf(Number(thread))), undefined);
  });

  it('is told from other files', () => {
    const file = openSync('/dev/null', 'r');
    assert.throws(() => pidfds.number(file), /of a pidfd has no Pid: line$/);
    closeSync(file);
  });
});

describe('the process that has connected', () => {
  it('is known by its descriptor, where the kernel says so', async context => {
    const directory = mkdtempSync(`${tmpdir()}/dynuser-pidfd-`);
    const server = createServer().listen(`${directory}/socket`);
    await once(server, 'listening');
    const client = connect(`${directory}/socket`);
    const [socket]: Socket[] = await once(server, 'connection');
    context.after(() => {
      client.destroy();
      socket?.destroy();
      server.close();
      rmSync(directory, { recursive: true });
    });
    const peer = pidfds.ofPeer(socketDescriptor(socket ?? assert.fail()) ?? -1);
    if (peer.kind !== 'unsupported') {
      assert.ok(peer.kind === 'pidfd');
      assert.equal(pidfds.number(peer.descriptor), SELF);
      closeSync(peer.descriptor);
    }
  });

  it('is not asked for if there is no socket', () => {
    const file = openSync('/dev/null', 'r');
    assert.throws(() => pidfds.ofPeer(file), { code: 'ENOTSOCK' });
    closeSync(file);
  });
});
