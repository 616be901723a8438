import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderLeases, renderUser, sortLeases } from '../../../../src/cli/render/leases.ts';
import { chooseStyle } from '../../../../src/cli/render/style.ts';
import { localTime } from '../../../../src/cli/render/time.ts';
import { NOW, sampleLease } from '../sample.ts';

const layout = { legend: true, style: chooseStyle(false, {}) };

test('leases are a table with their totals below', () => {
  const leases = [
    sampleLease({ uid: 63122, userName: 'run-u15750', unit: 'run-u15750.service', lifetime: 'connection', pid: 7 }),
    sampleLease({ directories: ['/var/lib/a', '/run/b'] }),
    sampleLease({ unit: 'other.service' }),
  ];
  assert.equal(
    renderLeases(leases, layout, NOW),
    [
      '  UID  NAME               UNIT                       LIFETIME     PID  SINCE     DIRECTORIES',
      '63122  run-u15750         run-u15750.service         connection     7  5min ago  -',
      '64642  dynamic-user-test  dynamic-user-test.service  explicit    4711  5min ago  /var/lib/a /run/b',
      '64642  dynamic-user-test  other.service              explicit    4711  5min ago  -',
      '',
      '2 users, 3 leases.',
      '',
    ].join('\n'),
  );
});

test('one user with one lease is counted as one', () => {
  assert.match(renderLeases([sampleLease()], layout, NOW), /\n\n1 user, 1 lease\.\n$/);
});

test('no leases: a sentence, or nothing without the legend', () => {
  assert.equal(renderLeases([], layout, NOW), 'No dynamic users.\n');
  assert.equal(renderLeases([], { ...layout, legend: false }, NOW), '');
});

test('without the legend there are rows alone', () => {
  const text = renderLeases([sampleLease()], { ...layout, legend: false }, NOW);
  assert.equal(text, '64642  dynamic-user-test  dynamic-user-test.service  explicit  4711  5min ago  -\n');
});

test('a hostile lease stays on its line and drives no terminal', () => {
  const hostile = sampleLease({ userName: 'a\x1b[2Jb', unit: 'c\nd', directories: ['/e\r\u202e'] });
  const text = renderLeases([hostile], { ...layout, legend: false }, NOW);
  assert.equal(text, '64642  a\\x1b[2Jb  c\\nd  explicit  4711  5min ago  /e\\x0d\\u{202e}\n');
});

test('a lease that is ending says so in place of its lifetime, and the totals count users', () => {
  const ending = sampleLease({ uid: 61185, lifetime: 'connection', ending: true });
  const text = renderLeases([ending, { ...ending, unit: 'b' }, sampleLease()], layout, NOW);
  assert.equal(text.match(/ {2}ending {2}/g)?.length, 2);
  assert.doesNotMatch(text, /connection/);
  assert.match(text, /\n\n2 users, 3 leases; 1 user is ending\.\n$/);
  const another = sampleLease({ uid: 61190, ending: true });
  assert.match(renderLeases([ending, another], layout, NOW), /\n\n2 users, 2 leases; 2 users are ending\.\n$/);
});

test('a process that the daemon cannot see into has no number', () => {
  const { pid, ...foreign } = sampleLease();
  assert.equal(pid, 4711);
  assert.match(renderLeases([foreign], layout, NOW), / {2}explicit +- {2}5min ago/);
  assert.match(renderUser([foreign], layout.style, NOW), /^ +PID: -$/m);
});

test('what keeps the UID of a user reserved stands below the totals, once', () => {
  const ending = sampleLease({
    uid: 61185,
    userName: 'appa',
    ending: true,
    remains: 'process 7 (old\u001b) runs with it',
  });
  const text = renderLeases([ending, { ...ending, unit: 'b' }], layout, NOW);
  assert.match(text, /; 1 user is ending\.\n61185 appa cannot end: process 7 \(old.*\) runs with it\.\n$/);
  assert.equal(text.includes('\u001b'), false);
  assert.doesNotMatch(renderLeases([ending], { ...layout, legend: false }, NOW), /cannot end/);
});

test('a user that is ending is shown with what keeps its UID reserved', () => {
  const remains = 'process 7 (a\x1b) runs with it';
  const shown = renderUser([sampleLease({ ending: true, remains })], layout.style, NOW);
  assert.match(shown, /^ +State: ending: nothing resolves to it any more/m);
  assert.match(shown, /^Remains: process 7 \(a\\x1b\) runs with it$/m);
  assert.match(renderUser([sampleLease({ ending: true })], layout.style, NOW), /^Remains: not known yet: /m);
});

test('what of its isolation a process goes without is shown', () => {
  const shown = renderUser([sampleLease({ missing: ['PrivateTmp=yes', 'a\x1b'] })], layout.style, NOW);
  assert.match(shown, /^ +Missing: PrivateTmp=yes\n +Missing: a\\x1b$/m);
});

test('leases are sorted by UID, then by age, and the input is left alone', () => {
  const young = sampleLease({ uid: 2, since: 20 });
  const old = sampleLease({ uid: 2, since: 10 });
  const first = sampleLease({ uid: 1, since: 30 });
  const input = [young, old, first];
  assert.deepEqual(sortLeases(input), [first, old, young]);
  assert.deepEqual(input, [young, old, first]);
});

test('a user is shown with each of its holders', () => {
  const since = localTime(sampleLease().since);
  const other = sampleLease({
    lease: 'f'.repeat(32),
    lifetime: 'connection',
    unit: 'a\x1b',
    description: 'b\x1b',
    directories: ['/a', '/b'],
  });
  assert.equal(
    renderUser([sampleLease(), other], layout.style, NOW),
    [
      '  Name: dynamic-user-test',
      '   UID: 64642',
      '   GID: 64642',
      '  Kind: dynamic',
      'Leases: 2',
      '',
      '      Lease: 0123456789abcdef0123456789abcdef',
      '       Unit: dynamic-user-test.service',
      '   Lifetime: explicit',
      '        PID: 4711',
      `      Since: ${since} (5min ago)`,
      'Directories: -',
      '',
      '      Lease: ffffffffffffffffffffffffffffffff',
      '       Unit: a\\x1b',
      'Description: b\\x1b',
      '   Lifetime: connection',
      '        PID: 4711',
      `      Since: ${since} (5min ago)`,
      'Directories: /a /b',
      '',
    ].join('\n'),
  );
});

test('a static user is said to be one', () => {
  assert.match(
    renderUser([sampleLease({ dynamic: false })], layout.style, NOW),
    /^ +Kind: static: a user of this host/m,
  );
});
