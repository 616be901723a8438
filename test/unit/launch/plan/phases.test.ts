/** Commands of a unit file that run by name: which they are, what they are told, and what becomes of the service's process. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LaunchPlan } from '../../../../src/api/generated/io-dynuser-allocator.ts';
import { explainPlan, planLaunch } from '../../../../src/launch/launch.ts';
import type { Acquired, LaunchRequest } from '../../../../src/launch/plan/request.ts';
import { acquiredOf, refuses, resolvedOf, resolvedOfUnit } from '../launches.ts';

const MAIN: Partial<Acquired> = { main: { pid: 77, inode: '12' } };

function planOf(
  phase: LaunchRequest['phase'],
  lines: readonly string[],
  more: Partial<LaunchRequest> = {},
): LaunchPlan {
  const asked = phase === undefined ? more : { phase, ...more };
  const resolved = resolvedOfUnit(['Type=exec', 'ExecStart=/start', ...lines], asked);
  return planLaunch(resolved, acquiredOf(phase === 'stopPost' || phase === undefined ? {} : MAIN));
}

const words = (plan: LaunchPlan): readonly (readonly string[])[] => (plan.commands ?? []).map(line => line.arguments);
const told = (plan: LaunchPlan): string[] => plan.environment.filter(text => /^(?:MAINPID|SERVICE|EXIT)/.test(text));
const COMMANDS = ['ExecStartPost=/a', 'ExecReload=/b $MAINPID', 'ExecReload=-/c', 'ExecStop=/d', 'ExecStopPost=/e'];

test('each phase has its commands, and says so', () => {
  for (const [phase, expected] of [
    [undefined, [['/start']]],
    ['startPost', [['/a']]],
    ['reload', [['/b', '77'], ['/c']]],
    ['stop', [['/d']]],
    ['stopPost', [['/e']]],
  ] as const) {
    const plan = planOf(phase, COMMANDS);
    assert.deepEqual([plan.phase, words(plan)], [phase, expected]);
  }
  assert.equal(planOf('stop', []).commands, undefined);
});

test('the commands are told of the service, unless the unit file says something else', () => {
  assert.deepEqual(told(planOf(undefined, COMMANDS)), []);
  assert.deepEqual(told(planOf('startPost', COMMANDS)), ['MAINPID=77']);
  assert.deepEqual(told(planOf('reload', COMMANDS)), ['MAINPID=77']);
  assert.deepEqual(told(planOf('stop', COMMANDS)), ['MAINPID=77', 'SERVICE_RESULT=success']);
  assert.deepEqual(told(planOf('stopPost', COMMANDS)), ['SERVICE_RESULT=success']);
  assert.deepEqual(told(planOf('reload', [...COMMANDS, 'Environment=MAINPID=5'])), ['MAINPID=5']);
});

test('what runs after the service is told how it ended', () => {
  const after = (ended: string, ...lines: string[]) =>
    told(planOf('stopPost', lines, { ended }))
      .map(text => text.replace(/.*=/, ''))
      .join(' ');
  for (const [ended, expected] of [
    ['0', 'success exited 0'],
    ['3', 'exit-code exited 3'],
    ['255', 'exit-code exited 255'],
    ['TERM', 'success killed TERM'],
    ['SIGHUP', 'success killed HUP'],
    ['KILL', 'signal killed KILL'],
    ['RTMIN+3', 'signal killed RTMIN+3'],
  ] as const) {
    assert.equal(after(ended), expected);
  }
  const good = 'SuccessExitStatus=3 KILL NOSUCHNAME TEMPFAIL';
  assert.equal(after('3', good), 'success exited 3');
  assert.equal(after('75', good), 'success exited 75');
  assert.equal(after('9', good), 'exit-code exited 9');
  assert.equal(after('KILL', good), 'success killed KILL');
  for (const ended of ['256', '-1', '15x', 'NOSIGNAL', '']) {
    refuses(() => planOf('stopPost', [], { ended }), 'ended', /^not an end of a service/);
  }
});

test('a stop ends the process as the unit file says', () => {
  const main = (...lines: string[]) => planOf('stop', lines).main;
  const own = { pid: 77, inode: '12' };
  assert.deepEqual(main(), { ...own, seconds: 90, stopSignal: 15, hangup: false, finalSignal: 9 });
  assert.deepEqual(
    main('KillSignal=SIGINT', 'SendSIGHUP=yes', 'TimeoutStopSec=1min 2s', 'FinalKillSignal=ABRT', 'KillMode=mixed'),
    { ...own, seconds: 62, stopSignal: 2, hangup: true, finalSignal: 6 },
  );
  assert.equal(main('TimeoutSec=5')?.seconds, 5);
  assert.equal(main('TimeoutStopSec=100ms')?.seconds, 1);
  assert.equal(main('TimeoutStopSec=10years')?.seconds, 2_073_600);
  assert.equal(main('TimeoutStopSec=infinity')?.seconds, undefined);
  assert.equal(main('TimeoutStopSec=0')?.seconds, undefined);
  assert.equal(main('SendSIGKILL=no')?.finalSignal, undefined);
  assert.deepEqual(main('KillMode=none'), { ...own, seconds: 90 });
});

test('a reload is a signal for a service that says so, and needs one of both', () => {
  assert.deepEqual(planOf('reload', ['ExecReload=/b']).main, { pid: 77, inode: '12' });
  const notified = planOf('reload', ['Type=notify-reload', 'ReloadSignal=SIGUSR1']);
  assert.deepEqual([notified.main?.reloadSignal, notified.commands], [10, undefined]);
  refuses(() => planOf('reload', []), 'phase', /^the unit file has no ExecReload=/);
});

test('what belongs to another phase, or to none, is refused', () => {
  refuses(() => resolvedOf([], { phase: 'stop' }), 'phase', /--unit-file=/);
  refuses(() => planOf(undefined, [], { mainPid: 7 }), 'mainPid');
  refuses(() => planOf('stopPost', [], { mainPid: 7 }), 'mainPid');
  refuses(() => planOf('stop', [], { ended: '0' }), 'ended');
});

test('a start says which commands it leaves to others, and runs those after a program that ends', () => {
  const warned = (...lines: string[]) => resolvedOfUnit(['ExecStart=/start', ...COMMANDS, ...lines]).warnings;
  assert.deepEqual(warned(), [
    '/srv/wuff.service:3: ExecStartPost= is left to what starts the launcher: dynuser-run --start-post runs it',
    '/srv/wuff.service:6: ExecStop= is left to what starts the launcher: dynuser-run --stop runs it',
    '/srv/wuff.service:7: ExecStopPost= is left to what starts the launcher: dynuser-run --stop-post runs it',
  ]);
  assert.equal(warned('Type=oneshot').length, 2);
  assert.deepEqual(words(planOf(undefined, ['Type=oneshot', 'ExecStartPost=/a'])), [['/start'], ['/a']]);
});

test('an explanation has the commands of the phase', () => {
  const resolved = resolvedOfUnit(['ExecStart=/start', 'ExecStop=/d $MAINPID'], { phase: 'stop' });
  const acquired = acquiredOf(MAIN);
  const lines = explainPlan(resolved, acquired, planLaunch(resolved, acquired)).join('\n');
  assert.match(
    lines,
    /^Commands:\n {2}\/d 77 \(as the user\)\n {2}then signal 15 to process 77, and signal 9 after 90 s$/m,
  );
});

test('the last command of a service that ends with its commands may fail if it says so, and that of no other', () => {
  const waits = (...lines: string[]) => planLaunch(resolvedOfUnit(lines), acquiredOf()).waitsForLast === true;
  assert.ok(waits('Type=oneshot', 'ExecStart=/x', 'ExecStart=-/y'));
  assert.ok(waits('Type=oneshot', 'ExecStart=/x', 'ExecStartPost=-/y'));
  assert.ok(!waits('Type=oneshot', 'ExecStart=-/x', 'ExecStart=/y'));
  assert.ok(!waits('Type=oneshot', 'ExecStart=/x', 'ExecStartPre=-/y'));
  assert.ok(!waits('ExecStart=-/x'));
});
