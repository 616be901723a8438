/** How long a service may run, and by what it is ended then. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainPlan, planLaunch } from '../../../../src/launch/launch.ts';
import type { ResolvedLaunch } from '../../../../src/launch/plan/request.ts';
import { acquiredOf, refuses, resolvedOf, resolvedOfUnit } from '../launches.ts';

const USUAL = { extraMs: 0, signal: 15, hangup: false, graceMs: 90_000, finalSignal: 9 };

/** @returns what --explain says of the end */
function endWords(resolved: ResolvedLaunch): string | undefined {
  const acquired = acquiredOf();
  const lines = explainPlan(resolved, acquired, planLaunch(resolved, acquired));
  const from = lines.indexOf('Ended:');
  return from < 0
    ? undefined
    : lines
        .slice(from + 1, lines.indexOf('Warnings:') < 0 ? undefined : lines.indexOf('Warnings:'))
        .map(line => line.trim())
        .join(' ');
}

test('without RuntimeMaxSec= a service may run for ever', () => {
  for (const properties of [[], ['RuntimeMaxSec=infinity'], ['RuntimeRandomizedExtraSec=5']]) {
    const resolved = resolvedOf(properties);
    assert.equal(resolved.runtime, undefined);
    assert.equal(endWords(resolved), undefined);
  }
});

test('a service that may not is ended as --stop would end it', () => {
  for (const [properties, expected, words] of [
    [['RuntimeMaxSec=60'], { milliseconds: 60_000 }, 'after 60 s, by dynuserd: SIGTERM, and 90 s later SIGKILL'],
    [
      ['RuntimeMaxSec=1min 500ms', 'RuntimeRandomizedExtraSec=2.5'],
      { milliseconds: 60_500, extraMs: 2_500 },
      'after 60.5 s and a random part of 2.5 s more, by dynuserd: SIGTERM, and 90 s later SIGKILL',
    ],
    [
      ['RuntimeMaxSec=1', 'KillSignal=SIGINT', 'SendSIGHUP=yes', 'FinalKillSignal=SIGQUIT', 'TimeoutStopSec=1ms'],
      { milliseconds: 1_000, signal: 2, hangup: true, finalSignal: 3, graceMs: 1 },
      'after 1 s, by dynuserd: SIGINT, SIGHUP, and 0.001 s later SIGQUIT',
    ],
    [
      ['RuntimeMaxSec=1', 'TimeoutStopSec=infinity'],
      { milliseconds: 1_000, graceMs: undefined },
      'after 1 s, by dynuserd: SIGTERM',
    ],
    [
      ['RuntimeMaxSec=1', 'TimeoutStopSec=0'],
      { milliseconds: 1_000, graceMs: undefined },
      'after 1 s, by dynuserd: SIGTERM',
    ],
    [
      ['RuntimeMaxSec=1', 'SendSIGKILL=no'],
      { milliseconds: 1_000, finalSignal: undefined },
      'after 1 s, by dynuserd: SIGTERM',
    ],
  ] as const) {
    const resolved = resolvedOf(properties);
    const all: object = { ...USUAL, ...expected };
    const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
    assert.deepEqual(resolved.runtime, given, properties.join());
    assert.equal(endWords(resolved), words);
    assert.deepEqual(resolved.warnings, []);
  }
});

test('the last of several limits holds, and what is not a span of time is a warning', () => {
  const lines = ['ExecStart=/x', 'RuntimeMaxSec=5', 'RuntimeMaxSec=7', 'RuntimeMaxSec=soon', 'RuntimeMaxSec='];
  const { runtime, warnings } = resolvedOfUnit(lines);
  assert.equal(runtime?.milliseconds, 7_000);
  assert.deepEqual(
    warnings.map(text => text.split(':')[1]),
    ['5', '6'],
  );
  refuses(() => resolvedOf(['RuntimeMaxSec=soon']), 'RuntimeMaxSec', /not a time span/);
});

test('what ends by itself, or may not be ended, has no limit, as with systemd; and it is said', () => {
  for (const [line, words] of [
    ['Type=oneshot', /^RuntimeMaxSec= is ignored: a service of Type=oneshot ends by itself$/],
    ['KillMode=none', /^RuntimeMaxSec= is ignored: with KillMode=none nothing is ended$/],
  ] as const) {
    const { runtime, warnings } = resolvedOfUnit(['ExecStart=/x', 'RuntimeMaxSec=5', line]);
    assert.equal(runtime, undefined);
    assert.match(warnings[0] ?? '', words);
  }
});

test('commands by name are not a service, and have no limit', () => {
  const { runtime, warnings } = resolvedOfUnit(['ExecStart=/x', 'ExecReload=/y', 'RuntimeMaxSec=5'], {
    phase: 'reload',
  });
  assert.equal(runtime, undefined);
  assert.deepEqual(warnings, []);
});
