/** Limits and scheduling: what a unit file says, and what the plan has of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LaunchPlan } from '../../../../src/api/generated/io-dynuser-allocator.ts';
import { explainPlan } from '../../../../src/launch/plan/explain.ts';
import { planLaunch } from '../../../../src/launch/plan/plan-launch.ts';
import { acquiredOf, refuses, resolvedOf } from '../launches.ts';

function planOf(...properties: string[]): LaunchPlan {
  const resolved = resolvedOf(properties);
  return planLaunch(resolved, acquiredOf());
}

const INFINITY = '18446744073709551615';

test('limits are read in the unit of their resource', () => {
  const limits: readonly (readonly [string, string, soft: string, hard: string])[] = [
    ['LimitCPU=90', 'cpu', '90', '90'],
    ['LimitCPU=1min 1ms:2h', 'cpu', '61', '7200'],
    ['LimitFSIZE=1.5K', 'fsize', '1536', '1536'],
    ['LimitDATA=1G 1M:infinity', 'data', '1074790400', INFINITY],
    ['LimitSTACK=8M', 'stack', '8388608', '8388608'],
    ['LimitCORE=0', 'core', '0', '0'],
    ['LimitRSS=1T', 'rss', '1099511627776', '1099511627776'],
    ['LimitNOFILE=1024:524288', 'nofile', '1024', '524288'],
    ['LimitAS=2P:1E', 'as', '2251799813685248', '1152921504606846976'],
    ['LimitNPROC=infinity', 'nproc', INFINITY, INFINITY],
    ['LimitMEMLOCK=64B', 'memlock', '64', '64'],
    ['LimitLOCKS=1', 'locks', '1', '1'],
    ['LimitSIGPENDING=7', 'sigpending', '7', '7'],
    ['LimitMSGQUEUE=1K', 'msgqueue', '1024', '1024'],
    ['LimitNICE=+5', 'nice', '15', '15'],
    ['LimitNICE=-20', 'nice', '40', '40'],
    ['LimitNICE=0:40', 'nice', '0', '40'],
    ['LimitNICE=infinity', 'nice', INFINITY, INFINITY],
    ['LimitRTPRIO=99', 'rtprio', '99', '99'],
    ['LimitRTTIME=1500', 'rttime', '1500', '1500'],
    ['LimitRTTIME=1.5s', 'rttime', '1500000', '1500000'],
    ['LimitRTTIME=1ns', 'rttime', '1', '1'],
  ];
  for (const [assignment, resource, soft, hard] of limits) {
    assert.deepEqual(planOf(assignment).limits, [{ resource, soft, hard }], assignment);
  }
});

test('the last limit of a resource holds', () => {
  const nofile = { resource: 'nofile', soft: '20', hard: '20' };
  assert.deepEqual(planOf('LimitNOFILE=10', 'LimitNPROC=1', 'LimitNOFILE=20').limits?.slice(1), [nofile]);
  assert.equal(planOf().limits, undefined);
});

test('what is not a limit is refused by its name', () => {
  for (const [assignment, why] of [
    ['LimitNOFILE=', /not a number: ""/],
    ['LimitNOFILE=-1', /not a number: "-1"/],
    ['LimitNOFILE=1K', /not a number/],
    ['LimitNOFILE=18446744073709551616', /not a number/],
    ['LimitNOFILE=2:1', /not a limit: "2:1"; use one for both, or SOFT:HARD, the lower one first/],
    ['LimitNOFILE=1:2:3', /not a limit/],
    ['LimitFSIZE=16E', /not a size: "16E"/],
    ['LimitFSIZE=1Q', /not a size/],
    ['LimitFSIZE=K', /not a size/],
    ['LimitCPU=1 fortnight', /not a time span: "1 fortnight"/],
    ['LimitCPU=soon', /not a time span/],
    ['LimitNICE=41', /not a number from 0 to 40/],
    ['LimitNICE=+20', /not a number from -20 to 19/],
  ] as const) {
    refuses(() => planOf(assignment), assignment.replace(/=.*/, ''), why);
  }
});

test('scheduling is planned as the kernel takes it', () => {
  const plans: readonly (readonly [string, Partial<LaunchPlan>])[] = [
    ['Nice=-20', { priority: 40 }],
    ['Nice=19', { priority: 1 }],
    ['OOMScoreAdjust=-1000', { oomScoreAdjust: '-1000' }],
    ['OOMScoreAdjust=+7', { oomScoreAdjust: '7' }],
    ['CPUSchedulingPolicy=fifo', { cpuPolicy: 'fifo' }],
    ['CPUSchedulingPriority=99', { cpuPriority: 99 }],
    ['CPUSchedulingResetOnFork=yes', { cpuResetOnFork: true }],
    ['CPUAffinity=3,1-2 1\t8191', { cpuAffinity: [1, 2, 3, 8191] }],
    ['IOSchedulingClass=best-effort', { ioClass: 'bestEffort' }],
    ['IOSchedulingClass=0', { ioClass: 'bestEffort', ioLevel: 4 }],
    ['IOSchedulingClass=1', { ioClass: 'realtime' }],
    ['IOSchedulingClass=3', { ioClass: 'idle' }],
    ['IOSchedulingPriority=7', { ioLevel: 7 }],
    ['NUMAPolicy=interleave', { numaPolicy: 'interleave' }],
    ['NUMAMask=0-1', { numaPolicy: 'preferred', numaNodes: [0, 1] }],
    ['TimerSlackNSec=50', { timerSlack: '50' }],
    ['TimerSlackNSec=1.5us', { timerSlack: '1500' }],
    ['CoredumpFilter=private-anonymous elf-headers', { coredumpFilter: '0000000000000011' }],
    ['CoredumpFilter=default', { coredumpFilter: '0000000000000033' }],
    ['CoredumpFilter=all', { coredumpFilter: '00000000ffffffff' }],
    ['CoredumpFilter=0x7f', { coredumpFilter: '000000000000007f' }],
    ['Personality=x86-64', { personality: 'x86_64' }],
    ['MemoryKSM=no', { memoryMerge: 'off' }],
    ['MemoryKSM=yes', { memoryMerge: 'on' }],
  ];
  const without = planOf();
  for (const [assignment, fields] of plans) {
    assert.deepEqual(planOf(assignment), { ...without, ...fields }, assignment);
  }
});

test('what belongs together is one value: the class and its level, the policy and its nodes', () => {
  const io = ({ ioClass, ioLevel }: LaunchPlan) => [ioClass, ioLevel];
  assert.deepEqual(io(planOf('IOSchedulingPriority=6', 'IOSchedulingClass=none')), ['bestEffort', 4]);
  assert.deepEqual(io(planOf('IOSchedulingClass=none', 'IOSchedulingPriority=6')), ['bestEffort', 6]);
  assert.deepEqual(io(planOf('IOSchedulingPriority=6', 'IOSchedulingClass=idle')), ['idle', 6]);
  assert.deepEqual(io(planOf('IOSchedulingPriority=6', 'IOSchedulingClass=')), [undefined, undefined]);
  const memory = ({ numaPolicy, numaNodes }: LaunchPlan) => [numaPolicy, numaNodes];
  assert.deepEqual(memory(planOf('NUMAMask=1', 'NUMAPolicy=bind', 'NUMAMask=0')), ['bind', [0, 1]]);
  assert.deepEqual(memory(planOf('NUMAMask=1', 'NUMAPolicy=local')), ['local', undefined]);
  assert.deepEqual(memory(planOf('NUMAPolicy=default', 'NUMAMask=1')), ['default', undefined]);
  assert.deepEqual(memory(planOf('NUMAPolicy=bind', 'NUMAPolicy=', 'NUMAMask=1', 'NUMAMask=')), [undefined, undefined]);
});

test('lists grow with each assignment, and an empty one begins anew', () => {
  assert.deepEqual(planOf('CPUAffinity=1', 'CPUAffinity=0').cpuAffinity, [0, 1]);
  assert.deepEqual(planOf('CPUAffinity=1', 'CPUAffinity=', 'CPUAffinity=2').cpuAffinity, [2]);
  assert.equal(planOf('CPUAffinity=1', 'CPUAffinity=').cpuAffinity, undefined);
  assert.equal(planOf('CPUAffinity=0-8191').cpuAffinity?.length, 8_192);
  assert.equal(planOf('CoredumpFilter=shared-huge', 'CoredumpFilter=1').coredumpFilter, '0000000000000041');
  assert.equal(planOf('CoredumpFilter=all', 'CoredumpFilter=').coredumpFilter, undefined);
});

test('what cannot be scheduled so is refused by its name', () => {
  for (const [assignment, why] of [
    ['Nice=20', /not a number from -20 to 19: "20"/],
    ['Nice=5.5', /not a number/],
    ['OOMScoreAdjust=1001', /from -1000 to 1000/],
    ['CPUSchedulingPolicy=ext', /other, batch, idle, fifo, rr/],
    ['CPUSchedulingPriority=100', /from 0 to 99/],
    ['CPUAffinity=8192', /from 0 to 8191/],
    ['CPUAffinity=2-1', /not a range of numbers: "2-1"/],
    ['CPUAffinity=1-2-3', /not a range of numbers/],
    ['CPUAffinity=numa', /only a service manager/],
    ['IOSchedulingClass=4', /none, realtime, best-effort, idle/],
    ['IOSchedulingPriority=8', /from 0 to 7/],
    ['NUMAPolicy=near', /default, preferred, bind, interleave, local/],
    ['NUMAMask=1024', /from 0 to 1023/],
    ['CoredumpFilter=stack', /default, all, private-anonymous/],
    ['TimerSlackNSec=600years', /not a time span/],
    ['Personality=vax', /x86-64, x86, arm64, arm/],
  ] as const) {
    refuses(() => planOf(assignment), assignment.replace(/=.*/, ''), why);
  }
});

test('an explanation says what is limited and how it is scheduled', () => {
  const resolved = resolvedOf(['LimitNOFILE=10:infinity', 'Nice=-3', 'CPUAffinity=0-1', 'OOMScoreAdjust=5']);
  const acquired = acquiredOf();
  const lines = explainPlan(resolved, acquired, planLaunch(resolved, acquired));
  const from = lines.indexOf('Resources:');
  assert.deepEqual(lines.slice(from, from + 5), [
    'Resources:',
    '  limit nofile: 10, at most infinity',
    '  nice value: -3',
    '  OOM score adjustment: 5',
    '  processors: 0 1',
  ]);
});
