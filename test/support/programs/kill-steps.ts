/**
 * Runs inside a machine with systemd: leases of all lifetimes, then a daemon that is killed at every system call by which
 * it makes or ends one more. After each the host is read, the daemon started, and everything held against what was
 * answered. Argument: how many leases. Prints {"kills": …, "missed": …, "steps": {SCENARIO: {STEP: KILLS}}}.
 */
import { strict as assert } from 'node:assert';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CallPoint, CallTrace, type TracedCall } from './call-trace.ts';
import { callOnce, DaemonProcess } from './daemon-process.ts';
import { Attempt, SCENARIOS, type Scenario, stepOf, VICTIM } from './kill-scenarios.ts';
import { type Lease, Population } from './population.ts';
import { assertComplete, assertWhole, countUsers } from './registry-view.ts';

const SETTLE_MS = 30_000;
/** How often a step is looked for that was passed by. */
const TRIES = 10;

const daemon = new DaemonProcess();
const population = new Population();
/** The UID that the victim had the first time, and gets again whenever it is free. */
let victimUid: number | undefined;

/** What a scenario does where nobody kills. */
async function record(scenario: Scenario): Promise<readonly TracedCall[]> {
  const attempt = await Attempt.prepare(scenario);
  const trace = await CallTrace.begin(daemon.pid ?? 0);
  assert.ok(await attempt.run(new AbortController().signal));
  const calls = await trace.end();
  noteUid(attempt.victim);
  await takeAway(await population.check());
  await attempt.cleanUp();
  await checkHost();
  return calls;
}

/** @returns whether the daemon was killed there, and the step that was not made */
async function killAt(scenario: Scenario, point: CallPoint): Promise<TracedCall | undefined> {
  const attempt = await Attempt.prepare(scenario);
  const gone = new AbortController();
  const ended = daemon.ended.then(() => gone.abort());
  const trace = await CallTrace.begin(daemon.pid ?? 0, point);
  const done = attempt.run(gone.signal);
  await Promise.race([ended, done]);
  const calls = await trace.end();
  const last = calls.at(-1);
  const missed = last === undefined || last.made;
  await daemon.kill();
  await ended;
  assertWhole();
  await daemon.start();
  const expected = attempt.expects(await done, calls);
  await population.claim();
  const others = await untilExpected(expected);
  if (expected === 'victim') {
    const [found] = others;
    assert.ok(found);
    assert.deepEqual(found, attempt.victim ?? found, 'it is the one that was answered');
    noteUid(found);
  }
  await takeAway(others);
  await attempt.cleanUp();
  await checkHost();
  return missed ? undefined : last;
}

/** What ends with the new daemon may be seen to end. */
async function untilExpected(expected: 'victim' | 'nothing'): Promise<readonly Lease[]> {
  const count = expected === 'victim' ? 1 : 0;
  for (const deadline = Date.now() + SETTLE_MS; ; await sleep(10)) {
    const others = await population.check();
    if (others.length === count || count === 1 || Date.now() > deadline) {
      assert.equal(others.length, count, `${JSON.stringify(others)} instead of ${expected}`);
      return others;
    }
  }
}

async function takeAway(leases: readonly Lease[]): Promise<void> {
  for (const { lease } of leases) {
    await callOnce('io.dynuser.Allocator.Release', { lease });
  }
}

function noteUid(victim: Lease | undefined): void {
  if (victim?.userName === 'victim') {
    victimUid ??= victim.uid;
    assert.equal(victim.uid, victimUid, 'the UID of a user that has ended is not free');
  }
}

/** Waits for what the daemon does after an answer, and checks that the host agrees with itself. */
async function checkHost(): Promise<void> {
  for (const deadline = Date.now() + SETTLE_MS; countUsers().incomplete > 0 && Date.now() < deadline; ) {
    await sleep(5);
  }
  assertComplete(daemon.pid ?? 0);
  assert.deepEqual(await population.check(), []);
}

await daemon.start();
// It is given its UID first, so that nobody of the population has it.
const first = await callOnce('io.dynuser.Allocator.Acquire', VICTIM);
victimUid = Number(first['uid']);
await population.fill(Number(process.argv[2]));
await callOnce('io.dynuser.Allocator.Release', { lease: String(first['lease']) });
await checkHost();

let [kills, missed] = [0, 0];
const steps: Record<string, Record<string, number>> = {};
for (const scenario of SCENARIOS) {
  const reached = new Map<string, number>();
  const kill = async (point: TracedCall): Promise<void> => {
    // Where this program fails or is late, its standard error tells where.
    console.error(`${Math.round(performance.now())} ms: ${scenario.name}, ${point.name} ${point.nth}: ${point.text}`);
    const call = await killAt(scenario, point);
    const step = call === undefined ? undefined : stepOf(call);
    if (step !== undefined) {
      reached.set(step, (reached.get(step) ?? 0) + 1);
    }
    kills += call === undefined ? 0 : 1;
    missed += call === undefined ? 1 : 0;
  };
  for (const point of await record(scenario)) {
    if (scenario.everywhere === true || stepOf(point) !== undefined) {
      await kill(point);
    }
  }
  // A step is some other call of its name where the daemon has something else to write or to open at the same time.
  for (const step of scenario.steps) {
    for (let tries = 0; tries < TRIES && !reached.has(step); tries++) {
      const point = (await record(scenario)).find(call => stepOf(call) === step);
      assert.ok(point, `${scenario.name} has no step "${step}"`);
      await kill(point);
    }
    assert.ok(
      reached.has(step),
      `${scenario.name}: never killed at ${step}, only at ${[...reached.keys()].join(', ')}`,
    );
  }
  steps[scenario.name] = Object.fromEntries(reached);
}

await population.end();
for (const deadline = Date.now() + SETTLE_MS; countUsers().users > 0 && Date.now() < deadline; ) {
  await sleep(20);
}
assert.equal(assertComplete(daemon.pid ?? 0).dynamic.size, 0);
await daemon.kill('SIGTERM');
console.log(JSON.stringify({ kills, missed, steps }));
process.exit(0);
