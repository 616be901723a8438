/**
 * Not a test: runs one scene of process-watch.test.ts in a process of its own, often in a PID namespace of its own, and
 * prints what it saw as one line of JSON. The scene is argv[2], what it needs follows.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PinnedProcess, PinOutcome } from '../../../src/allocator/ports.ts';
import { asPid, type Pid } from '../../../src/core/ids.ts';
import { ProcessWatch } from '../../../src/host/processes/watch.ts';
import { socketDescriptor } from '../../../src/varlink/socket-handle.ts';

function watcher(): ProcessWatch {
  return new ProcessWatch((what, cause) => {
    throw new Error(what, { cause });
  });
}

function pidOf(child: ChildProcess): Pid {
  const pid = asPid(child.pid ?? 0);
  assert.ok(pid !== undefined);
  return pid;
}

function running(outcome: PinOutcome): PinnedProcess {
  assert.ok(outcome.kind === 'running');
  return outcome.process;
}

async function end(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** A process gets the number of one that was known, and is taken for another one. Needs a PID namespace of its own. */
async function reuse(): Promise<unknown> {
  const watch = watcher();
  const first = spawn('sleep', ['60'], { stdio: 'ignore' });
  const pid = pidOf(first);
  const known = running(watch.open(pid));
  let exits = 0;
  known.onExit(() => exits++);
  // Longer than a clock tick: a kernel without inode numbers tells two processes of one number by their start alone.
  await sleep(50);
  await end(first);
  writeFileSync('/proc/sys/kernel/ns_last_pid', String(pid - 1));
  const second = spawn('sleep', ['60'], { stdio: 'ignore' });
  assert.equal(pidOf(second), pid, 'the number is given out again');
  const adopted = watch.adopt(known.identity).kind;
  const withoutInode = watch.adopt({ ...known.identity, inode: undefined }).kind;
  const other = running(watch.open(pid));
  const own = watch.adopt(other.identity).kind;
  await sleep(50);
  await end(second);
  await watch.close();
  return { adopted, withoutInode, own, exits, owner: known.owner() ?? null };
}

/** Listens on argv[3] and says what it makes of the first process that connects, once that says a word, and of its end. */
async function peer(path: string): Promise<unknown> {
  const watch = watcher();
  const server = createServer();
  server.listen(path, () => process.stdout.write('listening\n'));
  const [socket] = await once(server, 'connection');
  // ECONNRESET, where the other end left before it has read all.
  socket.on('error', () => {});
  await once(socket, 'data');
  const outcome = watch.fromPeer(socketDescriptor(socket) ?? -1);
  socket.write('go\n');
  let pid: Pid | null = null;
  if (outcome.kind === 'running') {
    pid = outcome.process.identity.pid;
    await new Promise<void>(resolve => outcome.process.onExit(resolve));
  }
  socket.destroy();
  server.close();
  await watch.close();
  return { kind: outcome.kind, pid };
}

/** All descriptors are taken. */
function exhausted(): unknown {
  const watch = watcher();
  const self = asPid(process.pid);
  assert.ok(self !== undefined);
  const pinned: PinnedProcess[] = [];
  for (;;) {
    try {
      pinned.push(running(watch.open(self)));
    } catch (error) {
      // The report needs one.
      pinned.pop()?.close();
      return error instanceof Error && 'code' in error ? { code: error.code, message: error.message } : {};
    }
  }
}

const [, , scene, argument] = process.argv;
const seen = scene === 'reuse' ? await reuse() : scene === 'peer' ? await peer(argument ?? '') : exhausted();
process.stdout.write(`${JSON.stringify(seen)}\n`);
