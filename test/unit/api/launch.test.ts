/** Launch, over the use cases on their fakes: who may, what is acquired, what is given back, and in whose words it is refused. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DirectoryUser } from '../../../src/allocator/directory-ports.ts';
import type { Standing } from '../../../src/core/access.ts';
import { DynuserError } from '../../../src/core/errors.ts';
import type { JsonObject } from '../../../src/varlink/json.ts';
import { directory, gid, uid } from '../allocator/fakes.ts';
import { type Asked, FakeConnection, user, worldOf } from './world.ts';

type World = ReturnType<typeof worldOf>;

function launch(world: World, properties: readonly string[], more: JsonObject = {}, asked: Asked = {}) {
  return world.ask('Launch', { mayMount: true, properties: [...properties], ...more }, asked);
}

const planOf = ({ replies }: Awaited<ReturnType<typeof launch>>): JsonObject => replies[0]?.['plan'] as JsonObject;

describe('a launch', () => {
  it('is for root alone', async () => {
    const world = worldOf({ allowUsers: ['1000', '0'] });
    const refused = await launch(world, [], {}, { peer: user(1000) });
    assert.deepEqual([refused.error, refused.field], ['NotPermitted', 'caller']);
    assert.match(String(refused.reason), /only root may launch .*, and the user 1000 asks$/);
    const elsewhere: Standing = { kind: 'foreign', reason: 'is elsewhere' };
    const foreign = { standing: () => elsewhere };
    assert.equal((await launch(world, [], {}, { peer: foreign })).error, undefined);
    const unlisted = await launch(worldOf(), [], {}, { peer: foreign });
    assert.deepEqual([unlisted.error, unlisted.field], ['NotPermitted', 'unit']);
    world.built.directories.requested = () => [directory('state', 'web')];
    const directories = await launch(world, ['StateDirectory=web'], {}, { peer: foreign });
    assert.deepEqual([directories.error, directories.field], ['NotPermitted', 'StateDirectory']);
  });

  it('has a user for as long as the process that asked, of a unit that is named or made up', async () => {
    const world = worldOf();
    const { replies } = await launch(world, []);
    const plan = planOf({ replies });
    const held = [...world.users.live()][0];
    assert.ok(held);
    assert.deepEqual([held.name, held.leases[0]?.unit], ['run-rfresh', 'run-rfresh.service']);
    assert.deepEqual([plan['uid'], plan['gid'], plan['groups']], [held.uid, held.uid, [held.uid]]);
    assert.deepEqual([replies[0]?.['lease'], replies[0]?.['warnings']], [held.leases[0]?.id, []]);
    assert.deepEqual([held.leases[0]?.lifetime, world.processes.open], ['process', 1]);
    await launch(world, [], { unit: 'web.service' });
    assert.deepEqual(
      [...world.users.live()].map(({ name }) => name),
      ['run-rfresh', 'web'],
    );
  });

  it('has the group that is made for it, and directories of that group', async () => {
    const world = worldOf();
    const users: DirectoryUser[] = [];
    const { prepare } = world.built.directories;
    world.built.directories.requested = (...asked: unknown[]) => {
      const [values] = asked as [Readonly<Record<string, readonly string[]>>];
      return (values['state'] ?? []).map(source => directory('state', source));
    };
    world.built.directories.prepare = (directories, given, options) => {
      users.push(given);
      return prepare.call(world.built.directories, directories, given, options);
    };
    const plan = planOf(await launch(world, ['Group=made', 'StateDirectory=web'], { unit: 'web' }));
    const [group, own] = ['made', 'web'].map(name => [...world.users.live()].find(each => each.name === name));
    assert.ok(group && own);
    assert.deepEqual([plan['uid'], plan['gid']], [own.uid, group.gid]);
    assert.equal(users.at(-1)?.gid, group.gid);
  });

  it('gives back what it acquired if it is refused later', async () => {
    const world = worldOf();
    const refused = await launch(world, ['Group=made', 'SupplementaryGroups=none']);
    assert.deepEqual([refused.error, refused.field], ['LaunchFailed', 'SupplementaryGroups']);
    assert.equal(world.users.leaseCount, 0);
    assert.equal(world.processes.open, 0);
  });

  it('makes nothing for who has gone', async () => {
    const closed = new FakeConnection();
    closed.close();
    const early = await launch(worldOf(), [], {}, { connection: closed });
    assert.deepEqual([early.error, early.reason], ['LimitReached', 'the caller has gone before it was answered']);
    // While the host is asked for the group.
    const world = worldOf();
    const connection = new FakeConnection();
    const { account } = world.probe;
    world.probe.account = name => {
      connection.close();
      return account.call(world.probe, name);
    };
    assert.equal((await launch(world, ['Group=made'], {}, { connection })).error, 'LimitReached');
    assert.equal(world.users.leaseCount, 0);
  });

  it('is told what did not take effect, where nothing can be mounted', async () => {
    const { replies } = await launch(worldOf(), [], { mayMount: false, isolation: 'bestEffort' });
    const warnings = replies[0]?.['warnings'];
    assert.ok(Array.isArray(warnings) && warnings.length > 0);
    assert.ok(warnings.every(warning => / not applied \(cannot mount\): /.test(String(warning))));
  });
});

describe('what a launcher is asked', () => {
  it('is what is in its image, unless a launch of this host has told that by its stamp', async () => {
    const world = worldOf();
    const path = '/i/stamped.raw';
    const image = { kind: 'image', path, found: true, stamp: 'of this test' };
    const start = (answers: JsonObject[], more: Asked = {}) =>
      launch(world, [`RootImage=${path}`, 'PrivateTmp=no'], { answers, passwdOverlay: false }, { more: true, ...more });
    const asked = async (answers: JsonObject[], more: Asked = {}) =>
      (await start(answers, more)).replies[0]?.['questions'] as JsonObject[];
    assert.deepEqual(await asked([]), [{ kind: 'image', path }]);
    const inside = await asked([{ ...image, names: ['0 - 0 0 4096 squashfs'] }]);
    assert.ok(inside.length > 0 && inside.every(question => question['inside'] !== undefined));
    const answers = inside.map(({ kind, path: each }) => ({
      kind,
      path: each,
      inside: `${path}:0`,
      found: false,
    })) as JsonObject[];
    // Its user is searched while it mounts.
    const learnt = await start([{ ...image, names: ['0 - 0 0 4096 squashfs'] }, ...answers]);
    assert.deepEqual(
      learnt.replies.map(reply => Object.keys(reply)[0]),
      ['image', 'plan'],
    );
    assert.deepEqual(
      (await start([image])).replies.map(reply => Object.keys(reply)[0]),
      ['image', 'plan'],
    );
    const standing: Standing = { kind: 'unknown', reason: 'the kernel does not say' };
    const peer = { sharesRoot: () => false, standing: () => standing };
    assert.deepEqual(await asked([image], { peer }), [{ kind: 'image', path, look: true }]);
    assert.deepEqual(await asked([{ ...image, stamp: 'another' }]), [{ kind: 'image', path, look: true }]);
  });

  it('are the files of its properties', async () => {
    const world = worldOf();
    const { replies } = await launch(world, ['EnvironmentFile=/etc/web.env']);
    assert.deepEqual(replies, [{ questions: [{ kind: 'file', path: '/etc/web.env' }] }]);
    assert.equal(world.users.leaseCount, 0);
    const answers = [{ kind: 'file', path: '/etc/web.env', found: true, text: 'A=b\n' }];
    const plan = planOf(await launch(world, ['EnvironmentFile=/etc/web.env'], { answers }));
    assert.ok((plan['environment'] as string[]).includes('A=b'));
  });

  it('are the accounts of its root directory, if that is another', async () => {
    const world = worldOf();
    const standing: Standing = { kind: 'unknown', reason: 'the kernel does not say' };
    const peer = { sharesRoot: () => false, standing: () => standing };
    const properties = ['SupplementaryGroups=inside'];
    const { replies } = await launch(world, properties, {}, { peer });
    const files = ['/etc/passwd', '/etc/group'].map(path => ({ kind: 'file', path }));
    assert.deepEqual(replies, [{ questions: files }]);
    const answers = files.map(({ kind, path }) => ({ kind, path, found: true, text: 'inside:x:900:\n' }));
    const plan = planOf(await launch(world, properties, { answers }, { peer }));
    assert.ok((plan['groups'] as number[]).includes(900));
    assert.equal((await launch(world, properties)).field, 'SupplementaryGroups', 'this host has no such group');
  });
});

describe('an explanation of a launch', () => {
  it('says what would be had, and makes nothing', async () => {
    const world = worldOf();
    const { replies } = await launch(world, ['Group=made'], { unit: 'web', explain: true });
    const [{ explanation, plan, warnings } = {}] = replies;
    assert.ok(Array.isArray(explanation));
    assert.match(explanation.join('\n'), /^User:\n {2}web, UID \d+, GID \d+: dynamic$/m);
    assert.deepEqual([plan, warnings, world.users.leaseCount], [undefined, [], 0]);
    assert.equal((await launch(world, [], { explain: false })).replies[0]?.['explanation'], undefined);
  });

  it('is refused with what the launch would be refused with', async () => {
    const world = worldOf({}, '61184-61184');
    world.probe.against.set(61184, { kind: 'user', name: 'bob' });
    for (const explain of [true, false]) {
      const refused = await launch(world, [], { explain });
      assert.equal(refused.error, 'RangeExhausted');
    }
    assert.equal(world.users.leaseCount, 0);
  });
});

describe('an explanation of a launch, as the launch would have it', () => {
  const words = async (world: World, properties: readonly string[]): Promise<string> => {
    const { replies, error, reason } = await launch(world, properties, { unit: 'web', explain: true });
    assert.equal(error, undefined, String(reason));
    const explanation = replies[0]?.['explanation'];
    return Array.isArray(explanation) ? explanation.join('\n') : assert.fail();
  };

  it('has the groups: that of its process, that of the host, and one that would be made', async () => {
    const world = worldOf();
    Object.assign(world.deps.accounts, { group: async (name: string) => (name === 'games' ? gid(60) : undefined) });
    world.probe.accounts.set('games', { group: { name: 'games', gid: gid(60) } as never });
    const made = /GID (\d+): dynamic/.exec(await words(world, ['Group=made']))?.[1];
    const own = /UID (\d+), GID (\d+): dynamic/.exec(await words(world, []));
    assert.ok(made !== undefined && own !== null && own[1] === own[2] && made !== own[1]);
    assert.match(await words(world, ['SupplementaryGroups=games']), /^ {2}supplementary groups: games$/m);
    assert.match(await words(world, ['Group=games']), /, GID 60: dynamic$/m);
    assert.equal(world.users.leaseCount, 0);
  });

  it('has the directories and their variables, and says which are nobody’s on disk', async () => {
    const world = worldOf();
    const { directories } = world.built;
    directories.requested = () => [directory('state', 'web')];
    directories.environment = () => ({ STATE_DIRECTORY: '/var/lib/web' });
    const paths = { publicPath: '/var/lib/web', realPath: '/var/lib/private/web' };
    const handedOver = async (handover: string): Promise<string> => {
      const expected = { ...directory('state', 'web'), ...paths, handover, leftPaths: [], mountPaths: [] };
      directories.explain = async () => [expected as never];
      return words(world, ['StateDirectory=web']);
    };
    const mapped = await handedOver('map');
    assert.match(mapped, /^ {2}StateDirectory=web$/m);
    assert.match(mapped, /^ {2}\/var\/lib\/private\/web: shown as the user's by an id-mapped mount, 65534's on disk$/m);
    assert.match(mapped, /STATE_DIRECTORY=\/var\/lib\/web/);
    assert.doesNotMatch(await handedOver('chown'), /id-mapped/);
  });

  it('is refused with a directory as the launch would be', async () => {
    const world = worldOf();
    world.built.directories.requested = () => [directory('state', 'web')];
    world.built.directories.refusal = new DynuserError('DirectoryFailed', 'no', { field: 'stateDirectory' });
    const refused = await launch(world, ['StateDirectory=web'], { explain: true });
    assert.deepEqual([refused.error, refused.field, refused.reason], ['DirectoryFailed', 'StateDirectory', 'no']);
  });

  it('has warnings, too', async () => {
    const { replies } = await launch(worldOf(), [], { explain: true, mayMount: false, isolation: 'bestEffort' });
    const warnings = replies[0]?.['warnings'];
    assert.ok(Array.isArray(warnings) && warnings.length > 0);
  });
});

describe('a phase of a service', () => {
  const COMMANDS = { ExecReload: 'reload', ExecStop: 'stop', ExecStartPost: 'started' };

  /** The phase of web.service, which has some of the commands; all questions about files of the host are answered. */
  async function phase(world: World, name: string, properties: readonly string[], more: JsonObject = {}) {
    const text = ['[Service]', 'DynamicUser=yes', 'ExecStart=/bin/server', ...properties].join('\n');
    const answers: JsonObject[] = [{ kind: 'file', path: '/web.service', found: true, text }];
    for (;;) {
      const unit = { unit: 'web.service', unitFile: '/web.service', mayMount: true, phase: name };
      const answer = await world.ask('Launch', { ...unit, answers, ...more });
      const questions = answer.replies[0]?.['questions'];
      if (!Array.isArray(questions)) {
        return answer;
      }
      answers.push(...(questions as JsonObject[]).map(question => ({ ...question, found: false })));
    }
  }
  const all = Object.entries(COMMANDS).map(([property, program]) => `${property}=/bin/${program}`);

  it('is for one that runs', async () => {
    const world = worldOf();
    for (const [name, property] of [
      ['reload', 'ExecReload'],
      ['startPost', 'ExecStartPost'],
    ] as const) {
      const refused = await phase(world, name, all);
      assert.deepEqual(
        [refused.error, refused.field, refused.reason],
        ['LaunchFailed', 'phase', `web.service is not running, and ${property}= is for a service that is; start it`],
      );
      assert.equal((await phase(world, name, all, { explain: true })).error, undefined);
    }
    const stopped = await phase(world, 'stop', all);
    assert.deepEqual(stopped.replies, [
      { skipped: 'web.service is not running: there is nothing to stop', warnings: [] },
    ]);
    assert.ok(Array.isArray((await phase(world, 'stop', all, { explain: true })).replies[0]?.['explanation']));
    assert.equal(world.users.leaseCount, 0);
  });

  it('is told the process of the service, and has a lease of the same user', async () => {
    const world = worldOf();
    await launch(world, [], { unit: 'web.service' });
    const [user] = [...world.users.live()];
    for (const [name, program] of [
      ['reload', 'reload'],
      ['stop', 'stop'],
      ['startPost', 'started'],
    ] as const) {
      const plan = planOf(await phase(world, name, all));
      assert.equal(plan['uid'], user?.uid);
      assert.ok((plan['environment'] as string[]).includes('MAINPID=7'), name);
      assert.match(JSON.stringify(plan), new RegExp(`/bin/${program}`));
      const { replies } = await phase(world, name, all, { explain: true });
      assert.match(JSON.stringify(replies[0]?.['explanation']), /MAINPID=7/);
    }
    assert.equal([...world.users.live()].length, 1);
    const other = await phase(world, 'reload', all, { mainPid: 8 });
    assert.deepEqual([other.error, other.field], ['LaunchFailed', 'mainPid']);
  });

  it('without commands has nothing to do, if it is one that may have none', async () => {
    const world = worldOf();
    await launch(world, [], { unit: 'web.service' });
    const leases = world.users.leaseCount;
    for (const [name, property] of [
      ['startPost', 'ExecStartPost'],
      ['stopPost', 'ExecStopPost'],
    ] as const) {
      const { replies } = await phase(world, name, []);
      assert.deepEqual(replies, [
        { skipped: `web.service has no ${property}=: there is nothing to run`, warnings: [] },
      ]);
      assert.ok(Array.isArray((await phase(world, name, [], { explain: true })).replies[0]?.['explanation']));
    }
    assert.equal(world.users.leaseCount, leases);
  });
});

describe('an error of the allocator', () => {
  const failing = (world: World, field: string) => {
    world.built.directories.requested = () => {
      throw new DynuserError('DirectoryFailed', 'no', { field });
    };
  };

  for (const [field, properties, expected] of [
    ['stateDirectory', ['StateDirectory=web'], 'StateDirectory'],
    ['runtimeDirectoryMode', ['RuntimeDirectory=web'], 'RuntimeDirectoryMode'],
    ['cacheDirectory', [], 'CacheDirectory'],
    ['logsDirectory', [], 'LogsDirectory'],
    ['userName', ['User=wuff'], 'User'],
    ['userName', [], 'unit'],
    ['unit', [], 'unit'],
    ['lease', [], 'lease'],
    ['exposeDirectories', [], 'exposeDirectories'],
  ] as const) {
    it(`about ${field} is about ${expected} if the launch has ${properties.join() || 'no property'}`, async () => {
      const world = worldOf();
      failing(world, field);
      const refused = await launch(world, properties);
      assert.deepEqual([refused.error, refused.field, refused.reason], ['DirectoryFailed', expected, 'no']);
    });
  }

  it('that is a fault of the daemon stays one', async () => {
    const world = worldOf();
    world.built.directories.requested = () => {
      throw new TypeError('a fault');
    };
    await assert.rejects(launch(world, []), /TypeError: a fault/);
  });

  it('about the name of an account says so', async () => {
    const world = worldOf();
    world.probe.accounts.set('web', { group: { name: 'web', gid: gid(7) } as never });
    const refused = await launch(world, [], { unit: 'web' });
    assert.deepEqual([refused.error, refused.field], ['NameConflict', 'unit']);
    world.probe.accounts.set('wuff', { user: { name: 'wuff', uid: uid(1000), gid: gid(1000) } as never });
    assert.equal((await launch(world, ['DynamicUser=no', 'User=1000'])).field, 'User');
  });
});
