import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LaunchPlan } from '../../../../src/api/generated/io-dynuser-allocator.ts';
import { explainPlan, planLaunch } from '../../../../src/launch/launch.ts';
import { acquiredOf, planOf, refuses, resolvedOf } from '../launches.ts';

function streams(...properties: string[]): LaunchPlan['streams'] {
  return planOf(properties, {}, { unit: 'wuff' }).streams;
}

/** The kinds by number, for plans in which only they matter. */
function kinds(...properties: string[]): string {
  return (streams(...properties) ?? [])
    .map(({ number, kind, from }) => `${number} ${kind}${from === undefined ? '' : ` ${from}`}`)
    .join(', ');
}

test('streams that nothing names stay as they are; standard error goes where standard output goes', () => {
  assert.equal(streams(), undefined);
  assert.equal(kinds('StandardInput=null'), '0 null');
  assert.equal(kinds('StandardOutput=null'), '1 null, 2 copy 1');
  assert.equal(kinds('StandardOutput=null', 'StandardError=null'), '1 null, 2 null');
  assert.equal(kinds('StandardError=inherit'), '2 copy 1');
  assert.equal(kinds('StandardOutput=inherit'), '');
  assert.equal(kinds('StandardInput=null', 'StandardOutput=inherit'), '0 null');
  assert.equal(kinds('StandardInput=socket', 'StandardOutput=inherit'), '0 socket, 1 copy 0');
  assert.equal(kinds('StandardInput=tty', 'StandardOutput=tty', 'StandardError=tty'), '0 terminal, 1 copy 0, 2 copy 0');
  // Without a journal each stays what it was.
  assert.equal(kinds('StandardOutput=journal'), '1 journal, 2 journal');
});

test('files: what is read and written, at the end or anew', () => {
  assert.deepEqual(streams('StandardInput=file:/a/./b', 'StandardOutput=append:/%p', 'StandardError=truncate:/e'), [
    { number: 0, kind: 'file', path: '/a/b', access: 'read' },
    { number: 1, kind: 'file', path: '/wuff', access: 'write', append: true },
    { number: 2, kind: 'file', path: '/e', access: 'write', truncate: true },
  ]);
  assert.deepEqual(streams('StandardInput=file:/a', 'StandardOutput=file:/a'), [
    { number: 0, kind: 'file', path: '/a', access: 'both' },
    { number: 1, kind: 'copy', from: 0 },
    { number: 2, kind: 'copy', from: 1 },
  ]);
  assert.equal(kinds('StandardOutput=append:/a', 'StandardError=append:/a'), '1 file, 2 copy 1');
  assert.equal(kinds('StandardOutput=append:/a', 'StandardError=file:/a'), '1 file, 2 file');
  refuses(() => streams('StandardOutput=file:a'), 'StandardOutput', /absolute/);
  refuses(() => streams('StandardOutput=file:/a/../b'), 'StandardOutput', /"\.\."/);
  refuses(() => streams('StandardInput=append:/a'), 'StandardInput', /use one of null, .*file:PATH, fd:NAME/);
  refuses(() => streams('StandardOutput=data'), 'StandardOutput', /unknown value/);
  refuses(() => streams('StandardOutput=constructor'), 'StandardOutput', /unknown value/);
});

test('data: lines of text with escapes and specifiers, and base64, in their order', () => {
  const data = (...properties: string[]) =>
    Buffer.from(streams(...properties)?.[0]?.data ?? '', 'base64').toString('latin1');
  assert.equal(
    data('StandardInputText=a\\x00\\xff%p', 'StandardInputData=AAH/ /w=='),
    'a\\x00\xffwuff\n\x00\x01\xff\xff',
  );
  assert.equal(data('StandardInputText=a', 'StandardInputData=', 'StandardInputText=b'), 'b\n');
  assert.equal(kinds('StandardInput=data'), '0 null');
  assert.equal(kinds('StandardInput=null', 'StandardInputText=a'), '0 data');
  refuses(() => streams('StandardInputData=AAA'), 'StandardInputData', /not base64/);
  refuses(() => streams('StandardInputText=a\\'), 'StandardInputText', /backslash at the end/);
  const half = 'A'.repeat(700_000);
  refuses(() => streams(`StandardInputData=${half}`, `StandardInputData=${half}`), 'properties', /./, 'LimitReached');
});

test('descriptors by name, and what the journal is told', () => {
  assert.deepEqual(streams('StandardInput=fd', 'StandardOutput=fd:log'), [
    { number: 0, kind: 'named', name: 'stdin' },
    { number: 1, kind: 'named', name: 'log' },
    { number: 2, kind: 'copy', from: 1 },
  ]);
  refuses(() => streams('StandardOutput=fd:a:b'), 'StandardOutput', /name of a descriptor/);
  const journal = { kind: 'journal', levelPrefix: true, toKernel: false, toConsole: false } as const;
  assert.deepEqual(streams('StandardError=journal'), [{ number: 2, ...journal, priority: 30 }]);
  assert.deepEqual(
    streams(
      'StandardError=kmsg+console',
      'SyslogIdentifier=%n',
      'SyslogFacility=local0',
      'SyslogLevel=3',
      'SyslogLevelPrefix=no',
    ),
    [
      {
        ...{ number: 2, ...journal, identifier: 'wuff.service', priority: 131 },
        ...{ levelPrefix: false, toKernel: true, toConsole: true },
      },
    ],
  );
  refuses(() => streams('SyslogFacility=24'), 'SyslogFacility', /unknown facility/);
  refuses(() => streams('SyslogLevel=loud'), 'SyslogLevel', /use one of emerg, /);
  refuses(() => streams('SyslogIdentifier=a\nb'), 'SyslogIdentifier', /control/);
});

test('its terminal, what is done to it, and its TERM', () => {
  assert.deepEqual(streams('StandardInput=tty-force')?.[0], {
    ...{ number: 0, kind: 'terminal', path: '/dev/console', control: 'force' },
  });
  assert.equal(planOf(['TTYReset=yes']).terminal, undefined);
  const properties = ['StandardOutput=tty', 'TTYPath=/dev/tty%p', 'TTYVHangup=yes', 'TTYRows=24'];
  const plan = planOf(properties, {}, { unit: 'wuff' });
  assert.deepEqual(plan.terminal, { path: '/dev/ttywuff', hangup: true, reset: false, clear: false, rows: 24 });
  assert.ok(plan.environment.includes('TERM=vt220'));
  assert.ok(planOf(['TTYPath=/dev/tty7']).environment.includes('TERM=linux'));
  assert.ok(planOf(['TTYPath=/dev/tty7', 'Environment=TERM=x']).environment.includes('TERM=x'));
  refuses(() => planOf(['TTYRows=65536']), 'TTYRows', /not a size/);
});

test('streams in words', () => {
  const acquired = acquiredOf();
  const words = (...properties: string[]): string => {
    const resolved = resolvedOf(properties);
    return explainPlan(resolved, acquired, planLaunch(resolved, acquired)).join('\n');
  };
  assert.match(
    words('StandardInputText=ab', 'StandardOutput=append:/a'),
    /Streams:\n {2}standard input: 3 bytes of the unit file\n {2}standard output: the file \/a, at its end\n {2}standard error: the same as standard output\n/,
  );
  assert.doesNotMatch(words(), /Streams:/);
});
