/**
 * dynuserctl fleet between a companion and a daemon whose answers the test decides: what each action asks of them, what it prints, and with which
 * status it ends. What real ones answer is in system/fleet/.
 */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { after, before, beforeEach, describe, it } from 'node:test';
import { ALLOCATOR_INTERFACE, type FleetStatusReply } from '../../../src/api/generated/io-dynuser-allocator.ts';
import { type Change, FLEET_INTERFACE, type Host } from '../../../src/api/generated/io-dynuser-fleet.ts';
import { VarlinkError } from '../../../src/varlink/errors.ts';
import type { JsonObject } from '../../../src/varlink/json.ts';
import { type Call, VarlinkServer } from '../../../src/varlink/server.ts';
import { Machine } from '../../support/machine.ts';

const ONE: Host = {
  host: '0123456789abcdef',
  hostName: 'one',
  alive: true,
  fenced: false,
  incarnation: 'a',
  holds: 2,
  version: '1.2.3',
};
const TWO: Host = {
  host: 'fedcba9876543210',
  hostName: 'two',
  alive: false,
  fenced: false,
  incarnation: 'b',
  holds: 1,
};
const BOUND: Change[] = [
  { name: 'web', uid: 65_536, state: 'bound' },
  { name: 'mail', uid: 65_537, state: 'bound' },
  { name: 'old', uid: 65_538, state: 'cooling' },
];
const STATUS = {
  fleet: 'main',
  store: 'etcd',
  location: 'https://etcd:2379',
  reachable: true,
  ranges: '65536-79999',
  restoring: false,
};
const MEMBER: FleetStatusReply = {
  ...{ mode: 'preferred', state: 'member', fleet: 'main', host: ONE.host, hostName: 'one', ranges: '65536-79999' },
  holds: [{ name: 'web', uid: 65_536, live: true }],
};

let machine: Machine;
const servers: VarlinkServer<null>[] = [];
let asked: string[] = [];
/** What is answered, by the method: one reply, several, or an error. */
let answers: Record<string, JsonObject | JsonObject[] | VarlinkError | ((parameters: JsonObject) => JsonObject)> = {};

function answer(call: Call<null>): JsonObject {
  const method = call.method.replace(/^.*\./, '');
  const parameters = Object.keys(call.parameters).length === 0 ? '' : ` ${JSON.stringify(call.parameters)}`;
  asked.push(`${method}${parameters}`);
  const found = answers[method] ?? {};
  const given = typeof found === 'function' ? found(call.parameters) : found;
  if (given instanceof VarlinkError) {
    throw given;
  }
  if (!Array.isArray(given)) {
    return given;
  }
  for (const reply of given.slice(0, -1)) {
    call.send(reply);
  }
  return given.at(-1) ?? {};
}

/** Listens in the machine, and answers as the test says. */
async function serve(path: string, description: string, methods: readonly string[]): Promise<void> {
  const server = new VarlinkServer<null>({
    info: { vendor: 'dynuser', product: 'a test', version: '9.9.9', url: 'https://example.org' },
    identify: () => null,
    quotaKey: () => 0,
    privileged: () => true,
    onFailure: () => {},
    interfaces: [{ description, methods: Object.fromEntries(methods.map(name => [name, answer])) }],
  });
  mkdirSync(machine.path(path.replace(/\/[^/]*$/, '')), { recursive: true });
  await server.listen({ path: machine.path(path) });
  servers.push(server);
}

before(async () => {
  machine = await Machine.boot({ init: 'plain', stage: true });
  const methods = [
    'Status',
    'Create',
    'HoldsOf',
    'Bindings',
    'Hosts',
    'Name',
    'Collect',
    'ForgetHost',
    'Resume',
    'FreeDirectory',
  ];
  await serve('/run/dynuser-fleetd/io.dynuser.Fleet', FLEET_INTERFACE, methods);
  await serve('/run/dynuser/io.dynuser.DynamicUser', ALLOCATOR_INTERFACE, ['FleetStatus', 'FleetForget', 'FleetLeave']);
});
after(async () => {
  await Promise.all(servers.map(server => server.close()));
  await machine?.stop();
});
beforeEach(() => {
  asked = [];
  answers = {
    Status: STATUS,
    Hosts: [{ host: TWO }, { hosts: [ONE] }] as unknown as JsonObject[],
    Bindings: [
      { position: { cluster: 'c', revision: 1 }, reset: true, complete: false, changes: BOUND.slice(0, 1) },
      { position: { cluster: 'c', revision: 1 }, reset: false, complete: true, changes: BOUND.slice(1) },
    ] as unknown as JsonObject[],
    HoldsOf: ({ host }) => ({
      holds:
        host === ONE.host ? BOUND.slice(0, 2).map(({ name, uid }) => ({ name, uid })) : [{ name: 'web', uid: 65_536 }],
    }),
    FleetStatus: MEMBER as unknown as JsonObject,
  };
});

const fleet = (...argv: readonly string[]) => machine.run(['dynuserctl', 'fleet', ...argv]);
async function done(...argv: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await fleet(...argv);
  assert.deepEqual([status, stderr], [0, ''], argv.join(' '));
  return stdout;
}
async function refused(expected: number, ...argv: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await fleet(...argv);
  assert.deepEqual([status, stdout], [expected, ''], argv.join(' '));
  return stderr.replace(/^dynuserctl: /, '').trimEnd();
}
const json = async (...argv: readonly string[]) => JSON.parse(await done(...argv, '--json=short'));

describe('dynuserctl fleet', () => {
  it('creates a fleet with the UIDs that are given, or configured', async () => {
    assert.equal(await done('create', '--range=70000-79999'), 'Created the fleet main with the UIDs 70000-79999.\n');
    assert.deepEqual(asked, ['Create {"ranges":"70000-79999"}', 'Status']);
    asked = [];
    await done('create');
    assert.match(asked[0] ?? '', /^Create \{"ranges":"65536-79999 90000-99999"\}$/);
    assert.match(await refused(2, 'create', '--range=9-1'), /^--range=: ./);
    answers['Create'] = new VarlinkError('io.dynuser.Fleet.FleetExists', { ranges: '70000-79999' });
    assert.equal(
      await refused(1, 'create'),
      'the fleet is there already, with the UIDs 70000-79999; set FleetUidRange= to these on every host',
    );
  });

  it('joins when the host is a member, and says why it will not be one', async () => {
    const states = ['waiting', 'member'];
    answers['FleetStatus'] = () => ({ ...MEMBER, state: states.shift() ?? 'member' }) as unknown as JsonObject;
    assert.equal(await done('join'), 'one is a member of the fleet main.\n');
    assert.deepEqual(asked, ['FleetStatus', 'FleetStatus']);
    answers['FleetStatus'] = { mode: 'preferred', state: 'member', holds: [] };
    assert.equal(await done('join'), 'This host is a member of the fleet .\n');
    answers['FleetStatus'] = { mode: 'off', state: 'off', holds: [] };
    assert.equal(await refused(1, 'join'), 'this host has no fleet; set Fleet= in dynuserd.conf, see dynuserd.conf(5)');
  });

  it('leaves, forgets, resumes and frees what it is told to, and says so', async () => {
    assert.equal(
      await done('leave'),
      'This host has left the fleet. Set Fleet=off in dynuserd.conf, or it joins again.\n',
    );
    assert.equal(await done('forget', 'web'), 'This host has forgotten web; the next use of it here asks the store.\n');
    assert.equal(await done('resume'), 'Names are given to further hosts again.\n');
    assert.equal(await done('free-directory', 'nas', '/srv/web'), '/srv/web of nas belongs to no name any more.\n');
    assert.deepEqual(asked, [
      'FleetLeave',
      'FleetForget {"name":"web"}',
      'Resume',
      'FreeDirectory {"storage":"nas","path":"/srv/web"}',
    ]);
    answers['Resume'] = new VarlinkError('io.dynuser.Fleet.NotRestored', { hosts: ['a', 'b'], conflicts: ['a/web'] });
    assert.equal(
      await refused(1, 'resume'),
      "not all hosts have put their bindings again: a, b ('dynuserctl fleet hosts' shows their names); start dynuserd and dynuser-fleetd there, or give up a host that does not come back ('dynuserctl fleet forget-host'). " +
        "Also, the store and hosts differ about names: a/web; free those that no host holds ('dynuserctl fleet gc'), and restart dynuserd there",
    );
    answers['Resume'] = new VarlinkError('io.dynuser.Fleet.NotRestored', { hosts: [], conflicts: ['a/web'] });
    assert.match(await refused(1, 'resume'), /^the store and hosts differ about names: a\/web; /);
  });

  it('shows the hosts by their names, and after a restore whether they have put their bindings again', async () => {
    const rows = async () => (await done('hosts')).split('\n').map(line => line.replace(/ +/g, ' ').trim());
    assert.deepEqual(await rows(), [
      'NAME HOST STATE NAMES VERSION',
      `one ${ONE.host} alive 2 1.2.3`,
      `two ${TWO.host} away 1 -`,
      '',
      '2 hosts.',
      '',
    ]);
    answers['Status'] = { ...STATUS, restoring: true };
    answers['Hosts'] = [
      { host: { ...ONE, restored: true } },
      { host: TWO },
      { host: { ...TWO, hostName: 'aaa', fenced: true } },
      {},
    ] as unknown as JsonObject[];
    assert.deepEqual((await rows()).slice(1, 4), [
      `aaa ${TWO.host} given up 1 -`,
      `one ${ONE.host} alive, restored 2 1.2.3`,
      `two ${TWO.host} away, not restored 1 -`,
    ]);
    answers['Hosts'] = {};
    assert.deepEqual(await json('hosts'), []);
  });

  it('shows the names, or those that match by name or UID', async () => {
    const all = [
      { name: 'mail', uid: 65_537, state: 'bound', hosts: ['one'] },
      { name: 'old', uid: 65_538, state: 'cooling', hosts: [] },
      { name: 'web', uid: 65_536, state: 'bound', hosts: ['one', 'two'] },
    ];
    assert.deepEqual(await json('names'), all);
    assert.deepEqual(await json('names', 'w*'), all.slice(2));
    assert.deepEqual(await json('names', '65538', 'mail'), all.slice(0, 2));
    assert.ok(asked.includes('Bindings {"once":true}') && asked.includes(`HoldsOf {"host":"${TWO.host}"}`));
  });

  it('explains a name by the store, by this host, and by its accounts', async () => {
    const reply = {
      state: 'bound',
      uid: 65_536,
      hosts: [ONE.host, 'ffffffffffffffff'],
      directories: [{ storage: 'nas', path: '/web' }],
    };
    answers['Name'] = reply;
    assert.deepEqual(await json('explain', 'web'), {
      name: 'web',
      ...reply,
      hosts: ['one', 'ffffffffffffffff'],
      here: 'held',
      live: true,
    });
    assert.ok(asked.includes('Name {"name":"web"}'));
    answers['Name'] = { state: 'free', hosts: [], directories: [] };
    assert.deepEqual(await json('explain', 'root'), {
      ...{ name: 'root', state: 'free', hosts: [], directories: [], here: 'not held', live: false, account: 0 },
    });
    answers['FleetStatus'] = {
      ...MEMBER,
      holds: [{ name: 'web', uid: 1, live: false, conflict: 'it is otherwise' }],
    } as unknown as JsonObject;
    const { here, live, conflict } = await json('explain', 'web');
    assert.deepEqual([here, live, conflict], ['held', false, 'it is otherwise']);
    assert.match(await done('explain', 'web'), /^ +Name: web\n[\s\S]*Conflict: it is otherwise\n/);
  });

  it('gives up a host that is powered off, and no other', async () => {
    assert.equal(
      await refused(2, 'forget-host', 'two'),
      "fleet forget-host: nobody but you knows that two is powered off; if it runs, its users' UIDs may become those of others while its processes still write. Power it off, and give --powered-off",
    );
    assert.equal(
      await refused(1, 'forget-host', 'one', '--powered-off'),
      'one was heard of within the last minute: power it off, wait a minute, and try again',
    );
    assert.equal(
      await refused(1, 'forget-host', 'three', '--powered-off'),
      "the fleet has no host three; 'dynuserctl fleet hosts' shows all",
    );
    assert.deepEqual(new Set(asked), new Set(['Hosts']), 'nothing was changed');
    answers['ForgetHost'] = { names: ['web'] };
    assert.equal(
      await done('forget-host', 'two', '--powered-off'),
      "two is given up, and holds none of its 1 name any more. 'dynuserctl fleet gc' frees those that no host holds.\n",
    );
    await done('forget-host', TWO.host, '--powered-off');
    assert.equal(asked.filter(call => call === `ForgetHost {"host":"${TWO.host}"}`).length, 2);
    answers['Hosts'] = { hosts: [TWO, { ...TWO, host: 'f'.repeat(16) }] } as unknown as JsonObject;
    assert.equal(
      await refused(1, 'forget-host', 'two', '--powered-off'),
      `two is the name of several hosts: ${TWO.host}, ${'f'.repeat(16)}; say which by its id`,
    );
  });

  it('frees names that no host holds', async () => {
    answers['Collect'] = [{ name: 'a', uid: 65_600 }, { name: 'b', uid: 65_601 }, {}];
    assert.equal(await done('gc'), '65600 of a cools down.\n65601 of b cools down.\nFreed 2 names.\n');
    assert.equal(await done('gc', '--no-legend'), '65600 of a cools down.\n65601 of b cools down.\n');
    assert.deepEqual(await json('gc', 'a'), [
      { name: 'a', uid: 65_600 },
      { name: 'b', uid: 65_601 },
    ]);
    assert.deepEqual(asked, ['Collect', 'Collect', 'Collect {"name":"a"}']);
    answers['Collect'] = [{ uid: 65_600 }, { name: 'b' }, {}];
    assert.equal(await done('gc'), 'Freed 0 names.\n');
  });

  it('checks the fleet as the store and this host have it', async () => {
    assert.deepEqual(await json('check'), { status: STATUS, member: true, hosts: 2, names: 2, faults: [] });
    const failing = async (): Promise<[number, Record<string, unknown>]> => {
      const { status, stdout } = await fleet('check', '--json=short');
      return [status, JSON.parse(stdout)];
    };
    answers['FleetStatus'] = {
      ...MEMBER,
      holds: [{ name: 'web', uid: 1, live: false, conflict: 'it is otherwise' }],
    } as unknown as JsonObject;
    answers['HoldsOf'] = ({ host }) => ({ holds: host === TWO.host ? [{ name: 'web', uid: 1 }] : [] });
    const [status, { member, faults }] = await failing();
    assert.deepEqual(
      [status, member, faults],
      [1, true, ['two holds web with the UID 1, which has the UID 65536', 'it is otherwise']],
    );
    answers['FleetStatus'] = { mode: 'preferred', state: 'fenced', reason: 'it was given up', holds: [] };
    answers['HoldsOf'] = { holds: [] };
    const [outside, checked] = await failing();
    assert.deepEqual(
      [outside, checked['member'], checked['reason'], checked['faults']],
      [1, false, 'it was given up', []],
    );
  });

  it('examines the fleet alone', async () => {
    answers['FleetStatus'] = { ...MEMBER, state: 'fenced', reason: 'it was given up' } as unknown as JsonObject;
    const { status, stdout } = await fleet('doctor');
    assert.match(stdout, /it was given up/);
    assert.equal(status, 1);
  });

  it('says what is wrong between it and the companion', async () => {
    answers['Hosts'] = new VarlinkError('io.dynuser.Fleet.StoreUnavailable', { reason: 'no answer' });
    assert.equal(await refused(1, 'hosts'), 'the store of the fleet does not answer: no answer');
    await machine.sh('mv /run/dynuser-fleetd /run/away');
    assert.equal(
      await refused(1, 'hosts'),
      "dynuser-fleetd cannot be reached at /run/dynuser-fleetd/io.dynuser.Fleet: it does not run; start it with 'systemctl start dynuser-fleetd', or as docs/fleet.md says",
    );
    await machine.sh('mv /run/away /run/dynuser-fleetd');
  });
});
