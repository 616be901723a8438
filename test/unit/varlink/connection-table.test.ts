import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionTable, type Placed } from '../../../src/varlink/connection-table.ts';

const LIMITS = { maxConnections: 6, maxConnectionsPerPeer: 3, reservedConnections: 2, maxQueuedBytesInAll: 100 };

function peer(owner: number, privileged = false): Placed {
  return { owner, privileged };
}

/** Gives a peer a place unless it is refused, as the server does. */
function admit(table: ConnectionTable<Placed>, newcomer: Placed, at: number): object {
  const reason = table.refusal(newcomer);
  return reason === undefined ? { displaced: table.admit(newcomer, at) } : { reason };
}

const ADMITTED = { displaced: undefined };

/** A table in which as many unprivileged peers as there is room for came at 0, 1, 2, … */
function filled(): { table: ConnectionTable<Placed>; peers: Placed[] } {
  const table = new ConnectionTable<Placed>(LIMITS);
  const peers = [peer(1), peer(1), peer(2), peer(3)];
  for (const [at, each] of peers.entries()) {
    assert.deepEqual(admit(table, each, at), ADMITTED);
  }
  return { table, peers };
}

test('one peer has no more than its part, and gets it back', () => {
  const table = new ConnectionTable<Placed>(LIMITS);
  const [first, ...others] = [peer(7), peer(7), peer(7)];
  for (const each of [first, ...others]) {
    assert.deepEqual(admit(table, each, 0), ADMITTED);
  }
  assert.deepEqual(admit(table, peer(7), 0), { reason: 'connections of one peer' });
  assert.deepEqual(admit(table, peer(8), 0), ADMITTED);
  table.remove(first);
  table.remove(first);
  assert.deepEqual(admit(table, peer(7), 0), ADMITTED);
  assert.notDeepEqual(admit(table, peer(7), 0), ADMITTED, 'removing twice gives one place back');
});

test('a peer without a connection is forgotten', () => {
  const { table, peers } = filled();
  assert.equal(table.peers, 3);
  const [first, second, ...others] = peers;
  assert.ok(first && second);
  table.remove(first);
  assert.equal(table.peers, 3, 'it has another one');
  table.remove(second);
  assert.equal(table.peers, 2);
  for (const each of others) {
    table.remove(each);
  }
  assert.equal(table.peers, 0);
});

test('the reserved places are for privileged peers', () => {
  const { table } = filled();
  assert.deepEqual(admit(table, peer(9), 9), { reason: 'connections' });
  assert.deepEqual(admit(table, peer(0, true), 9), ADMITTED);
  assert.deepEqual(admit(table, peer(0, true), 9), ADMITTED);
  assert.equal(table.size, 6);
});

test('where all is taken, a privileged peer displaces the longest idle', () => {
  const { table, peers } = filled();
  table.admit(peer(0, true), 10);
  table.admit(peer(0, true), 11);
  const [first, second, third] = peers;
  assert.ok(first && second && third);
  table.markIdle(first, 20);
  table.markBusy(second);
  assert.deepEqual(admit(table, peer(0, true), 21), { displaced: third });
  assert.equal(table.size, 6);
});

test('nobody is displaced in the middle of something', () => {
  const table = new ConnectionTable<Placed>({ ...LIMITS, maxConnections: 2 });
  for (const each of [peer(0, true), peer(0, true)]) {
    table.admit(each, 0);
    table.markBusy(each);
  }
  assert.deepEqual(admit(table, peer(0, true), 1), { reason: 'connections' });
});

test('says who has been idle, and who has not completed a request, since before', () => {
  const { table, peers } = filled();
  const [first, second, third, fourth] = peers;
  assert.ok(first && second && third && fourth);
  assert.deepEqual(table.idleBefore(2), [first, second]);
  table.markIdle(first, 5);
  table.markBusy(second);
  assert.deepEqual(table.idleBefore(5), [third, fourth]);
  table.frameBegun(third, 6);
  table.frameBegun(first, 7);
  table.frameBegun(third, 9);
  assert.deepEqual(table.frameBegunBefore(7), [third], 'the time of its first byte counts');
  table.frameEnded(third);
  assert.deepEqual(table.frameBegunBefore(100), [first]);
  table.remove(first);
  table.markIdle(first, 1);
  table.frameBegun(first, 1);
  assert.deepEqual([...table.frameBegunBefore(100), ...table.idleBefore(4)], [third, fourth], 'who is gone stays gone');
});

test('keeps who is not being read, for as long as it is there', () => {
  const { table, peers } = filled();
  const [first, second, third] = peers;
  assert.ok(first && second && third);
  for (const each of [first, second, third]) {
    table.markUnread(each);
  }
  table.markRead(first);
  table.remove(second);
  table.markUnread(second);
  assert.deepEqual(table.unread(), [third]);
});

test('whoever has the most pays, whoever went past the end', () => {
  const table = new ConnectionTable<Placed>(LIMITS);
  const [greedy, modest, other] = [peer(1), peer(2), peer(3)];
  assert.equal(table.accountOutput(greedy, 60), undefined);
  assert.equal(table.accountOutput(modest, 40), undefined);
  assert.equal(table.accountOutput(modest, 41), greedy);
  assert.equal(table.accountOutput(greedy, 0), undefined);
  assert.equal(table.accountOutput(other, 59), undefined);
  assert.equal(table.accountOutput(other, 60), other);
});

test('an account is what waits now, not what ever did', () => {
  const table = new ConnectionTable<Placed>(LIMITS);
  const a = peer(1);
  for (let round = 0; round < 1_000; round++) {
    assert.equal(table.accountOutput(a, 90), undefined);
    assert.equal(table.accountOutput(a, 0), undefined);
    assert.equal(table.accountOutput(a, 0), undefined);
  }
});

test('what is gone waits for nothing', () => {
  const table = new ConnectionTable<Placed>(LIMITS);
  const [gone, other] = [peer(1), peer(2)];
  table.admit(gone, 0);
  assert.equal(table.accountOutput(gone, 90), undefined);
  table.remove(gone);
  assert.equal(table.accountOutput(other, 90), undefined);
});
