/** Children of this process are followed to their end, and known again. What takes namespaces or many processes is in integration/host. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync } from 'node:fs';
import { constants } from 'node:os';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { PinnedProcess } from '../../../../src/allocator/ports.ts';
import { asPid, type Pid } from '../../../../src/core/ids.ts';
import { DescriptorSocket } from '../../../../src/host/libc/descriptor-socket.ts';
import { readBoot } from '../../../../src/host/processes/files.ts';
import { ProcessWatch } from '../../../../src/host/processes/watch.ts';

const pidOf = (number: number | undefined): Pid => asPid(number ?? 0) ?? assert.fail();
const exitOf = (pinned: PinnedProcess): Promise<void> => new Promise(resolve => pinned.onExit(resolve));
const descriptors = (): number => readdirSync('/proc/self/fd').length;

describe('a process that is watched', () => {
  let watch: ProcessWatch;
  let failures: (readonly [what: string, cause: string])[] = [];
  let child: ChildProcess;
  beforeEach(() => {
    failures = [];
    watch = new ProcessWatch((what, cause) => failures.push([what, String(cause)]));
    child = spawn('sleep', ['60'], { stdio: 'ignore' });
  });
  afterEach(async () => {
    child.kill('SIGKILL');
    await watch.close();
  });

  function open(pid = child.pid): PinnedProcess {
    const outcome = watch.open(pidOf(pid));
    assert.ok(outcome.kind === 'running');
    return outcome.process;
  }

  async function end(): Promise<void> {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  it('is told of when it exits, to all who follow it, once', async () => {
    const [one, two] = [open(), open()];
    let calls = 0;
    one.onExit(() => calls++);
    const exited = exitOf(two);
    await end();
    await exited;
    await new Promise(setImmediate);
    assert.equal(calls, 1);
    one.close();
    two.close();
    assert.deepEqual(failures, []);
  });

  it('is told of though it has exited before anyone followed it', async () => {
    const pinned = open();
    await end();
    await exitOf(pinned);
    pinned.close();
  });

  it('is not told of to who has let go of it, and leaves no descriptor', async () => {
    const before = descriptors();
    const [one, two, three] = [open(), open(), open()];
    let calls = 0;
    one.onExit(() => calls++);
    one.close();
    one.close();
    one.onExit(() => calls++);
    three.close();
    const exited = exitOf(two);
    await end();
    await exited;
    two.close();
    assert.equal(calls, 0);
    assert.equal(descriptors(), before);
  });

  it('is told of to the others though one of the callbacks throws', async () => {
    const [one, two] = [open(), open()];
    one.onExit(() => {
      throw new Error('of a callback');
    });
    const exited = exitOf(two);
    await end();
    await exited;
    one.close();
    two.close();
    assert.deepEqual(failures, [['what follows the exit of a process failed', 'Error: of a callback']]);
  });

  it('is not told of once the watch is closed, which then holds nothing', async () => {
    const pinned = open();
    let calls = 0;
    pinned.onExit(() => calls++);
    const before = descriptors();
    await watch.close();
    await watch.close();
    assert.equal(descriptors(), before - 2, 'what it waited with');
    pinned.onExit(() => calls++);
    await end();
    await new Promise(setImmediate);
    assert.equal(calls, 0);
    pinned.close();
  });

  it('says whose it is as long as it runs', async () => {
    const pinned = open();
    assert.equal(pinned.owner(), process.getuid?.());
    await end();
    assert.equal(pinned.owner(), undefined);
    pinned.close();
  });

  it('gets signals while it runs, and nobody gets them afterwards', async () => {
    const pinned = open();
    const exited = once(child, 'exit');
    assert.throws(() => pinned.signal(1_000), /cannot send signal 1000 to process \d+: .*EINVAL/);
    pinned.signal(constants.signals.SIGUSR1);
    assert.deepEqual(await exited, [null, 'SIGUSR1']);
    pinned.signal(constants.signals.SIGKILL);
    pinned.close();
    pinned.signal(constants.signals.SIGKILL);
  });

  it('is known again by its identity, and nothing else is taken for it', async () => {
    const pinned = open();
    const { identity } = pinned;
    assert.deepEqual([identity.pid, identity.boot], [child.pid, readBoot()]);
    const { inode, startTime } = identity;
    assert.equal([inode, startTime].filter(value => value !== undefined).length, 1, 'the better of the two');
    const again = watch.adopt(identity);
    assert.ok(again.kind === 'running');
    assert.deepEqual(again.process.identity, identity);
    const exited = exitOf(again.process);
    const before = descriptors();
    const gone = { kind: 'gone' };
    assert.deepEqual(watch.adopt({ ...identity, boot: 'another' }), gone);
    assert.deepEqual(watch.adopt({ ...identity, inode: '1', startTime: 1 }), gone, 'another one had the number');
    assert.equal(descriptors(), before);
    await end();
    await exited;
    assert.deepEqual(watch.adopt(identity), gone);
    again.process.close();
    pinned.close();
  });

  it('is not there if nobody has the number', () => {
    assert.deepEqual(watch.open(pidOf(0x40_0000)), { kind: 'gone' });
  });

  it('is the one that has connected, where the kernel says which that is', () => {
    const before = descriptors();
    const { near, far } = DescriptorSocket.pair();
    const outcome = watch.fromPeer(far);
    if (outcome.kind !== 'unsupported') {
      assert.ok(outcome.kind === 'running');
      assert.equal(outcome.process.identity.pid, process.pid);
      assert.equal(outcome.process.owner(), process.getuid?.());
      outcome.process.close();
    }
    near.close();
    closeSync(far);
    assert.equal(descriptors(), before);
  });

  it('is not named by what is not a socket', () => {
    const file = openSync('/dev/null', 'r');
    assert.throws(() => watch.fromPeer(file), {
      code: 'HostFailed',
      message: /^cannot watch the process that has connected: ENOTSOCK/,
    });
    closeSync(file);
  });
});
