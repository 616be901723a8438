/** dynuser-fleetd, as it is run: what root gets on its socket, with both stores, and what everybody else gets. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { FLEET_INTERFACE } from '../../../src/api/generated/io-dynuser-fleet.ts';
import { CHECKOUT } from '../../../src/tooling/checkout.ts';
import { ClientInterfaces, connect, type VarlinkClient } from '../../../src/varlink/client.ts';
import { VarlinkError } from '../../../src/varlink/errors.ts';
import type { JsonObject } from '../../../src/varlink/json.ts';
import { EtcdCluster } from '../../support/fleet/etcd.ts';
import { until } from '../../support/until.ts';

const PROGRAM = `${CHECKOUT}dist/src/bin/dynuser-fleetd.js`;
const FLEET = 'io.dynuser.Fleet';
const HOST = '00000000000000aa';
const OTHER = '00000000000000bb';
const RANGES = '65536-79999 90000-99999';

const directory = mkdtempSync('/run/dynuser-fleetd-');
const running: ChildProcess[] = [];

interface Companion {
  readonly process: ChildProcess;
  readonly client: VarlinkClient;
  readonly log: () => string;
}

async function start(name: string, config: string): Promise<Companion> {
  const [file, socket] = [`${directory}/${name}.conf`, `${directory}/${name}.socket`];
  writeFileSync(file, config);
  const child = spawn(process.execPath, [PROGRAM, `--config=${file}`, `--socket=${socket}`], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  running.push(child);
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  let client: VarlinkClient | undefined;
  await until(
    () => `dynuser-fleetd listens; it says: ${log}`,
    async () => {
      client = await connect(socket, { interfaces: new ClientInterfaces([FLEET_INTERFACE]) }).catch(() => undefined);
      return client !== undefined;
    },
  );
  assert.ok(client !== undefined);
  return { process: child, client, log: () => log };
}

async function stop({ process: child, client }: Companion): Promise<void> {
  client.close();
  child.kill();
  const [status] = await once(child, 'exit');
  assert.equal(status, 0);
}

function joining(more: JsonObject = {}): JsonObject {
  return { host: HOST, hostName: 'db1', version: '1', next: 'one', renew: false, ranges: RANGES, ...more };
}

function refusedAs(error: string, parameters?: JsonObject) {
  return (thrown: unknown): boolean => {
    assert.ok(thrown instanceof VarlinkError, String(thrown));
    assert.equal(thrown.error, error);
    if (parameters !== undefined) {
      assert.deepEqual(thrown.parameters, parameters);
    }
    return true;
  };
}

after(() => {
  for (const child of running) {
    child.kill('SIGKILL');
  }
  rmSync(directory, { recursive: true });
});

describe('dynuser-fleetd', () => {
  let cluster: EtcdCluster;
  let etcd: string;
  before(async () => {
    cluster = await EtcdCluster.start();
    const { certificate, key } = cluster.client('db1');
    writeFileSync(`${directory}/ca.pem`, cluster.authority.certificate);
    writeFileSync(`${directory}/db1.pem`, certificate);
    writeFileSync(`${directory}/db1-key.pem`, key);
    const files = `CertificateFile=${directory}/db1.pem\nKeyFile=${directory}/db1-key.pem\nCaFile=${directory}/ca.pem`;
    etcd = `Endpoints=${cluster.endpoints.join(' ')}\n${files}\n`;
  });
  after(() => cluster.stop());

  const stores: readonly [kind: 'etcd' | 'directory', store: () => string][] = [
    ['etcd', () => `Store=etcd\n${etcd}`],
    ['directory', () => `Store=${directory}/registry\n`],
  ];
  for (const [kind, store] of stores) {
    it(`keeps a fleet in a store of the kind ${kind}`, async () => {
      mkdirSync(`${directory}/registry`, { recursive: true, mode: 0o700 });
      const companion = await start(kind, `Fleet=test\n${store()}`);
      const call = (method: string, parameters: JsonObject = {}) =>
        companion.client.call(`${FLEET}.${method}`, parameters);
      const before = await call('Status');
      assert.deepEqual(
        [before['fleet'], before['store'], before['reachable'], before['ranges']],
        ['test', kind, true, undefined],
      );
      await assert.rejects(call('Join', joining()), refusedAs(`${FLEET}.NoFleet`, { fleet: 'test' }));
      await call('Create', { ranges: RANGES });
      const { state, incarnation, restoring } = await call('Join', joining());
      assert.deepEqual([state, incarnation, restoring], ['joined', 'one', false]);
      const who = { host: HOST, incarnation: 'one' };
      const watching = await connect(`${directory}/${kind}.socket`);
      const replies = watching.stream(`${FLEET}.Bindings`);
      const first = await replies.next();
      assert.deepEqual([first.value?.['reset'], first.value?.['complete'], first.value?.['changes']], [true, true, []]);
      assert.deepEqual(await call('Hold', { ...who, name: 'web', candidates: [70_000] }), { uid: 70_000, fresh: true });
      const second = (await replies.next()).value;
      assert.deepEqual(second?.['changes'], [{ name: 'web', uid: 70_000, state: 'bound' }]);
      await assert.rejects(
        call('Hold', { ...who, name: 'web', candidates: [70_001] }),
        refusedAs(`${FLEET}.NameBound`, { uid: 70_000 }),
      );
      assert.deepEqual(await call('HoldAgain', { ...who, name: 'web', uid: 70_000 }), { held: true });
      await call('TakeDirectory', { ...who, storage: 'nfs:/export', path: '/srv/web', name: 'web' });
      assert.deepEqual(await call('Name', { name: 'web' }), {
        ...{ state: 'bound', uid: 70_000, hosts: [HOST] },
        directories: [{ storage: 'nfs:/export', path: '/srv/web' }],
      });
      await call('FreeDirectory', { storage: 'nfs:/export', path: '/srv/web' });
      assert.deepEqual(await call('HoldsOf', { host: HOST }), { holds: [{ name: 'web', uid: 70_000 }] });
      const { hosts } = await call('Hosts');
      assert.deepEqual(hosts, [
        { host: HOST, hostName: 'db1', alive: true, fenced: false, incarnation: 'one', holds: 1, version: '1' },
      ]);
      const { position: seen = {} } = await call('Status');
      await call('Forget', { ...who, name: 'web', seen });
      const freed: JsonObject[] = [];
      for await (const reply of companion.client.stream(`${FLEET}.Collect`)) {
        freed.push(reply);
      }
      assert.deepEqual(freed, [{ name: 'web', uid: 70_000 }, {}]);
      assert.deepEqual((await replies.next()).value?.['changes'], [{ name: 'web', uid: 70_000, state: 'cooling' }]);
      // Whoever comes back hears of what it has not heard of.
      const again = await connect(`${directory}/${kind}.socket`);
      const since = again.stream(`${FLEET}.Bindings`, { since: second?.['position'] ?? {}, once: true });
      const resumed = (await since.next()).value;
      assert.deepEqual(
        [resumed?.['reset'], resumed?.['changes']],
        [false, [{ name: 'web', uid: 70_000, state: 'cooling' }]],
      );
      again.close();
      watching.close();
      await stop(companion);
      // It has said that the host is away.
      const next = await start(`${kind}-next`, `Fleet=test\n${store()}`);
      const { hosts: away } = await next.client.call(`${FLEET}.Hosts`);
      assert.deepEqual(away, [
        { host: HOST, hostName: 'db1', alive: false, fenced: false, incarnation: 'one', holds: 0 },
      ]);
      await stop(next);
    });
  }

  for (const [kind, store] of stores) {
    it(`tells a host at once that it was given up, by a store of the kind ${kind}`, async () => {
      mkdirSync(`${directory}/registry`, { recursive: true, mode: 0o700 });
      const companion = await start(`${kind}-fence`, `Fleet=fence\n${store()}`);
      const call = (method: string, parameters: JsonObject = {}) =>
        companion.client.call(`${FLEET}.${method}`, parameters);
      await call('Create', { ranges: RANGES });
      await call('Join', joining());
      const watching = await connect(`${directory}/${kind}-fence.socket`);
      const replies = watching.stream(`${FLEET}.Bindings`);
      assert.deepEqual((await replies.next()).value?.['changes'], []);
      await call('Join', joining({ host: OTHER }));
      await call('Hold', { host: HOST, incarnation: 'one', name: 'web', candidates: [70_000] });
      assert.equal((await replies.next()).value?.['complete'], true);
      const ended = assert.rejects(replies.next(), refusedAs(`${FLEET}.NotMember`, { incarnation: 'fenced.one' }));
      await call('ForgetHost', { host: HOST, evenAlive: true });
      await ended;
      watching.close();
      // One that has joined again meanwhile is not meant.
      const { state, incarnation } = await call('Join', joining({ incarnation: 'one', next: 'two' }));
      assert.deepEqual([state, incarnation], ['fenced', 'fenced.one']);
      await call('Join', joining({ incarnation: 'fenced.one', next: 'two' }));
      const again = await connect(`${directory}/${kind}-fence.socket`);
      const bindings = again.stream(`${FLEET}.Bindings`);
      await bindings.next();
      await call('Hold', { host: HOST, incarnation: 'two', name: 'db', candidates: [70_001] });
      assert.deepEqual((await bindings.next()).value?.['changes'], [{ name: 'db', uid: 70_001, state: 'bound' }]);
      again.close();
      await stop(companion);
    });
  }

  for (const [kind, store] of stores) {
    it(`tells a host at once that another one knows more than there is, by a store of the kind ${kind}`, async () => {
      mkdirSync(`${directory}/registry`, { recursive: true, mode: 0o700 });
      const companion = await start(`${kind}-back`, `Fleet=back\n${store()}`);
      const call = (method: string, parameters: JsonObject = {}) =>
        companion.client.call(`${FLEET}.${method}`, parameters);
      await call('Create', { ranges: RANGES });
      const { position } = await call('Join', joining());
      const watching = await connect(`${directory}/${kind}-back.socket`);
      const replies = watching.stream(`${FLEET}.Bindings`);
      assert.deepEqual((await replies.next()).value?.['changes'], []);
      const ended = assert.rejects(replies.next(), refusedAs(`${FLEET}.Restoring`, {}));
      const { cluster, revision } = position as { cluster: string; revision: number };
      const seen = { cluster, revision: revision + 1_000 };
      assert.equal((await call('Join', joining({ host: OTHER, seen })))['restoring'], true);
      await ended;
      watching.close();
      // Who has joined since knows it, and is not told again.
      assert.equal((await call('Join', joining()))['restoring'], true);
      for (const host of [HOST, OTHER]) {
        await call('Restore', { host, incarnation: 'one', bindings: [], last: true });
      }
      const again = await connect(`${directory}/${kind}-back.socket`);
      const bindings = again.stream(`${FLEET}.Bindings`);
      await bindings.next();
      await call('Resume');
      await call('Hold', { host: HOST, incarnation: 'one', name: 'web', candidates: [70_000] });
      assert.deepEqual((await bindings.next()).value?.['changes'], [{ name: 'web', uid: 70_000, state: 'bound' }]);
      again.close();
      await stop(companion);
    });
  }

  it('refuses what is not a name, UID, host or text of an incarnation, before the store is asked', async () => {
    const companion = await start('strict', `Fleet=strict\nStore=etcd\n${etcd}`);
    const call = (method: string, parameters: JsonObject) => companion.client.call(`${FLEET}.${method}`, parameters);
    const who = { host: HOST, incarnation: 'one' };
    const refused: readonly [method: string, parameters: JsonObject, field: string][] = [
      ['Hold', { ...who, name: 'a/b', candidates: [70_000] }, 'name'],
      ['Hold', { ...who, name: 'web', candidates: [] }, 'candidates'],
      ['Hold', { ...who, name: 'web', candidates: [0] }, 'candidates'],
      ['Hold', { ...who, host: '../../meta', name: 'web', candidates: [70_000] }, 'host'],
      ['Hold', { ...who, incarnation: 'a/b', name: 'web', candidates: [70_000] }, 'incarnation'],
      ['Join', joining({ next: 'fenced.one' }), 'next'],
      ['Join', joining({ next: 'a/b' }), 'next'],
      ['Join', joining({ host: '../../meta' }), 'host'],
      ['Join', joining({ hostName: '' }), 'hostName'],
      ['Join', joining({ version: 'x'.repeat(1_025) }), 'version'],
      ['HoldsOf', { host: 'a/b' }, 'host'],
      ['ForgetHost', { host: '' }, 'host'],
      ['Leave', { ...who, host: 'a/b' }, 'host'],
      ['Name', { name: 'a/b' }, 'name'],
      ['Forget', { ...who, name: '', seen: { cluster: 'a', revision: 1 } }, 'name'],
      ['Create', { ranges: 'all' }, 'ranges'],
      ['TakeDirectory', { ...who, storage: 's', path: 'relative', name: 'web' }, 'path'],
      ['Restore', { ...who, bindings: [{ name: 'web', uid: -1 }], last: true }, 'bindings'],
    ];
    for (const [method, parameters, field] of refused) {
      await assert.rejects(call(method, parameters), error => {
        assert.ok(error instanceof VarlinkError, String(error));
        assert.deepEqual([error.error, error.parameters['field']], [`${FLEET}.InvalidParameter`, field]);
        return true;
      });
    }
    await stop(companion);
  });

  it('says what is wrong while the store is away, and continues when it is back', async () => {
    const companion = await start('away', `Fleet=away\nStore=etcd\n${etcd}`);
    const call = (method: string, parameters: JsonObject = {}) =>
      companion.client.call(`${FLEET}.${method}`, parameters);
    await call('Create', { ranges: RANGES });
    await call('Join', joining());
    await Promise.all(cluster.nodes.map(node => node.kill()));
    const who = { host: HOST, incarnation: 'one' };
    await assert.rejects(
      call('Hold', { ...who, name: 'web', candidates: [70_000] }),
      refusedAs(`${FLEET}.StoreUnavailable`),
    );
    const { reachable, reason } = await call('Status');
    assert.equal(reachable, false);
    assert.match(
      String(reason),
      /^etcd does not answer \(https:\S+: .*ECONNREFUSED.*\); check it, the network and the certificates$/,
    );
    await cluster.startAll();
    assert.deepEqual(await call('Hold', { ...who, name: 'web', candidates: [70_000] }), { uid: 70_000, fresh: true });
    await stop(companion);
  });

  it('says that a certificate has expired', async () => {
    const { certificate, key } = cluster.client('old', { from: new Date('2020-01-01'), until: new Date('2021-01-01') });
    writeFileSync(`${directory}/old.pem`, certificate);
    writeFileSync(`${directory}/old-key.pem`, key);
    const files = `CertificateFile=${directory}/old.pem\nKeyFile=${directory}/old-key.pem\nCaFile=${directory}/ca.pem\n`;
    const companion = await start('old', `Fleet=old\nEndpoints=${cluster.endpoints.join(' ')}\n${files}`);
    const { reachable, reason } = await companion.client.call(`${FLEET}.Status`);
    assert.equal(reachable, false);
    assert.match(String(reason), /certificate.* expired/i);
    await stop(companion);
  });

  it('answers nobody but root', async () => {
    const companion = await start('others', `Fleet=others\nStore=${directory}/registry\n`);
    await companion.client.call(`${FLEET}.Status`);
    // As if somebody had opened the way to the socket.
    chmodSync(directory, 0o755);
    chmodSync(`${directory}/others.socket`, 0o666);
    const script = `
      const socket = require('node:net').connect(process.argv[1]);
      socket.end('{"method":"${FLEET}.Status"}\\0');
      socket.on('data', data => process.stdout.write(data.toString().replace('\\0', '')));`;
    const asked = spawnSync(
      'setpriv',
      ['--reuid=65534', '--clear-groups', process.execPath, '-e', script, `${directory}/others.socket`],
      {
        encoding: 'utf8',
        timeout: 10_000,
      },
    );
    assert.match(asked.stdout, /"error":"io\.dynuser\.Fleet\.NotPermitted"/, asked.stderr);
    await stop(companion);
  });

  it('says what is wrong with its configuration', () => {
    const check = (text: string) => {
      writeFileSync(`${directory}/wrong.conf`, text);
      const { stdout, stderr } = spawnSync(
        process.execPath,
        [PROGRAM, `--config=${directory}/wrong.conf`, '--check-config'],
        {
          encoding: 'utf8',
          timeout: 10_000,
        },
      );
      return (stdout + stderr).replaceAll(`${directory}/`, '').trim();
    };
    assert.equal(check('Fleet=a\nStore=/shared\n'), 'wrong.conf: ok');
    assert.match(check('Store=/shared\n'), /^dynuser-fleetd: wrong\.conf: Fleet=: it must be the name/);
    assert.match(
      check('Fleet=a\nStor=/shared\n'),
      /^dynuser-fleetd: wrong\.conf:2: "Stor=\/shared" is not a setting; there are Fleet=/,
    );
  });
});
