import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderLeases, renderUser } from '../../../../src/cli/render/leases.ts';
import { chooseStyle } from '../../../../src/cli/render/table.ts';
import { localTime } from '../../../../src/cli/render/time.ts';
import { NOW, sampleLease } from '../sample.ts';

const ENDED = () => 'ended' as const;
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
      '  UID  NAME               UNIT                       KIND     LIFETIME    PID  SINCE     DIRECTORIES',
      '63122  run-u15750         run-u15750.service         dynamic  connection    7  5min ago  -',
      '64642  dynamic-user-test  dynamic-user-test.service  dynamic  explicit      -  5min ago  /var/lib/a /run/b',
      '64642  dynamic-user-test  other.service              dynamic  explicit      -  5min ago  -',
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
  assert.equal(renderLeases([], layout, NOW), 'No users.\n');
  assert.equal(renderLeases([], { ...layout, legend: false }, NOW), '');
});

test('without the legend there are rows alone', () => {
  const text = renderLeases([sampleLease()], { ...layout, legend: false }, NOW);
  assert.equal(text, '64642  dynamic-user-test  dynamic-user-test.service  dynamic  explicit  -  5min ago  -\n');
});

test('a hostile lease stays on its line and drives no terminal', () => {
  const hostile = sampleLease({ userName: 'a\x1b[2Jb', unit: 'c\nd', directories: ['/e\r\u202e'] });
  const text = renderLeases([hostile], { ...layout, legend: false }, NOW);
  assert.equal(text, '64642  a\\x1b[2Jb  c\\nd  dynamic  explicit  -  5min ago  /e\\x0d\\u{202e}\n');
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
  assert.doesNotMatch(renderUser([foreign], layout.style, NOW, ENDED), /Acquired|Held/);
});

test('a number is shown as that of who holds the lease; who has only acquired it may be gone', () => {
  const rows = (lease: ReturnType<typeof sampleLease>) => renderLeases([lease], { ...layout, legend: false }, NOW);
  assert.match(rows(sampleLease({ lifetime: 'process', holder: 12 })), / {2}process {2}12 {2}5min ago/);
  assert.match(
    rows(sampleLease({ lifetime: 'connection' })),
    / {2}connection {2}4711 {2}/,
    'of a daemon before "holder"',
  );
  assert.match(rows(sampleLease({ lifetime: 'timed', seconds: 5 })), / {2}timed {2}- {2}/);
  assert.match(rows(sampleLease({ lifetime: 'process', holder: 12, ending: true })), / {2}ending {2}- {2}/);

  const user = (lease: ReturnType<typeof sampleLease>, state: 'running' | 'ended' | 'unknown') =>
    renderUser([lease], layout.style, NOW, () => state);
  assert.match(user(sampleLease(), 'running'), /^Acquired by: process 4711$/m);
  assert.match(user(sampleLease(), 'ended'), /^Acquired by: process 4711, which has ended$/m);
  assert.match(user(sampleLease(), 'unknown'), /^Acquired by: process 4711, which may have ended$/m);
  const bound = user(sampleLease({ lifetime: 'process', holder: 12 }), 'ended');
  assert.match(bound, /^ +Held by: process 12$\n^Acquired by: process 4711, which has ended$/m);
  assert.doesNotMatch(user(sampleLease({ lifetime: 'connection', holder: 4711 }), 'ended'), /Acquired/);
});

test('a process that may not run for ever is shown with the time at which it is ended', () => {
  const shown = renderUser([sampleLease({ runtime: 3_900_000 })], layout.style, NOW, ENDED);
  const end = localTime((NOW + 3_600_000) * 1_000);
  assert.ok(shown.includes(`\n Runs until: ${end} (in 1h) at the latest\n`), shown);
});

test('a static user is shown as one, and counted as one', () => {
  const text = renderLeases(
    [sampleLease(), sampleLease({ uid: 33, userName: 'www-data', dynamic: false })],
    layout,
    NOW,
  );
  assert.match(text, /^ +33 +www-data .* static +explicit /m);
  assert.match(text, /\n\n2 users \(1 static\), 2 leases\.\n$/);
});

test('a user of the fleet is shown as one, and counted as one; one that should be is not', () => {
  const ofFleet = sampleLease({ uid: 65_536, userName: 'web', fleet: true });
  const local = sampleLease({ userName: 'db', fleet: false });
  const account = sampleLease({ uid: 33, userName: 'www-data', dynamic: false });
  const text = renderLeases([ofFleet, { ...ofFleet, unit: 'b' }, local, account], layout, NOW);
  assert.match(text, /^65536 +web .* fleet +explicit /m);
  assert.match(text, /^64642 +db .* dynamic +explicit /m);
  assert.match(text, /\n\n3 users \(1 of the fleet, 1 static\), 4 leases\.\n$/);
  const kind = (lease: ReturnType<typeof sampleLease>) => renderUser([lease], layout.style, NOW, ENDED);
  assert.match(kind(ofFleet), /^ +Kind: fleet: its name has this UID on every host$/m);
  assert.match(
    kind(local),
    /^ +Kind: dynamic: the fleet has the name, and did not answer; the UID is of this host alone$/m,
  );
});

test('a narrow terminal leaves columns out before it cuts names', () => {
  const lease = sampleLease({ lifetime: 'connection', directories: ['/var/lib/a-long-one'] });
  const titles = (columns: number) =>
    renderLeases([lease], { ...layout, columns }, NOW)
      .split('\n')[0]
      ?.trim()
      .split(/ +/);
  const row = (columns: number) => renderLeases([lease], { ...layout, columns }, NOW).split('\n')[1];
  assert.equal(titles(120)?.length, 8);
  assert.match(row(105) ?? '', /\/var\/li.*…$/, 'a detail is shortened first');
  assert.deepEqual(titles(95), ['UID', 'NAME', 'UNIT', 'KIND', 'LIFETIME', 'PID', 'SINCE']);
  assert.deepEqual(titles(87), ['UID', 'NAME', 'UNIT', 'KIND', 'LIFETIME', 'SINCE']);
  assert.deepEqual(titles(78), ['UID', 'NAME', 'UNIT', 'KIND', 'LIFETIME']);
  assert.deepEqual(titles(66), ['UID', 'NAME', 'UNIT', 'LIFETIME']);
  assert.deepEqual(titles(56), ['UID', 'NAME', 'UNIT']);
  assert.match(row(56) ?? '', /^64642 {2}dynamic-user-test {2}dynamic-user-test\.service$/);
  assert.match(row(40) ?? '', /^64642 .*…/, 'then names are cut');
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
  const shown = renderUser([sampleLease({ ending: true, remains })], layout.style, NOW, ENDED);
  assert.match(shown, /^ +State: ending: nothing resolves to it any more/m);
  assert.match(shown, /^Remains: process 7 \(a\\x1b\) runs with it$/m);
  assert.match(renderUser([sampleLease({ ending: true })], layout.style, NOW, ENDED), /^Remains: not known yet: /m);
});

test('what of its isolation a process goes without is shown', () => {
  const shown = renderUser([sampleLease({ missing: ['PrivateTmp=yes', 'a\x1b'] })], layout.style, NOW, ENDED);
  assert.match(shown, /^ +Missing: PrivateTmp=yes\n +Missing: a\\x1b$/m);
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
    renderUser([sampleLease(), other], layout.style, NOW, ENDED),
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
      'Acquired by: process 4711, which has ended',
      `      Since: ${since} (5min ago)`,
      'Directories: -',
      '',
      '      Lease: ffffffffffffffffffffffffffffffff',
      '       Unit: a\\x1b',
      'Description: b\\x1b',
      '   Lifetime: connection',
      '    Held by: process 4711',
      `      Since: ${since} (5min ago)`,
      'Directories: /a /b',
      '',
    ].join('\n'),
  );
});

test('a static user is said to be one', () => {
  assert.match(
    renderUser([sampleLease({ dynamic: false })], layout.style, NOW, ENDED),
    /^ +Kind: static: a user of this host/m,
  );
});

test('a user that has lost its UID is said to be lost, in the table, below it, and by itself', () => {
  const lost = sampleLease({ uid: 61185, userName: 'appa', lost: 'somebody\x1b has it' });
  const text = renderLeases([lost, { ...lost, unit: 'b' }, sampleLease()], layout, NOW);
  assert.equal(text.match(/ {2}lost {2}/g)?.length, 2);
  assert.match(text, /\n\n2 users, 3 leases; 1 user has lost the UID\.\n$/);
  const others = [lost, { ...lost, uid: 61186 }, sampleLease({ uid: 61187, ending: true })];
  assert.match(
    renderLeases(others, layout, NOW),
    /\n\n3 users, 3 leases; 2 users have lost the UID; 1 user is ending\.\n$/,
  );
  const shown = renderUser([lost], layout.style, NOW, ENDED);
  assert.match(shown, /^ State: lost: its UID is not its own any more; .*\nReason: somebody\\x1b has it\nLeases: 1$/m);
  assert.doesNotMatch(
    renderUser([sampleLease()], layout.style, NOW, ENDED),
    /State|Reason|Remains|Missing|Description/,
  );
});

test('only a user that cannot end has a line of its remains', () => {
  const ending = sampleLease({ uid: 61185, ending: true });
  assert.match(renderLeases([ending], layout, NOW), /\n\n1 user, 1 lease; 1 user is ending\.\n$/);
});
