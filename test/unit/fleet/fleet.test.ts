/** A host's life in a fleet: what it holds, with a store that answers, is away, was restored, or lies. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { DynuserError, type ErrorCode } from '../../../src/core/errors.ts';
import { decodeSnapshot } from '../../../src/core/fleet-snapshot.ts';
import type { Uid, UserName } from '../../../src/core/ids.ts';
import { SHARED_RECORDED_MAX } from '../../../src/fleet/fleet.ts';
import { RECORDED_DIRECTORIES_MAX } from '../../../src/fleet/records.ts';
import { VarlinkError } from '../../../src/varlink/errors.ts';
import { FakeCompanion, FakeStore } from '../../support/fleet/fake-store.ts';
import { until } from '../../support/until.ts';
import { FleetWorld } from './fleet-host.ts';

const HOST = '0123456789abcdef';
const OTHER = 'fedcba9876543210';

async function fails(promise: Promise<unknown>, code: ErrorCode, words = /./): Promise<void> {
  await assert.rejects(promise, (error: unknown) => {
    assert.ok(error instanceof DynuserError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, words);
    return true;
  });
}

async function openWorld(store = new FakeStore()): Promise<FleetWorld> {
  const world = new FleetWorld(store);
  await world.companion.start();
  return world;
}

describe('a name of the fleet', () => {
  it('has the UID that the store binds it to, on each host', async () => {
    const store = new FakeStore();
    await using one = await openWorld(store);
    await using two = await openWorld(store);
    const [first, second] = [await one.member(), await two.member({ host: OTHER })];
    const uid = await first.acquire('web');
    assert.deepEqual(
      first.log.filter(line => line === `host1 (${HOST}) is a member of the fleet`),
      first.log,
    );
    assert.equal(first.log.length, 1);
    assert.equal(store.names.get('web'), uid);
    assert.ok(uid >= 70_000 && uid <= 70_003);
    assert.equal(await second.acquire('web'), uid);
    assert.deepEqual([...store.holds.keys()].sort(), [`web ${HOST}`, `web ${OTHER}`]);
    assert.notEqual(await second.acquire('db'), uid);
  });

  it('is recorded before it lives, and needs nobody then', async () => {
    await using world = await openWorld();
    const daemon = await world.member();
    const uid = await daemon.acquire('web');
    assert.deepEqual(JSON.parse(readFileSync(`${world.directory}/records/holds/web`, 'utf8')).uid, uid);
    await daemon.release('web');
    await world.companion.stop();
    await daemon.becomes('waiting');
    assert.equal(await daemon.acquire('web'), uid);
    await fails(daemon.acquire('db'), 'FleetUnavailable', /db/);
    await daemon.stop();
    const next = world.start();
    assert.equal(await next.acquire('web'), uid);
  });

  it('is one of the others if the configuration does not name it, or the request says so', async () => {
    await using world = await openWorld();
    const daemon = await world.member();
    daemon.settings = { ...daemon.settings, names: ['f-*'] };
    assert.ok((await daemon.acquire('web')) < 65_536);
    assert.ok((await daemon.acquire('f-web')) >= 70_000);
    assert.ok((await daemon.acquire('db', { fleet: true })) >= 70_000);
    assert.ok((await daemon.acquire('f-db', { fleet: false })) < 65_536);
    daemon.settings = { ...daemon.settings, names: ['*'] };
    assert.ok((await daemon.acquire('run-r0123456789abcdef')) < 65_536);
    assert.ok((await daemon.acquire('dynuser-fleetd')) < 65_536);
  });

  it('gets a UID of this host alone if it may, and the fleet does not answer', async () => {
    await using world = new FleetWorld();
    const daemon = world.start({ mode: 'preferred', storages: [{ path: '/var/lib/private', id: 'nas' }] });
    assert.ok((await daemon.acquire('web')) < 65_536);
    const shared = daemon.acquire('db', { directories: [directory('db')] });
    await fails(shared, 'FleetUnavailable');
  });

  it('passes over UIDs that others have, and finds the last one', async () => {
    await using world = await openWorld();
    for (const uid of [70_000, 70_001, 70_003]) {
      world.store.bind(`n${uid}`, uid);
    }
    const daemon = await world.member();
    assert.equal(await daemon.acquire('web'), 70_002);
    await fails(daemon.acquire('db'), 'RangeExhausted');
    // One that it does not know of yet.
    world.store.collect('n70000');
    world.store.watchers.clear();
    world.store.cooled(70_000);
    assert.equal(await daemon.acquire('db'), 70_000);
  });

  it('passes over UIDs that others take in the same moment, however many', async () => {
    await using world = await openWorld();
    const daemon = await world.member();
    const taken: unknown[] = [];
    world.companion.instead['Hold'] = (parameters, honest) => {
      if (taken.length < 3) {
        taken.push(parameters['candidates']);
        throw new VarlinkError('io.dynuser.Fleet.NoneFree', {});
      }
      return honest(parameters);
    };
    const uid = await daemon.acquire('web');
    assert.ok(!taken.flat().includes(uid), `${uid} of ${taken}`);
  });

  it('that another host binds meanwhile gets the UID of that', async () => {
    await using world = await openWorld();
    const daemon = await world.member();
    world.store.watchers.clear();
    world.store.bind('web', 70_002);
    assert.equal(await daemon.acquire('web'), 70_002);
  });

  it('has no other UID where its own is in use: that is a conflict, which says by what', async () => {
    await using world = await openWorld();
    world.store.bind('web', 70_001);
    const daemon = await world.member();
    daemon.cases.probe.against.set(70_001, { kind: 'user', name: 'alice' });
    await fails(daemon.acquire('web'), 'FleetConflict', /70001.*alice/);
    assert.equal(world.store.holds.size, 0, 'it holds nothing that it cannot use');
  });

  it('comes back to the UID that cools down for it', async () => {
    await using world = await openWorld();
    world.store.bind('web', 70_003);
    world.store.collect('web');
    const daemon = await world.member();
    assert.equal(await daemon.acquire('web'), 70_003);
  });
});

describe('a daemon that dies', () => {
  for (const [what, point] of [
    ['before the store has the hold', 'before'],
    ['after it, and before the answer', 'after'],
  ] as const) {
    it(`${what} leaves nothing that contradicts`, async () => {
      await using world = await openWorld();
      const daemon = await world.member();
      world.companion.instead['Hold'] = async (parameters, honest) => {
        if (point === 'after') {
          honest(parameters);
        }
        delete world.companion.instead['Hold'];
        await daemon.stop();
        throw new Error('nobody hears it');
      };
      await fails(daemon.acquire('web'), 'FleetUnavailable');
      assert.deepEqual(readdirSync(`${world.directory}/records/holds`), []);
      const next = await world.member();
      const held = next.records.byName.get('web' as UserName)?.uid;
      assert.equal(held, point === 'after' ? world.store.names.get('web') : undefined);
      const uid = await next.acquire('web');
      assert.equal(world.store.names.get('web'), uid);
      assert.equal(world.store.uids.size, 1, 'one UID for the name');
    });
  }

  it('between the request to join and its answer is the same host afterwards', async () => {
    await using world = await openWorld();
    const daemon = world.start();
    world.companion.instead['Join'] = async (parameters, honest) => {
      honest(parameters);
      delete world.companion.instead['Join'];
      await daemon.stop();
      throw new Error('nobody hears it');
    };
    await until('it has asked', () => world.store.incarnations.has(HOST));
    await daemon.stop();
    const next = await world.member();
    assert.equal(next.records.host.incarnation, world.store.incarnations.get(HOST));
  });

  it('while it forgets a name holds it again', async () => {
    await using world = await openWorld();
    const daemon = await world.member();
    const uid = await daemon.acquire('web');
    await daemon.release('web');
    world.companion.instead['Forget'] = () => {
      throw new Error('nobody hears it');
    };
    await fails(daemon.fleet.forget('web' as UserName), 'FleetUnavailable');
    assert.equal(world.store.holds.size, 1);
    assert.deepEqual(readdirSync(`${world.directory}/records/holds`), [], 'here first');
    await daemon.stop();
    const next = await world.member();
    assert.equal(next.records.byName.get('web' as UserName)?.uid, uid);
  });
});

describe('after a boot', () => {
  it('a recorded name waits for one look at the store', async () => {
    await using world = await openWorld();
    const daemon = await world.member();
    const uid = await daemon.acquire('web');
    await daemon.stop();
    await world.companion.stop();
    const early = world.start({ boot: 'boot2' });
    await fails(early.acquire('web'), 'FleetUnavailable', /booted/);
    await early.stop();
    const next = world.start({ boot: 'boot2', waits: { bootMs: 30_000 } });
    const waits = next.acquire('web');
    await world.companion.start();
    assert.equal(await waits, uid);
    assert.match(next.records.host.incarnation ?? '', /^2\./, 'each boot is another incarnation');
  });

  it('or for none, if the configuration says so', async () => {
    await using world = await openWorld();
    const daemon = await world.member();
    const uid = await daemon.acquire('web');
    await daemon.stop();
    await world.companion.stop();
    const next = world.start({ boot: 'boot2', trustsBoot: true });
    assert.equal(await next.acquire('web'), uid);
  });

  it('the name that was given away meanwhile does not start', async () => {
    await using world = await openWorld();
    const daemon = await world.member();
    const uid = await daemon.acquire('web');
    await daemon.stop();
    world.store.fence(HOST);
    world.store.collect('web');
    world.store.cooled(uid);
    world.store.bind('db', uid);
    const next = await world.member({ boot: 'boot2' });
    assert.equal(next.records.byName.size, 0);
    assert.notEqual(await next.acquire('web'), uid);
  });
});

describe('a host that was given up', () => {
  it('ends users whose names are bound otherwise, keeps the others, and is a member again', async () => {
    await using world = await openWorld();
    const daemon = await world.member({ waits: { verifyMs: 20 } });
    const [web, db] = [await daemon.acquire('web'), await daemon.acquire('db')];
    world.store.names.delete('web');
    world.store.uids.set(web, { name: 'other', cools: false });
    world.store.names.set('other', web);
    world.store.fence(HOST);
    await until('web is ended', () => daemon.ended.length > 0);
    await daemon.becomes('member');
    assert.deepEqual(daemon.ended, [`web ${web}`]);
    assert.deepEqual([...daemon.records.byName.keys()], ['db']);
    assert.deepEqual([...world.store.holds.keys()], [`db ${HOST}`]);
    assert.equal(await daemon.acquire('db'), db);
  });

  for (const trustsBoot of [false, true]) {
    it(`is not a member as long as it cannot end one${trustsBoot ? ', also if it trusts its boot' : ''}`, async () => {
      await using world = await openWorld();
      const daemon = await world.member({ trustsBoot, waits: { verifyMs: 20 } });
      const uid = await daemon.acquire('web');
      daemon.left = 'process 7 (x) runs with it';
      world.store.fence(HOST);
      world.store.names.delete('web');
      await daemon.becomes('fenced');
      await until('it is tried again', () => daemon.ended.length > 1);
      await until('it says why', () => /process 7/.test(daemon.fleet.status().reason ?? ''));
      assert.equal(daemon.records.byName.get('web' as UserName)?.uid, uid, 'its record stays until it has ended');
      await fails(daemon.acquire('db'), 'FleetUnavailable');
      await fails(daemon.acquire('web'), 'FleetUnavailable');
      daemon.left = undefined;
      await daemon.becomes('member');
      assert.equal(daemon.records.byName.size, 0);
    });
  }
});

it('a store that does not answer is told of once, whichever of its endpoints is to blame, and once more after it answered', async () => {
  await using world = await openWorld();
  let joins = 0;
  world.companion.instead['Join'] = (parameters, honest) => {
    joins++;
    if (joins === 4) {
      return honest(parameters);
    }
    throw new VarlinkError('io.dynuser.Fleet.StoreUnavailable', { reason: `etcd ${joins} does not answer` });
  };
  const daemon = world.start();
  const told = () => daemon.log.filter(line => /not a member of the fleet: .*etcd/.test(line));
  await until('it has tried often', () => joins >= 3);
  assert.deepEqual([told().length, /etcd 1/.test(told()[0] ?? '')], [1, true], daemon.log.join('; '));
  await daemon.becomes('member');
  await world.companion.stop();
  await daemon.becomes('waiting');
  await world.companion.start();
  await until('it has tried again', () => joins >= 6);
  assert.equal(told().length, 2, daemon.log.join('; '));
});

describe('two machines with one machine-id', () => {
  it('the second is refused while the first is alive', async () => {
    const store = new FakeStore();
    await using one = await openWorld(store);
    await using two = await openWorld(store);
    await one.member();
    const second = two.start();
    await second.becomes('cloned');
    assert.match(second.fleet.status().reason ?? '', /the same \/etc\/machine-id is a member, and is called "twin"/);
    await fails(second.acquire('web'), 'FleetUnavailable', /machine-id/);
  });

  it('a copy of the disk takes the place of the first, which holds nothing new from then on', async () => {
    await using world = await openWorld();
    const daemon = await world.member();
    const uid = await daemon.acquire('web');
    world.store.incarnations.set(HOST, '9.copy');
    world.store.alive.set(HOST, '9.copy');
    await fails(daemon.acquire('db'), 'FleetUnavailable');
    await daemon.becomes('cloned');
    await daemon.release('web');
    assert.equal(await daemon.acquire('web'), uid, 'what it holds it holds');
  });

  it('the records of another machine count for nothing', async () => {
    await using world = await openWorld();
    const daemon = await world.member();
    await daemon.acquire('web');
    await daemon.stop();
    const copy = await world.member({ host: OTHER });
    assert.equal(copy.records.byName.size, 0);
    assert.match(copy.log.join('\n'), /of another machine/);
    assert.ok(readdirSync(`${world.directory}/records`).includes(`holds.of.${HOST}`));
  });
});

describe('a store that was restored from a backup', () => {
  it('gives no UID before all hosts have put their bindings again, and says what contradicts', async () => {
    await using world = await openWorld();
    const daemon = await world.member();
    const [web, db] = [await daemon.acquire('web'), await daemon.acquire('db')];
    await until('it has seen that', () => daemon.lookups()?.length === 2);
    await daemon.release('web');
    await daemon.release('db');
    await daemon.stop();
    await world.companion.stop();
    const backup = new FakeStore();
    backup.bind('db', 70_003 === db ? 70_002 : 70_003);
    backup.revision = 2;
    const restored = new FakeCompanion(world.socket, backup);
    await restored.start();
    const next = world.start();
    await next.becomes('restoring');
    assert.equal(backup.restoring, true);
    assert.equal(backup.names.get('web'), web, 'put again');
    assert.match(next.log.join('\n'), new RegExp(`holds db with UID ${db}, but the store of the fleet has`));
    await fails(next.acquire('new'), 'FleetUnavailable', /backup/);
    assert.equal(await next.acquire('web'), web);
    await fails(next.acquire('db'), 'FleetConflict');
    backup.restoring = false;
    await next.becomes('member');
    await next.acquire('new');
    await next.stop();
    await restored.stop();
  });

  it('has who runs with a UID that it gives to another name run, starts nothing more, and says so', async () => {
    await using world = await openWorld();
    const daemon = await world.member({ waits: { verifyMs: 20 } });
    const uid = await daemon.acquire('web');
    // As of a backup from before, and of an operator who did not wait for this host.
    world.store.holds.delete(`web ${HOST}`);
    world.store.names.delete('web');
    world.store.bind('other', uid);
    world.store.holds.set(`other ${OTHER}`, '1');
    world.companion.instead['Status'] = (parameters, honest) => ({ ...honest(parameters), restoring: false });
    world.store.change([{ name: 'x', uid: 70_003, state: 'free' }]);
    await world.companion.stop();
    await world.companion.start();
    await until('it is seen', () => daemon.fleet.conflicts.size === 1);
    await daemon.becomes('member');
    await fails(daemon.acquire('web'), 'FleetConflict', /that UID with the name other; nothing more is started as web/);
    assert.deepEqual(daemon.ended, []);
    assert.equal(daemon.cases.users.byName('web' as UserName)?.uid, uid, 'it runs');
    const [hold] = daemon.fleet.status().holds;
    assert.equal(hold?.live, true);
    assert.match(hold?.conflict ?? '', /the store of the fleet has that UID with the name other/);
    assert.equal(daemon.log.filter(line => /that UID with the name other/.test(line)).length, 1, 'it is said once');
    await fails(daemon.acquire('other'), 'FleetConflict', /held by the dynamic user web/);
    // The other is given up on its host, and freed: this one is right then.
    world.store.holds.delete(`other ${OTHER}`);
    world.store.collect('other');
    await until('it is put again', () => daemon.fleet.conflicts.size === 0);
    assert.equal(world.store.names.get('web'), uid);
    assert.equal(await daemon.acquire('web'), uid);
  });

  it('is over for a name that contradicts it when that is forgotten, or the other is freed', async () => {
    await using world = await openWorld();
    const daemon = await world.member();
    const [web, db] = [await daemon.acquire('web'), await daemon.acquire('db')];
    await daemon.release('web');
    await daemon.stop();
    world.store.holds.clear();
    world.store.names.clear();
    world.store.uids.clear();
    world.store.bind('one', web);
    world.store.bind('two', db);
    world.store.revision = 1;
    const next = world.start();
    await next.becomes('restoring');
    assert.equal(next.fleet.conflicts.size, 2);
    await next.fleet.forget('web' as UserName);
    assert.deepEqual([...next.fleet.conflicts.keys()], ['db']);
    world.store.collect('two');
    await until('it is put again', () => next.fleet.conflicts.size === 0);
    assert.equal(world.store.names.get('db'), db);
    assert.deepEqual(world.store.names.get('web'), undefined);
    world.store.restoring = false;
    await next.becomes('member');
    assert.equal(await next.acquire('db'), db);
  });

  it('is over for a name that is forgotten while the store is asked about it', async () => {
    await using world = await openWorld();
    const daemon = await world.member();
    const web = await daemon.acquire('web');
    await daemon.release('web');
    await daemon.stop();
    world.store.holds.clear();
    world.store.names.clear();
    world.store.uids.clear();
    world.store.bind('one', web);
    world.store.revision = 1;
    const next = world.start();
    await next.becomes('restoring');
    let answer: () => void = () => undefined;
    const answered = new Promise<void>(resolve => {
      answer = resolve;
    });
    let told = 0;
    world.companion.instead['Restore'] = async (parameters, honest) => {
      const reply = await honest(parameters);
      told++;
      await answered;
      return reply;
    };
    await until('the store is asked again', () => told > 0);
    await next.fleet.forget('web' as UserName);
    const count = () => world.companion.asked.filter(method => method === 'Status').length;
    const before = count();
    answer();
    await until('the answer was heard', () => count() > before);
    assert.deepEqual([...next.fleet.conflicts], []);
  });

  it('is not a reason for a look after a boot to count', async () => {
    await using world = await openWorld();
    const daemon = await world.member();
    await daemon.acquire('web');
    await daemon.stop();
    world.store.cluster = 'cluster-2';
    const next = world.start({ boot: 'boot2' });
    await next.becomes('restoring');
    await fails(next.acquire('web'), 'FleetUnavailable', /booted/);
  });

  it('is seen while it is followed, too', async () => {
    await using world = await openWorld();
    const daemon = await world.member();
    world.store.revision = 10;
    await daemon.acquire('web');
    await until('it has seen that', () => daemon.lookups()?.length === 1);
    world.store.revision = 5;
    world.store.change([{ name: 'x', uid: 70_003, state: 'free' }]);
    await daemon.becomes('restoring');
  });
});

describe('what the fleet says of a name', () => {
  it('is that it is held, bound, free, or that nobody can say', async () => {
    await using world = await openWorld();
    world.store.bind('web', 70_001);
    const daemon = await world.member();
    const said = (name: string) => {
      const { outcome, uid } = daemon.fleet.finding(name as UserName);
      return [outcome, uid];
    };
    assert.deepEqual(said('web'), ['bound', 70_001]);
    assert.deepEqual(said('db'), ['free', undefined]);
    const db = await daemon.acquire('db');
    assert.deepEqual(said('db'), ['held', db]);
    await daemon.stop();
    await world.companion.stop();
    const next = world.start({ boot: 'boot2' });
    const away = (name: string) => next.fleet.finding(name as UserName);
    assert.deepEqual([away('db').outcome, away('db').uid], ['unavailable', db]);
    assert.match(away('db').reason, /^this host holds the name; this host has booted, and must see once .* \(/);
    assert.deepEqual([away('mail').outcome, away('mail').uid], ['unavailable', undefined]);
    assert.match(away('mail').reason, /^this host is not a member, and does not hold the name \(/);
  });

  it('is what contradicts it, after a restore', async () => {
    await using world = await openWorld();
    const daemon = await world.member();
    const db = await daemon.acquire('db');
    await daemon.release('db');
    await daemon.stop();
    world.store.cluster = 'cluster-2';
    world.store.names.delete('db');
    world.store.bind('db', db === 70_003 ? 70_002 : 70_003);
    const next = world.start();
    await next.becomes('restoring');
    const { outcome, reason } = next.fleet.finding('db' as UserName);
    assert.equal(outcome, 'conflict');
    assert.match(reason, /but the store of the fleet has/);
  });
});

describe('a companion that lies', () => {
  const answers = (uid: number) => () => ({ uid, fresh: true });

  it('gives no UID that was not asked for, or is out of the range', async () => {
    await using world = await openWorld();
    const daemon = await world.member();
    for (const uid of [0, 1_000, 61_184, 70_000]) {
      daemon.cases.probe.against.set(70_000, { kind: 'user', name: 'alice' });
      world.companion.instead['Hold'] = answers(uid);
      await fails(daemon.acquire('web'), 'FleetUnavailable');
    }
    assert.deepEqual(readdirSync(`${world.directory}/records/holds`), []);
  });

  it('binds no name to a UID that this host holds for another', async () => {
    await using world = await openWorld();
    const daemon = await world.member();
    const web = await daemon.acquire('web');
    await daemon.release('web');
    // That it is nobody's any more, and that it is another name's.
    world.companion.lies = [
      { name: 'web', uid: web, state: 'free' },
      { name: 'db', uid: web, state: 'bound' },
    ];
    world.store.change([...world.companion.lies]);
    world.companion.instead['Hold'] = () => ({ uid: web, fresh: false });
    await until('it has told that', () => daemon.log.some(line => /this host holds it for web/.test(line)));
    await fails(daemon.acquire('db'), 'FleetConflict', /web/);
    world.companion.instead['Hold'] = () => {
      throw new VarlinkError('io.dynuser.Fleet.NameBound', { uid: web });
    };
    await fails(daemon.acquire('other'), 'FleetConflict', /which this host holds for web/);
    world.companion.instead['Hold'] = parameters => {
      const candidates = parameters['candidates'] as number[];
      assert.ok(!candidates.includes(web));
      return { uid: web, fresh: false };
    };
    await fails(daemon.acquire('mail'), 'FleetUnavailable', /not asked for/);
  });

  it('has nobody looked up by what cannot be: another range, another name, a name of this host', async () => {
    await using world = await openWorld();
    const daemon = await world.member();
    const web = await daemon.acquire('web');
    await daemon.stop();
    world.companion.lies = [
      { name: 'root', uid: 0, state: 'bound' },
      { name: 'a:b', uid: 70_001, state: 'bound' },
      { name: 'nobody', uid: 65_534, state: 'bound' },
      { name: 'evil', uid: web, state: 'bound' },
      { name: 'web', uid: web === 70_002 ? 70_003 : 70_002, state: 'bound' },
    ];
    const next = await world.member();
    await until('it is told', () => next.log.some(line => /cannot be|as well/.test(line)));
    await until('it is published', () => (next.lookups()?.length ?? 0) > 0);
    assert.deepEqual(next.lookups(), [{ name: 'web', uid: web }]);
  });

  it('that tells of more than there can be, or of a fence that cannot be, is left', async () => {
    await using world = await openWorld();
    world.companion.lies = Array.from({ length: 2_000 }, (_, index) => ({
      ...{ name: `n${index}`, uid: 70_000 + (index % 4), state: 'free' as const },
    }));
    const daemon = world.start();
    await until('it is seen', () => daemon.log.some(line => /more bindings than there are UIDs/.test(line)));
    world.companion.lies = [];
    world.companion.instead['Join'] = (parameters, honest) => ({ ...honest(parameters), incarnation: 'x\ny' });
    await world.companion.stop();
    await world.companion.start();
    await until('that, too', () => daemon.log.some(line => /an incarnation that is not valid/.test(line)));
  });
});

describe('what others are told of the fleet', () => {
  it('is the users of all hosts, also after a start without the store', async () => {
    await using world = await openWorld();
    world.store.bind('elsewhere', 70_003);
    const daemon = await world.member();
    const web = await daemon.acquire('web');
    await until('both are', () => daemon.lookups()?.length === 2);
    assert.deepEqual(daemon.fleet.bindings.userNamed('elsewhere' as UserName), { name: 'elsewhere', uid: 70_003 });
    await daemon.stop();
    await world.companion.stop();
    const next = world.start();
    assert.deepEqual(next.lookups(), [
      { name: 'elsewhere', uid: 70_003 },
      { name: 'web', uid: web },
    ]);
  });

  it('and no more of a name that nobody holds', async () => {
    await using world = await openWorld();
    world.store.bind('elsewhere', 70_003);
    const daemon = await world.member();
    await until('it is', () => daemon.lookups()?.length === 1);
    world.store.collect('elsewhere');
    await until('it is not', () => daemon.lookups()?.length === 0);
  });
});

describe('a name that is not used', () => {
  it('is forgotten when it was not for long, and has no files here', async () => {
    await using world = await openWorld();
    const daemon = await world.member();
    const directories = `${world.directory}/private`;
    await daemon.acquire('web');
    await daemon.acquire('db');
    await daemon.release('web');
    await daemon.release('db');
    mkdirSync(directories);
    await daemon.records.put({
      ...{ name: 'db' as UserName, uid: world.store.names.get('db') as never, directories: [directories], shared: [] },
    });
    daemon.clock = performance.now() + 20_000;
    await daemon.fleet.countIdle();
    assert.equal(world.store.holds.size, 2);
    await daemon.stop();
    // Time in which the daemon does not run does not count.
    const next = await world.member();
    next.clock = performance.now() + 5_000;
    await next.fleet.countIdle();
    assert.equal(world.store.holds.size, 2);
    next.clock += 10_000;
    await next.fleet.countIdle();
    assert.deepEqual([...world.store.holds.keys()], [`db ${HOST}`]);
    assert.deepEqual(readdirSync(`${world.directory}/records/holds`), ['db']);
  });

  it('is not while it lives, and an operator cannot have it forgotten then', async () => {
    await using world = await openWorld();
    const daemon = await world.member();
    await daemon.acquire('web');
    daemon.clock = performance.now() + 86_400_000;
    await daemon.fleet.countIdle();
    await fails(daemon.fleet.forget('web' as UserName), 'FleetConflict', /lives on this host/);
    await daemon.release('web');
    await daemon.fleet.forget('web' as UserName);
    assert.equal(world.store.holds.size, 0);
    assert.equal(world.store.names.size, 1, 'it keeps its UID until it is collected');
  });

  it('is not while one of two requests for it is under way', async () => {
    await using world = await openWorld();
    const daemon = await world.member();
    await daemon.acquire('web');
    await daemon.release('web');
    const name = 'web' as UserName;
    const [one, other] = [await daemon.fleet.begin(name), await daemon.fleet.begin(name)];
    one[Symbol.dispose]();
    await fails(daemon.fleet.forget(name), 'FleetConflict', /lives on this host/);
    other[Symbol.dispose]();
    await daemon.fleet.forget(name);
    assert.equal(world.store.holds.size, 0);
  });
});

describe('a member', () => {
  it('asks whether it still is one when its time has come, and not before', async () => {
    await using world = await openWorld();
    const asked: unknown[] = [];
    world.companion.instead['Join'] = (parameters, honest) => {
      asked.push(parameters['renew']);
      return honest(parameters);
    };
    const daemon = await world.member();
    for (const name of ['web', 'db', 'mail']) {
      await daemon.acquire(name);
      await daemon.release(name);
    }
    assert.equal(asked.length, 1);
    await using impatient = new FleetWorld(world.store);
    await impatient.companion.start();
    const asks: unknown[] = [];
    impatient.companion.instead['Join'] = (parameters, honest) => {
      asks.push(parameters['renew']);
      return honest(parameters);
    };
    await impatient.member({ host: OTHER, waits: { verifyMs: 10 } });
    await until('it has asked three times', () => asks.length > 2);
  });

  it('that is refused when it asks joins again', async () => {
    await using world = await openWorld();
    const daemon = await world.member({ waits: { verifyMs: 10 } });
    let refusals = 0;
    world.companion.instead['Join'] = (parameters, honest) => {
      if (refusals === 0 && parameters['incarnation'] === parameters['next']) {
        refusals++;
        throw new VarlinkError('io.dynuser.Fleet.NotMember', {});
      }
      return honest(parameters);
    };
    const sessions = () => world.companion.asked.filter(method => method === 'Bindings').length;
    const before = sessions();
    await until('it follows the bindings anew', () => refusals === 1 && sessions() > before);
    await daemon.becomes('member');
  });

  it('is nobody by an incarnation that it has not asked for', async () => {
    await using world = await openWorld();
    world.companion.instead['Join'] = (parameters, honest) => ({ ...honest(parameters), incarnation: '7.other' });
    const daemon = world.start();
    await until('it says why', () =>
      daemon.log.some(line => /incarnation that this host has not asked for/.test(line)),
    );
    assert.notEqual(daemon.fleet.status().state, 'member');
  });
});

describe('the directories of a name', () => {
  it('are recorded as they are used, each once, and no more of them than there may be', async () => {
    await using world = await openWorld();
    const daemon = await world.member();
    const recorded = () => daemon.records.byName.get('web' as UserName)?.directories;
    const use = async (from: number, count: number): Promise<void> => {
      const directories = Array.from({ length: count }, (_, index) => directory(`d${from + index}`));
      await daemon.acquire('web', { directories });
      await daemon.release('web');
    };
    await use(0, 2);
    await until('both are recorded', () => recorded()?.length === 2);
    assert.deepEqual(recorded(), ['/var/lib/private/d0', '/var/lib/private/d1']);
    await use(1, RECORDED_DIRECTORIES_MAX - 1);
    await until('as many as there may be', () => recorded()?.length === RECORDED_DIRECTORIES_MAX);
    await use(RECORDED_DIRECTORIES_MAX, 1);
    await until('that there are more', () => recorded() === 'many');
  });
});

describe('a directory on shared storage', () => {
  const storages = [{ path: '/var/lib/private', id: 'nas' }];

  it('is one name’s, is asked for once, and is refused to another', async () => {
    await using world = await openWorld();
    const daemon = await world.member({ storages });
    await daemon.acquire('web', { directories: [directory('site')] });
    assert.deepEqual([...world.store.directories], [['nas /site', 'web']]);
    await fails(daemon.acquire('db', { directories: [directory('site')] }), 'DirectoryFailed', /web's/);
    await daemon.release('web');
    await world.companion.stop();
    await daemon.acquire('web', { directories: [directory('site')] });
  });

  it('is recorded for as long as there is space for it', async () => {
    await using world = await openWorld();
    const daemon = await world.member({ storages });
    const uid = (await daemon.acquire('web')) as Uid;
    const shared = Array.from({ length: SHARED_RECORDED_MAX - 1 }, (_, index) => `nas /d${index}`);
    await daemon.records.put({ name: 'web' as UserName, uid, directories: [], shared });
    for (const source of ['last', 'more']) {
      await daemon.acquire('web', { directories: [directory(source)] });
      await daemon.release('web');
    }
    assert.deepEqual(daemon.records.byName.get('web' as UserName)?.shared, [...shared, 'nas /last']);
  });

  it('is recorded beside what is recorded while it is asked for', async () => {
    await using world = await openWorld();
    const daemon = await world.member({ storages });
    const name = 'web' as UserName;
    const uid = (await daemon.acquire(name)) as Uid;
    const taking = daemon.fleet.takeDirectories(name, uid, [directory('site')]);
    daemon.fleet.used(name, [directory('cache')]);
    await taking;
    const { directories, shared } = daemon.records.byName.get(name) ?? {};
    assert.deepEqual([directories, shared], [['/var/lib/private/cache'], ['nas /site']]);
  });

  it('is refused to a user of this host alone', async () => {
    await using world = await openWorld();
    const daemon = await world.member({ storages });
    const asked = daemon.acquire('web', { fleet: false, directories: [directory('site')] });
    await fails(asked, 'DirectoryFailed', /FleetNames=/);
  });
});

describe('records', () => {
  it('that cannot be read are left out, and the store has the hold still', async () => {
    await using world = await openWorld();
    const daemon = await world.member();
    const uid = await daemon.acquire('web');
    await daemon.stop();
    for (const text of ['', '{', '{"uid":"70000"}', '{"uid":70000.5,"directories":[],"shared":[]}']) {
      writeFileSync(`${world.directory}/records/holds/web`, text);
      const next = await world.member();
      assert.equal(next.records.byName.get('web' as UserName)?.uid, uid, text);
      await next.stop();
    }
  });

  it('that were being written are as if they had not been', async () => {
    await using world = await openWorld();
    mkdirSync(`${world.directory}/records/holds`, { recursive: true, mode: 0o700 });
    writeFileSync(`${world.directory}/records/holds/web.new`, '{"uid":70000,"directories":[],"shared":[]}');
    const daemon = await world.member();
    assert.equal(daemon.records.byName.size, 0);
    assert.deepEqual(readdirSync(`${world.directory}/records/holds`), []);
  });
});

it('a host with other UIDs for the fleet is refused, and says which', async () => {
  await using world = await openWorld();
  const daemon = world.start({ range: '70000-70004' });
  await daemon.becomes('refused');
  assert.match(daemon.fleet.status().reason ?? '', /the UIDs "70000-70003", but FleetUidRange= names others/);
});

it('a host leaves without its holds, and not while it has users', async () => {
  await using world = await openWorld();
  const daemon = await world.member();
  await daemon.acquire('web');
  await fails(daemon.fleet.leave(), 'FleetConflict', /web lives/);
  await daemon.release('web');
  await daemon.fleet.leave();
  await daemon.becomes('off');
  assert.equal(world.store.holds.size + world.store.incarnations.size, 0);
  await fails(daemon.acquire('web'), 'FleetUnavailable', /left/);
});

it('the users of a fleet are not looked up any more as soon as this host has left', async () => {
  await using world = await openWorld();
  const daemon = await world.member();
  world.store.bind('theirs', 70_003);
  await until('the other host has one', () => daemon.lookups()?.length === 1);
  await daemon.fleet.leave();
  assert.deepEqual(daemon.lookups(), []);
  assert.deepEqual(daemon.fleet.bindings.users(), []);
  assert.equal(daemon.fleet.bindings.userNamed('theirs' as UserName), undefined);
  assert.deepEqual(decodeSnapshot(readFileSync(`${world.directory}/records/snapshot`, 'utf8')), []);
});

it('a host does not leave while a name is being held, and holds no name while it leaves', async () => {
  await using world = await openWorld();
  const daemon = await world.member();
  let answer: () => void = () => undefined;
  const answered = new Promise<void>(resolve => {
    answer = resolve;
  });
  world.companion.instead['Hold'] = async (parameters, honest) => {
    await answered;
    return honest(parameters);
  };
  const acquired = daemon.acquire('web');
  await until('it is asked for', () => world.companion.asked.includes('Hold'));
  const left = fails(daemon.fleet.leave(), 'FleetConflict', /web/);
  await fails(daemon.acquire('db'), 'FleetUnavailable', /leaves/);
  answer();
  await left;
  assert.equal(world.store.names.get('web'), await acquired);
  assert.deepEqual([...world.store.holds.keys()], [`web ${HOST}`]);
  await daemon.acquire('db');
});

/** A change of another store comes, which ends the session of every host. */
function endSessions({ store }: FleetWorld): void {
  const { cluster } = store;
  store.cluster = 'another';
  store.change([{ name: 'theirs', uid: 70_003, state: 'bound' }]);
  store.cluster = cluster;
}

it('a host does not leave while it takes up what it holds', async () => {
  await using world = await openWorld();
  const daemon = await world.member();
  await daemon.acquire('web');
  await daemon.release('web');
  // A hold that is not recorded: a daemon has died in between.
  world.store.bind('db', 70_002);
  world.store.hold('db', HOST, world.store.incarnations.get(HOST) ?? '');
  let take: () => void = () => undefined;
  const taken = new Promise<void>(resolve => {
    take = resolve;
  });
  world.companion.instead['Forget'] = async (parameters, honest) => {
    const answer = honest(parameters);
    const asked = world.companion.asked.length;
    world.companion.instead['HoldsOf'] = async (...list) => {
      const holds = list[1](list[0]);
      await taken;
      return holds;
    };
    endSessions(world);
    await until('it reads its holds', () => world.companion.asked.indexOf('HoldsOf', asked) > 0);
    return answer;
  };
  await fails(daemon.fleet.leave(), 'FleetUnavailable', /cannot leave/);
  take();
  await daemon.becomes('member');
  assert.equal(daemon.records.byName.get('db' as UserName)?.uid, 70_002);
  assert.deepEqual([...world.store.holds.keys()], [`db ${HOST}`]);
});

it('a host that is leaving does not join again meanwhile', async () => {
  await using world = await openWorld();
  const daemon = await world.member();
  const joins = () => world.companion.asked.filter(method => method === 'Join').length;
  const before = joins();
  world.companion.instead['Leave'] = async (parameters, honest) => {
    const answer = honest(parameters);
    endSessions(world);
    await until('its session has ended', () => daemon.fleet.status().state === 'waiting');
    return answer;
  };
  await daemon.fleet.leave();
  assert.equal(daemon.fleet.status().state, 'off');
  await daemon.stop();
  assert.equal(joins(), before);
  assert.equal(world.store.incarnations.has(HOST), false);
});

describe('a name that is forgotten', () => {
  it('is not, if somebody begins to use it meanwhile', async () => {
    await using world = await openWorld();
    const daemon = await world.member();
    daemon.clock = 0;
    const uid = await daemon.acquire('web', { directories: [directory('web')] });
    await daemon.release('web');
    const path = '/var/lib/private/web';
    await until(
      'its directory is recorded',
      () => daemon.records.byName.get('web' as UserName)?.directories[0] === path,
    );
    daemon.clock = 3_600_000;
    daemon.exists = async () => {
      assert.equal(await daemon.acquire('web'), uid);
      return false;
    };
    await daemon.fleet.countIdle();
    await daemon.release('web');
    await fails(daemon.fleet.forget('web' as UserName), 'FleetConflict', /lives on this host/);
    assert.equal(daemon.records.byName.get('web' as UserName)?.uid, uid);
    assert.deepEqual([...world.store.holds.keys()], [`web ${HOST}`]);
  });

  it('is not taken up again by a list of holds that is older than that', async () => {
    await using world = await openWorld();
    const daemon = await world.member();
    await daemon.acquire('web');
    await daemon.release('web');
    let listed: () => void = () => undefined;
    const isListed = new Promise<void>(resolve => {
      listed = resolve;
    });
    world.companion.instead['Forget'] = async (parameters, honest) => {
      await isListed;
      return honest(parameters);
    };
    const forgotten = daemon.fleet.forget('web' as UserName);
    await until('it is asked for', () => world.companion.asked.includes('Forget'));
    world.companion.instead['HoldsOf'] = async (parameters, honest) => {
      const holds = honest(parameters);
      listed();
      await forgotten;
      return holds;
    };
    world.companion.instead['Hold'] = () => {
      throw new VarlinkError('io.dynuser.Fleet.NotMember', {});
    };
    await fails(daemon.acquire('db'), 'FleetUnavailable');
    const asked = world.companion.asked.length;
    await until('it reads its holds again', () => world.companion.asked.indexOf('HoldsOf', asked - 1) > 0);
    await daemon.becomes('member');
    assert.equal(daemon.records.byName.size, 0);
    assert.equal(world.store.holds.size, 0);
  });
});

function directory(source: string) {
  return {
    ...{ kind: 'state' as const, source, aliases: [], readOnly: false, mode: 0o755, preserved: true, exposed: false },
  };
}

describe('a hold that is not recorded', () => {
  it('is held again before it is, so that nothing that is under way ends it', async () => {
    await using world = await openWorld();
    world.store.bind('web', 70_000);
    world.store.hold('web', HOST, 'one');
    const former = world.store.revision;
    const daemon = await world.member();
    assert.equal(daemon.records.byName.get('web' as UserName)?.uid, 70_000);
    assert.ok((world.store.heldAt.get(`web ${HOST}`) ?? 0) > former);
  });

  it('is not, if it has ended since it was listed', async () => {
    await using world = await openWorld();
    world.store.bind('web', 70_000);
    world.store.hold('web', HOST, 'one');
    world.companion.instead['HoldsOf'] = (parameters, honest) => {
      const holds = honest(parameters);
      world.store.holds.clear();
      world.store.collect('web');
      return holds;
    };
    const daemon = await world.member();
    assert.equal(daemon.records.byName.size, 0);
    assert.equal(world.store.holds.size, 0);
  });
});

describe('holds that the store does not have', () => {
  it('are held again if the name is bound as before, and the others stay', async () => {
    await using world = await openWorld();
    const daemon = await world.member();
    await daemon.acquire('web');
    await daemon.acquire('db');
    await daemon.stop();
    world.store.holds.delete(`web ${HOST}`);
    const next = await world.member();
    assert.deepEqual([...world.store.holds.keys()].sort(), [`db ${HOST}`, `web ${HOST}`]);
    assert.equal(next.fleet.conflicts.size, 0);
  });

  it('are of no use if another has the UID by now', async () => {
    await using world = await openWorld();
    const daemon = await world.member();
    const uid = await daemon.acquire('web');
    await daemon.stop();
    world.store.holds.delete(`web ${HOST}`);
    world.store.collect('web');
    world.store.bind('other', uid);
    const next = await world.member();
    await fails(next.acquire('web'), 'FleetConflict', /with the name other/);
  });

  it('of a host that was fenced are put again while the store is being restored', async () => {
    await using world = await openWorld();
    const daemon = await world.member();
    const uid = await daemon.acquire('web');
    await daemon.stop();
    world.store.fence(HOST);
    world.store.restoring = true;
    const next = world.start();
    await next.becomes('restoring');
    assert.deepEqual(next.ended, []);
    assert.equal(next.records.byName.get('web' as UserName)?.uid, uid);
    await fails(next.acquire('web'), 'FleetUnavailable');
    world.store.restoring = false;
    await next.becomes('member');
    assert.equal(await next.acquire('web'), uid);
  });
});

it('an account that is made while the store is asked is seen', async () => {
  await using world = await openWorld();
  const daemon = await world.member();
  const { accounts, probe } = daemon.cases;
  world.companion.instead['Hold'] = async (parameters, honest) => {
    await until('nobody waits for the network', () => accounts.holders === 0);
    probe.against.set((parameters['candidates'] as number[])[0] ?? 0, { kind: 'user', name: 'alice' });
    return honest(parameters);
  };
  await fails(daemon.acquire('web'), 'FleetConflict', /alice/);
});

describe('a record that is written while the store is asked', () => {
  const holdsIn = (world: FleetWorld) => readdirSync(`${world.directory}/records/holds`).sort();

  it('counts for nothing before the answer, and nothing is left of it if that is a refusal', async () => {
    await using world = await openWorld();
    const daemon = await world.member();
    world.companion.instead['Hold'] = async () => {
      await until('it is being written', () => holdsIn(world).includes('web.asked.new'));
      assert.equal(daemon.records.byName.size, 0);
      assert.equal(daemon.fleet.status().holds.length, 0);
      throw new VarlinkError('io.dynuser.Fleet.StoreUnavailable', { reason: 'a test' });
    };
    await fails(daemon.acquire('web'), 'FleetUnavailable', /a test/);
    assert.deepEqual(holdsIn(world), []);
    delete world.companion.instead['Hold'];
    await daemon.acquire('web');
    assert.deepEqual(holdsIn(world), ['web']);
  });

  it('counts for nothing after a death before the answer, whatever is in it', async () => {
    await using world = await openWorld();
    mkdirSync(`${world.directory}/records/holds`, { recursive: true, mode: 0o700 });
    writeFileSync(`${world.directory}/records/holds/web.asked.new`, '{"uid":70000,"directories":[],"shared":[]}');
    const daemon = await world.member();
    assert.equal(daemon.records.byName.size, 0);
    assert.deepEqual(holdsIn(world), []);
  });

  it('that cannot be written gives out nothing', async () => {
    await using world = await openWorld();
    const daemon = await world.member();
    mkdirSync(`${world.directory}/records/holds/web.asked.new`);
    await fails(daemon.acquire('web'), 'HostFailed', /cannot be recorded: EISDIR/);
    assert.equal(daemon.records.byName.size, 0);
    assert.equal(daemon.cases.users.byName('web' as UserName), undefined);
  });

  it('is on the disk under its name when the user lives, beside another that is written of the name', async () => {
    await using world = await openWorld();
    const daemon = await world.member();
    const record = { name: 'web' as UserName, uid: 70_001 as Uid, directories: [], shared: [] };
    const prepared = daemon.records.prepare(record);
    await daemon.records.put({ ...record, directories: 'many' });
    await prepared.commit();
    assert.deepEqual(holdsIn(world), ['web']);
    assert.deepEqual(daemon.records.byName.get('web' as UserName), record);
    const text = readFileSync(`${world.directory}/records/holds/web`, 'utf8');
    assert.deepEqual(JSON.parse(text), { uid: 70_001, directories: [], shared: [] });
  });
});

describe('the connections to the companion', () => {
  it('are kept from call to call, and made anew to one that was started again', async () => {
    await using world = await openWorld();
    const daemon = await world.member();
    await daemon.acquire('web');
    const kept = world.companion.connections;
    await daemon.acquire('db');
    assert.equal(world.companion.connections, kept);
    await world.companion.stop();
    await daemon.becomes('waiting');
    await world.companion.start();
    await daemon.becomes('member');
    await daemon.acquire('mail');
    assert.ok(world.companion.connections > kept);
  });
});
