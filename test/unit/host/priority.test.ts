/** What the daemon takes of the processors: tried in other processes, since a test cannot give it back. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { CHECKOUT } from '../../../src/tooling/checkout.ts';

const SCRIPT = `import { readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { raisePriority } from '${CHECKOUT}dist/src/host/priority.js';
const problem = raisePriority();
let session;
try { session = readFileSync('/proc/self/autogroup', 'latin1').replace(/.* nice /s, '').trim(); } catch {}
process.stdout.write(JSON.stringify({ problem, nice: getPriority(), session }));`;

/** @param by what starts it */
function raisedBy(...by: readonly string[]): { problem?: string; nice: number; session?: string } {
  const [program = process.execPath, ...argv] = [...by, process.execPath, '--input-type=module', '-e', SCRIPT];
  const { stdout, stderr } = spawnSync(program, argv, { encoding: 'utf8' });
  assert.equal(stderr, '');
  return JSON.parse(stdout);
}

const session = (nice: number) => (existsSync('/proc/self/autogroup') ? { session: String(nice) } : {});
// Without the right to, nice(1) says so, and runs the program all the same.
const { stderr: refusal } = spawnSync('nice', ['-n', '-1', 'true'], { encoding: 'utf8' });
const options = { skip: refusal === '' ? false : 'no right to a higher priority (CAP_SYS_NICE)' };

test('the thread and its session get more than others', options, () => {
  assert.deepEqual(raisedBy('setsid', '--wait'), { nice: -5, ...session(-5) });
});

test("somebody else's session gets no more than it had", options, () => {
  assert.deepEqual(raisedBy('setsid', '--wait', 'sh', '-c', '"$@"; true', 'sh'), { nice: -5, ...session(0) });
});

test('what was set by who started it stays', options, () => {
  assert.deepEqual(raisedBy('setsid', '--wait', 'nice', '-n', '3'), { nice: 3, ...session(0) });
  assert.deepEqual(raisedBy('setsid', '--wait', 'nice', '-n', '-2'), { nice: -2, ...session(0) });
});

test('why it is not allowed is said', options, () => {
  const { problem, nice } = raisedBy('setpriv', '--bounding-set=-sys_nice', '--inh-caps=-sys_nice');
  assert.match(problem ?? '', /permission denied|not permitted/);
  assert.equal(nice, 0);
});
