/** io.dynuser.Allocator: what each method gives and refuses, over the use cases on their fakes. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DynuserError } from '../../../src/core/errors.ts';
import type { Pid, UserName } from '../../../src/core/ids.ts';
import { EXPLANATIONS_PER_PEER_MAX } from '../../../src/core/limits.ts';
import type { JsonObject } from '../../../src/varlink/json.ts';
import { directory, gid, uid } from '../allocator/fakes.ts';
import { FakeConnection, nextTurn, user, worldOf } from './world.ts';

const UNKNOWN_LEASE = 'f'.repeat(32);

/** The use cases answer a request for directories with these. */
function withDirectories(world: ReturnType<typeof worldOf>): void {
  world.built.directories.requested = () => [directory('state', 'web'), directory('runtime', 'web')];
}

describe('Acquire', () => {
  it('gives the user and the lease, and the directories without what is the daemon alone', async () => {
    const world = worldOf();
    withDirectories(world);
    const { replies } = await world.ask('Acquire', { unit: 'web.service', lifetime: 'explicit' });
    const { uid: number, lease, directories, ...rest } = replies[0] ?? {};
    assert.deepEqual(rest, { gid: number, userName: 'web', unit: 'web.service', dynamic: true, environment: {} });
    assert.match(String(lease), /^[0-9a-f]{32}$/);
    const shared = { readOnly: false, handover: 'chown', diskUid: number, diskGid: number, changed: 1 };
    assert.deepEqual(
      directories,
      ['state', 'runtime'].map(kind => ({
        ...{ kind, publicPath: `/${kind}/web`, realPath: `/${kind}/private/web`, leftPaths: [], mountPaths: [] },
        ...shared,
      })),
    );
  });

  it('is refused to who may not, before anything is done', async () => {
    const world = worldOf({ allowUsers: ['1000'] });
    const refused = await world.ask('Acquire', { unit: 'web' }, { peer: user(1001) });
    assert.deepEqual([refused.error, refused.field], ['NotPermitted', 'unit']);
    assert.deepEqual((await world.ask('Acquire', { unit: 'web' }, { peer: user(1000) })).error, undefined);
    withDirectories(world);
    const directories = await world.ask('Acquire', { unit: 'web' }, { peer: user(1000) });
    assert.deepEqual([directories.error, directories.field], ['NotPermitted', 'stateDirectory']);
    assert.equal(world.users.leaseCount, 1);
  });

  it('tells of each refusal once: who asked for what, and why it was refused', async () => {
    const world = worldOf();
    const told: unknown[] = [];
    world.events.on(['refused'], ({ unit, userName, requester, pid, code }) =>
      told.push([unit, userName, requester.uid, requester.isRoot, pid, code]),
    );
    world.probe.accounts.set('staff', { group: { gid: gid(50) } });
    await world.ask('Acquire', { unit: 'web', userName: 'dog' }, { peer: user(1001) });
    await world.ask('Acquire', { unit: 'web', userName: 'staff' });
    await world.ask('Acquire', { unit: '/'.repeat(10_000) });
    await world.ask('Acquire', { unit: 'web', lifetime: 'explicit' });
    assert.deepEqual(told, [
      ['web', 'dog', 1001, false, 7, 'NotPermitted'],
      ['web', 'staff', 0, true, 7, 'NameConflict'],
      ['/'.repeat(256), undefined, 0, true, 7, 'InvalidName'],
    ]);
    world.probe.gate = () => Promise.reject(new Error('broken'));
    await assert.rejects(world.ask('Acquire', { unit: 'other' }));
    assert.deepEqual(told.slice(3), [['other', undefined, 0, true, 7, 'Internal']]);
  });

  it('binds a lease to its connection, or to what its lifetime says', async () => {
    const world = worldOf();
    const connection = new FakeConnection();
    for (const lifetime of ['connection', 'process', 'unit', 'explicit']) {
      await world.ask('Acquire', { unit: `${lifetime}.service`, lifetime }, { connection });
    }
    assert.equal(connection.holds, 1);
    assert.deepEqual(world.host.checked, ['unit.service']);
    const leases = [...world.users.live()].flatMap(each => each.leases);
    assert.deepEqual(
      leases.map(({ lifetime, process }) => [lifetime, process?.pid]),
      [
        ['connection', 7],
        ['process', 7],
        ['unit', undefined],
        ['explicit', undefined],
      ],
    );
    assert.equal(world.processes.open, 1, 'the process of the lease that ends with it');
    connection.close();
    await nextTurn();
    assert.equal(world.users.leaseCount, 3);
    world.processes.exits.get(7)?.();
    await nextTurn();
    assert.deepEqual(
      [...world.users.live()].map(({ name }) => name),
      ['unit', 'explicit'],
    );
  });

  it('names a process by its number, if it is there and the caller may', async () => {
    const world = worldOf({ allowUsers: ['1000'] });
    world.processes.owners.set(9, 1000);
    const ask = (pid: number, peer = user(1000)) =>
      world.ask('Acquire', { unit: `u${pid}`, lifetime: 'process', pid }, { peer });
    assert.equal((await ask(9)).error, undefined);
    const lease = [...world.users.live()][0]?.leases[0];
    assert.deepEqual([lease?.process?.pid, lease?.pid], [9, 7]);
    assert.equal(world.processes.open, 1);
    for (const [pid, error] of [
      [7, 'NotPermitted'],
      [10, 'LifetimeEnded'],
    ] as const) {
      const refused = await ask(pid);
      assert.deepEqual([refused.error, refused.field], [error, 'pid']);
    }
    assert.equal((await ask(9, user(1001))).error, 'NotPermitted', 'it is not its own');
    assert.equal(world.processes.open, 1, 'what is refused is not kept open');
  });

  it('keeps no process open for a request that fails', async () => {
    const world = worldOf();
    world.probe.accounts.set('web', { user: { name: 'web', uid: uid(5) } as never });
    world.built.registry.failure = { step: 'commit', error: new Error('full') };
    await assert.rejects(world.ask('Acquire', { unit: 'x', lifetime: 'process' }));
    assert.deepEqual([world.processes.open, world.users.leaseCount], [0, 0]);
  });

  it('asks whether the unit is active, and is refused if it is not', async () => {
    const world = worldOf();
    world.host.unit = { kind: 'inactive' };
    const { error } = await world.ask('Acquire', { unit: 'web', lifetime: 'unit' });
    assert.equal(error, 'LifetimeEnded');
    assert.equal(world.users.leaseCount, 0);
  });

  it('makes nothing for who has gone, or will not see the answer', async () => {
    for (const asked of [{ connection: new FakeConnection() }, { oneway: true }]) {
      const world = worldOf();
      asked.connection?.close();
      const { error } = await world.ask('Acquire', { unit: 'web' }, asked);
      assert.equal(error, 'LimitReached');
      assert.equal(world.users.leaseCount, 0);
    }
  });

  it('ends what was made for a caller that went meanwhile, whatever its lifetime', async () => {
    for (const lifetime of ['connection', 'explicit']) {
      const world = worldOf();
      const connection = new FakeConnection();
      withDirectories(world);
      world.built.directories.committing = () => connection.close();
      await world.ask('Acquire', { unit: 'web', lifetime }, { connection });
      await nextTurn();
      assert.equal(world.users.leaseCount, 0, lifetime);
    }
  });

  it('leaves the connection alone once it is answered', async () => {
    const connection = new FakeConnection();
    await worldOf().ask('Acquire', { unit: 'web', lifetime: 'explicit' }, { connection });
    assert.deepEqual([connection.listeners.size, connection.holds], [0, 0]);
  });

  it('tells of a handover to who asked for more than one reply', async () => {
    for (const more of [true, false]) {
      const world = worldOf();
      withDirectories(world);
      const { prepare } = world.built.directories;
      world.built.directories.prepare = (directories, given, options) => {
        options.onProgress?.({ publicPath: '/state/web', inodes: 2, changed: 1 });
        return prepare.call(world.built.directories, directories, given, options);
      };
      const { replies } = await world.ask('Acquire', { unit: 'web' }, { more });
      const progress = { progress: { publicPath: '/state/web', inodes: 2, changed: 1 } };
      assert.deepEqual(replies.slice(0, -1), more ? [progress] : []);
    }
  });
});

describe('Claim', () => {
  it('is refused for what is not a lease, and for one that waits for nobody', async () => {
    const world = worldOf();
    const short = await world.ask('Claim', { lease: 'abc' });
    assert.deepEqual([short.error, short.field], ['NoSuchLease', 'lease']);
    assert.match(String(short.reason), /32 lower-case hexadecimal digits/);
    assert.equal((await world.ask('Claim', { lease: UNKNOWN_LEASE })).error, 'NoSuchLease');
  });

  it('gives a lease of a former daemon to its process, for as long as the connection', async () => {
    const world = worldOf();
    const process = { boot: 'b', pid: 7 as Pid, startTime: 1, inode: '7' };
    const { user: held, lease } = await world.built.acquire('web.service', { lifetime: 'connection', process });
    assert.equal(world.lifetimes.resume(), 1);
    const connection = new FakeConnection();
    const { replies } = await world.ask('Claim', { lease: lease.id }, { connection });
    assert.deepEqual(replies, [
      { uid: held.uid, gid: held.gid, userName: 'web', unit: 'web.service', dynamic: true, lease: lease.id },
    ]);
    assert.equal(connection.holds, 1);
    connection.close();
    await nextTurn();
    assert.equal(world.users.leaseCount, 0);
  });
});

describe('Reload', () => {
  it('says what has changed, to root alone, and what is wrong', async () => {
    const world = worldOf({ allowUsers: ['1000'] });
    assert.equal((await world.ask('Reload', {}, { peer: user(1000) })).error, 'NotPermitted');
    const { error, reason } = await world.ask('Reload');
    assert.deepEqual([error, reason], ['InvalidConfiguration', 'file:1: wrong']);
    const configuration = { applied: ['KillGraceSec'], deferred: ['UidRange'] };
    world.host.configuration = configuration;
    assert.deepEqual((await world.ask('Reload')).replies, [configuration]);
  });
});

describe('Release', () => {
  it('ends a lease, says what remains of its user, and is refused for any other', async () => {
    const world = worldOf();
    const { lease, user: held } = await world.built.acquire('a.service');
    assert.deepEqual((await world.ask('Release', { lease: lease.id })).replies, [{}]);
    assert.equal((await world.ask('Release', { lease: lease.id })).error, 'NoSuchLease');
    assert.equal((await world.ask('Release', { lease: lease.id.toUpperCase() })).field, 'lease');
    assert.ok(held.uid);
    const other = await world.built.acquire('b.service');
    world.built.reaper.processes.set(other.user.uid, { kind: 'process', pid: 42, command: 'sleep', as: 'user' });
    const { replies } = await world.ask('Release', { lease: other.lease.id });
    assert.match(String(replies[0]?.['remains']), /42/);
  });

  it('is for root and the owner', async () => {
    const world = worldOf();
    const { lease } = await world.built.acquire('a.service', { owner: uid(1000) });
    assert.equal((await world.ask('Release', { lease: lease.id }, { peer: user(1001) })).error, 'NotPermitted');
    assert.deepEqual((await world.ask('Release', { lease: lease.id }, { peer: user(1000) })).replies, [{}]);
  });
});

describe('List', () => {
  const shown = (replies: readonly JsonObject[]) => JSON.parse(JSON.stringify(replies));

  it('has all leases in one reply, or each in its reply if more were asked for', async () => {
    const world = worldOf();
    assert.deepEqual((await world.ask('List')).replies, [{ leases: [] }]);
    assert.deepEqual((await world.ask('List', {}, { more: true })).replies, [{}]);
    const first = await world.built.acquire('a.service', { description: 'one', pid: 9 as Pid });
    await world.built.acquire('b.service', { lifetime: 'unit', owner: uid(1000) });
    const [all] = (await world.ask('List')).replies;
    const leases = shown([all ?? {}])[0].leases;
    assert.equal(leases.length, 2);
    assert.deepEqual(leases[0], {
      ...{ lease: first.lease.id, uid: first.user.uid, gid: first.user.gid, userName: 'a', unit: 'a.service' },
      ...{ lifetime: 'explicit', description: 'one', dynamic: true, pid: 9, since: 1_000_000, directories: [] },
    });
    const { replies } = await world.ask('List', {}, { more: true });
    assert.deepEqual(
      shown(replies),
      leases.map((lease: unknown) => ({ lease })),
    );
  });

  it('says of users whose names the fleet has whether they are the same on every host', async () => {
    const world = worldOf();
    world.host.ofFleet.set('web', true).set('db', false);
    for (const unit of ['web', 'db', 'own']) {
      const { replies } = await world.ask('Acquire', { unit, lifetime: 'explicit' });
      assert.equal(replies[0]?.['fleet'], world.host.ofFleet.get(unit));
    }
    const [{ leases } = {}] = shown((await world.ask('List')).replies);
    const told = leases.map(({ userName, fleet }: Record<string, unknown>) => [userName, fleet]);
    assert.deepEqual(new Map(told), new Map([...world.host.ofFleet, ['own', undefined]]));
  });

  it('says of a lease what directories it has, of whose process is out of sight nothing, and of lost users why', async () => {
    const world = worldOf();
    withDirectories(world);
    await world.ask('Acquire', { unit: 'a', lifetime: 'explicit' }, { peer: { pid: undefined } });
    const held = [...world.users.live()][0];
    assert.ok(held);
    world.users.put({ ...held, lost: 'another has it' });
    const [{ leases } = {}] = shown((await world.ask('List')).replies);
    assert.equal(leases.length, 1);
    assert.deepEqual([leases[0].directories, 'pid' in leases[0]], [['/state/web', '/runtime/web'], false]);
    assert.equal(leases[0].lost, 'another has it');
  });

  it('has users that are ending, with what remains of them', async () => {
    const world = worldOf();
    const { lease, user: held } = await world.built.acquire('a.service');
    let open: () => void = () => {};
    const opened = new Promise<void>(resolve => {
      open = resolve;
    });
    const { endProcesses } = world.built.reaper;
    world.built.reaper.endProcesses = async (...asked) => {
      await opened;
      return endProcesses.apply(world.built.reaper, asked);
    };
    world.built.reaper.processes.set(held.uid, { kind: 'process', pid: 42, command: 'sleep', as: 'user' });
    const released = world.built.release(lease.id);
    await nextTurn();
    const [during] = shown((await world.ask('List')).replies)[0].leases;
    assert.deepEqual([during.lease, during.ending, 'remains' in during], [lease.id, true, false]);
    open();
    await released;
    const [after] = shown((await world.ask('List')).replies)[0].leases;
    assert.deepEqual([after.lease, after.ending], [lease.id, true]);
    assert.match(after.remains, /42/);
    world.built.teardown.stop();
  });
});

describe('Watch', () => {
  it('has to be asked for with more', async () => {
    assert.equal((await worldOf().ask('Watch')).error, 'ExpectedMore');
  });

  it('tells what is live, then each change, until the connection ends', async () => {
    const world = worldOf();
    const first = await world.built.acquire('a.service');
    const connection = new FakeConnection();
    const sent: JsonObject[] = [];
    const watching = world.methods['Watch']?.({
      ...{ method: 'io.dynuser.Allocator.Watch', parameters: {}, more: true, oneway: false, peer: world.peerOf() },
      ...{ connection, send: reply => sent.push(reply) > 0, sendAll: async all => void sent.push(...all) },
    });
    const second = await world.built.acquire('b.service');
    await world.built.release(first.lease.id);
    const events = sent.map(({ event, lease }) => [event, (lease as JsonObject | undefined)?.['lease']]);
    assert.deepEqual(events, [
      ['existing', first.lease.id],
      ['ready', undefined],
      ['allocated', second.lease.id],
      ['released', first.lease.id],
    ]);
    connection.close();
    await watching;
    await world.built.release(second.lease.id);
    assert.equal(sent.length, 4);
  });
});

describe('long lists', () => {
  /** Sends one reply at a time, as a peer that reads slowly has them. */
  function slowCall(world: ReturnType<typeof worldOf>, method: string) {
    const sent: JsonObject[] = [];
    let replies: Iterator<JsonObject> = [][Symbol.iterator]();
    let allSent = () => {};
    const final = world.methods[method]?.({
      ...{ method: `io.dynuser.Allocator.${method}`, parameters: {}, more: true, oneway: false, peer: world.peerOf() },
      ...{ connection: new FakeConnection(), send: reply => sent.push(reply) > 0 },
      sendAll: all => {
        replies = all[Symbol.iterator]();
        return new Promise(resolve => {
          allSent = resolve;
        });
      },
    });
    const read = (count: number) => {
      for (let index = 0; index < count; index++) {
        const next = replies.next();
        if (next.done === true) {
          allSent();
          return;
        }
        sent.push(next.value);
      }
    };
    return { sent, read, final };
  }
  const unitOf = (reply: JsonObject | undefined) => (reply?.['lease'] as JsonObject | undefined)?.['unit'];

  it('List has each lease once that stays meanwhile, and ends though others come', async () => {
    const world = worldOf();
    const leases = [];
    for (const unit of ['a', 'b', 'c', 'd']) {
      leases.push((await world.built.acquire(unit)).lease.id);
    }
    const { sent, read, final } = slowCall(world, 'List');
    read(1);
    await world.built.release(leases[2] ?? assert.fail());
    for (const unit of ['e', 'f', 'g']) {
      await world.built.acquire(unit);
    }
    read(9);
    const last = await final;
    const units = [...sent, last].map(unitOf);
    assert.deepEqual(units.slice(0, 3), ['a', 'b', 'd']);
    assert.equal(units.length, 4);
  });

  it('Watch tells changes that come meanwhile behind the leases that there were', async () => {
    const world = worldOf();
    const a = (await world.built.acquire('a')).lease.id;
    await world.built.acquire('b');
    const { sent, read } = slowCall(world, 'Watch');
    read(1);
    await world.built.acquire('c');
    await world.built.release(a);
    read(9);
    await new Promise(resolve => setImmediate(resolve));
    assert.deepEqual(
      sent.map(reply => [reply['event'], unitOf(reply)]),
      [
        ['existing', 'a'],
        ['existing', 'b'],
        ['ready', undefined],
        ['allocated', 'c'],
        ['released', 'a'],
      ],
    );
  });
});

describe('Explain', () => {
  it('says what would be had, and makes nothing', async () => {
    const world = worldOf();
    const [explanation = {}] = (await world.ask('Explain', { unit: 'dynamic-user-test.service' })).replies;
    assert.deepEqual([explanation['outcome'], explanation['uid']], ['allocate', 64642]);
    assert.deepEqual(explanation['candidates'], [{ uid: 64642, origin: 'preferred', free: true, finding: 'free' }]);
    assert.ok(!('dynamic' in explanation) && !('error' in explanation) && !('refusal' in explanation));
    assert.equal(world.users.leaseCount, 0);
  });

  it('says by name and field with what Acquire would be refused', async () => {
    const world = worldOf();
    const [explanation = {}] = (await world.ask('Explain', { unit: 'a' }, { peer: user(1000) })).replies;
    assert.deepEqual([explanation['error'], explanation['field']], ['NotPermitted', 'unit']);
  });

  it('shows of directories what a peer may see, and to nobody else', async () => {
    const world = worldOf({ allowUsers: ['1000'] });
    world.built.directories.requested = () => [directory('state', 'web')];
    const handover = {
      ...{ kind: 'state', source: 'web', publicPath: '/a', realPath: '/b', readOnly: false, aliases: [], within: [] },
      ...{ handover: 'chown', preserved: true, exposed: false },
    };
    world.built.directories.explain = async () => [handover as never];
    const [explanation = {}] = (await world.ask('Explain', { unit: 'a' })).replies;
    const [shown] = explanation['handovers'] as JsonObject[];
    assert.ok(shown);
    assert.deepEqual([shown['kind'], shown['publicPath'], shown['handover']], ['state', '/a', 'chown']);
    for (const name of ['source', 'realPath', 'readOnly', 'aliases', 'within']) {
      assert.ok(!(name in shown), name);
    }
    const refused = await world.ask('Explain', { unit: 'a' }, { peer: user(1000) });
    assert.deepEqual([refused.error, refused.field], ['NotPermitted', 'stateDirectory']);
    assert.equal((await world.ask('Explain', { unit: 'a' }, { peer: user(1001) })).field, 'unit');
  });

  it('asks the helpers of those who may acquire for them alone', async () => {
    const world = worldOf({ allowUsers: ['1000'] });
    const asked: string[] = [];
    world.probe.gate = async () => void asked.push('acquiring');
    world.publicProbe.gate = async () => void asked.push('public');
    await world.ask('Explain', { unit: 'a' }, { peer: user(1000) });
    await world.ask('Explain', { unit: 'a' });
    assert.ok(asked.length > 0 && asked.every(which => which === 'acquiring'), asked.join());
    asked.length = 0;
    await world.ask('Explain', { unit: 'a' }, { peer: user(1001) });
    assert.ok(!asked.includes('acquiring'));
  });

  it('is given to one user so often at a time, and not once more; to root it is', async () => {
    const world = worldOf({ allowUsers: ['1000', '1001'] });
    let open: () => void = () => {};
    const opened = new Promise<void>(resolve => {
      open = resolve;
    });
    world.probe.gate = () => opened;
    const ask = (peer?: ReturnType<typeof user>) =>
      world.ask('Explain', { unit: 'a' }, peer === undefined ? {} : { peer });
    const under = Array.from({ length: EXPLANATIONS_PER_PEER_MAX }, () => ask(user(1000)));
    const more = await ask(user(1000));
    assert.deepEqual([more.error, more.field], ['LimitReached', 'lease']);
    assert.match(String(more.reason), new RegExp(`^${EXPLANATIONS_PER_PEER_MAX} explanations of the user 1000 are`));
    const others = [ask(user(1001)), ask(), ...Array.from({ length: EXPLANATIONS_PER_PEER_MAX }, () => ask())];
    open();
    for (const { error } of await Promise.all([...under, ...others])) {
      assert.equal(error, undefined);
    }
    assert.equal((await ask(user(1000))).error, undefined, 'there is room again');
  });
});

describe('errors', () => {
  it('have the name and the field of the interface; a fault of the daemon has neither', async () => {
    const world = worldOf();
    withDirectories(world);
    const invalid = await world.ask('Acquire', { unit: 'a b' });
    assert.deepEqual([invalid.error, invalid.field], ['InvalidName', 'unit']);
    world.built.directories.refusal = new DynuserError('DirectoryFailed', 'no', { field: 'stateDirectory' });
    const failed = await world.ask('Acquire', { unit: 'a' });
    assert.deepEqual([failed.error, failed.field, failed.reason], ['DirectoryFailed', 'stateDirectory', 'no']);
    world.built.directories.refusal = undefined;
    world.built.registry.failure = { step: 'intend', error: new TypeError('a fault') };
    await assert.rejects(world.ask('Acquire', { unit: 'a' }), /a fault/);
  });
});

describe('a fleet', () => {
  it('is shown to root alone, and off unless there is one', async () => {
    const world = worldOf({ allowUsers: ['1000'] });
    for (const [method, parameters] of [['FleetStatus'], ['FleetForget', { name: 'web' }], ['FleetLeave']] as const) {
      assert.equal((await world.ask(method, parameters, { peer: user(1000) })).error, 'NotPermitted', method);
    }
    assert.deepEqual((await world.ask('FleetStatus')).replies, [{ mode: 'off', state: 'off', holds: [] }]);
    assert.equal((await world.ask('FleetForget', { name: 'web' })).error, 'FleetUnavailable');
    assert.equal((await world.ask('FleetLeave')).error, 'FleetUnavailable');
  });

  it('is told what to forget, by a name that a user can have', async () => {
    const forgotten: string[] = [];
    const holds = [{ name: 'web' as UserName, uid: uid(65_600), live: true }];
    const world = worldOf({}, undefined, {
      status: () => ({ mode: 'required', state: 'member', holds }),
      forget: async name => void forgotten.push(name),
      leave: async () => void forgotten.push('all'),
    });
    assert.deepEqual((await world.ask('FleetStatus')).replies, [{ mode: 'required', state: 'member', holds }]);
    assert.equal((await world.ask('FleetForget', { name: '../web' })).error, 'InvalidName');
    await world.ask('FleetForget', { name: 'web' });
    await world.ask('FleetLeave');
    assert.deepEqual(forgotten, ['web', 'all']);
  });
});
