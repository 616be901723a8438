/** A host full of services: 4,000 processes are followed at a time, for nothing while they live, and each end is seen at once. */
// runs alone: it measures when the end of a process is seen
// time limit: 120 s
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PinnedProcess } from '../../src/allocator/ports.ts';
import { asPid } from '../../src/core/ids.ts';
import { raiseDescriptorLimit } from '../../src/host/libc/descriptors.ts';
import { ProcessWatch } from '../../src/host/processes/watch.ts';

const CROWD = 4_000;
const SAMPLES = 100;
const NOTICE_MS = 10;
const IDLE_MS = 1_000;
/** Of the time that passes; half of it is what a test runner does by itself. */
const IDLE_SHARE = 0.01;

/** Forks so many processes that sleep, prints their numbers, and kills all when its input ends. */
const PARENT = `
  $| = 1;
  for (1..$ARGV[0]) {
    my $pid = fork();
    die "fork: $!" unless defined $pid;
    if ($pid == 0) { sleep 1000 while 1 }
    push @all, $pid;
    print "$pid\\n";
  }
  print "end\\n";
  <STDIN>;
  kill 'KILL', @all;`;

describe(`${CROWD} processes`, () => {
  it('are followed, and the end of each is seen within 10 ms', async () => {
    raiseDescriptorLimit(CROWD + 256);
    const parent = spawn('perl', ['-e', PARENT, String(CROWD)], { stdio: ['pipe', 'pipe', 'inherit'] });
    const watch = new ProcessWatch((what, cause) => assert.fail(`${what}: ${String(cause)}`));
    const ended = new Map<number, (at: number) => void>();
    const pinned: PinnedProcess[] = [];
    for await (const line of createInterface(parent.stdout)) {
      if (line === 'end') {
        break;
      }
      const number = asPid(Number(line));
      const outcome = watch.open(number ?? assert.fail(line));
      assert.ok(outcome.kind === 'running');
      outcome.process.onExit(() => ended.get(outcome.process.identity.pid)?.(performance.now()));
      pinned.push(outcome.process);
    }
    assert.equal(pinned.length, CROWD);

    const before = process.cpuUsage();
    await sleep(IDLE_MS);
    const { user, system } = process.cpuUsage(before);
    assert.ok((user + system) / 1_000 < IDLE_MS * IDLE_SHARE, `${user + system} µs of ${IDLE_MS} ms`);

    const delays: number[] = [];
    for (const { identity } of pinned.slice(0, SAMPLES)) {
      const started = performance.now();
      const seen = new Promise<number>(resolve => ended.set(identity.pid, resolve));
      process.kill(identity.pid, 'SIGKILL');
      delays.push((await seen) - started);
    }
    delays.sort((one, other) => one - other);
    const median = delays[SAMPLES / 2] ?? Number.POSITIVE_INFINITY;
    assert.ok(median < NOTICE_MS, `${median} ms in the middle, ${delays.at(-1)} ms at most`);

    // All the others at once, more than one wait takes.
    const rest = pinned.slice(SAMPLES).map(({ identity }) => new Promise(resolve => ended.set(identity.pid, resolve)));
    const parentExit = once(parent, 'exit');
    parent.stdin.end();
    await Promise.all(rest);
    await parentExit;
    for (const each of pinned) {
      each.close();
    }
    await watch.close();
  });
});
