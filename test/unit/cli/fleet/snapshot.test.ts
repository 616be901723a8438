/** list --fleet: who can be looked up here, and who of them lives here. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandFailure } from '../../../../src/cli/failure.ts';
import { usersOfFleet } from '../../../../src/cli/fleet/snapshot.ts';
import { type Observed, Unreadable } from '../../../../src/cli/host.ts';
import { renderUsersOfFleet } from '../../../../src/cli/render/fleet.ts';
import { chooseStyle } from '../../../../src/cli/render/table.ts';
import { encodeSnapshot } from '../../../../src/core/fleet-snapshot.ts';
import type { Uid, UserName } from '../../../../src/core/ids.ts';
import { sampleLease } from '../sample.ts';

const LAYOUT = { legend: true, style: chooseStyle(false, {}) };
const SNAPSHOT = encodeSnapshot([
  { name: 'web' as UserName, uid: 65_537 as Uid },
  { name: 'db' as UserName, uid: 65_538 as Uid },
  { name: 'old' as UserName, uid: 65_536 as Uid },
]);
const AWAY = { reachable: false, problem: 'gone' } as const;
const SERVICE = { vendor: '', product: '', version: '' };

const hostWith = (text: Observed<string>) => ({
  text: (path: string) => (path === '/run/x/fleet.snapshot' ? text : undefined),
});

test('a user lives here if it has a lease with its UID that is neither ending nor lost', () => {
  const leases = [
    sampleLease({ uid: 65_536, userName: 'old', ending: true }),
    sampleLease({ uid: 65_537, userName: 'web' }),
    sampleLease({ uid: 64_000, userName: 'db' }),
  ];
  const users = usersOfFleet(hostWith(SNAPSHOT), '/run/x', { reachable: true, service: SERVICE, leases });
  assert.deepEqual(users, [
    { uid: 65_536, userName: 'old', live: false },
    { uid: 65_537, userName: 'web', live: true },
    { uid: 65_538, userName: 'db', live: false },
  ]);
  assert.equal(
    renderUsersOfFleet(users, LAYOUT),
    '  UID  NAME  HERE\n65536  old   -\n65537  web   lives\n65538  db    -\n\n3 users of the fleet; 1 lives here.\n',
  );
});

test('with the daemon away they are listed all the same, and nobody says who lives here', () => {
  const users = usersOfFleet(hostWith(SNAPSHOT), '/run/x', AWAY);
  assert.deepEqual(users[1], { uid: 65_537, userName: 'web' });
  assert.match(renderUsersOfFleet(users, LAYOUT), /^65537 {2}web {3}unknown$/m);
  assert.match(renderUsersOfFleet(users, LAYOUT), /\n\n3 users of the fleet; the daemon does not answer\.\n$/);
  assert.equal(renderUsersOfFleet([], { ...LAYOUT, legend: false }), '');
});

test('a host without a fleet, a file that cannot be read, and one that is not a snapshot are errors with what to do', () => {
  for (const [text, words] of [
    [undefined, /^this host knows no users of a fleet .*; set Fleet= in dynuserd\.conf/],
    [new Unreadable('no\x1b'), /^\/run\/x\/fleet\.snapshot: no\\x1b; restart dynuserd/],
    [SNAPSHOT.slice(1), /^\/run\/x\/fleet\.snapshot: it is not a snapshot of a fleet; restart/],
  ] as const) {
    assert.throws(
      () => usersOfFleet(hostWith(text), '/run/x', AWAY),
      (error: unknown) => error instanceof CommandFailure && words.test(error.message),
    );
  }
});
