/** Beside a real systemd: the two allocators never give out one UID, and each one's users are found by the other's programs. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Machine } from '../support/machine.ts';

const SOCKET = '/run/dynuser/io.dynuser.DynamicUser';
/** Two names that prefer one UID. */
const [FIRST, SECOND, THEIR_UID] = ['svc42', 'svc87', '63769'];

/** A transient unit with DynamicUser= that stays. @returns the UID it runs with */
async function startDynamicUnit(machine: Machine, name: string): Promise<string> {
  const properties = ['-p', 'DynamicUser=yes', '-p', 'Type=exec'];
  await machine.output(['systemd-run', '-q', `--unit=${name}`, ...properties, 'sleep', 'infinity']);
  const pid = await machine.output(['systemctl', 'show', '-P', 'MainPID', name]);
  return machine.output(['stat', '-c', '%u', `/proc/${pid}`]);
}

async function json(machine: Machine, argv: readonly string[]): Promise<Record<string, unknown>> {
  const value: unknown = JSON.parse(await machine.output(argv));
  assert.ok(typeof value === 'object' && value !== null);
  return Object.fromEntries(Object.entries(value));
}

describe('two allocators on one host, each blind to the other but for the lock files', () => {
  let machine: Machine;
  before(async () => {
    machine = await Machine.boot({ init: 'systemd', stage: true, nsswitch: { passwd: 'files', group: 'files' } });
    // A UID that was the other name's a moment ago is to be given out at once here.
    await machine.write('/etc/dynuser/dynuserd.conf', 'CoolDownSec=0\n');
    await machine.output(['systemctl', 'daemon-reload']);
    await machine.output(['systemctl', 'start', 'dynuserd.service']);
  });
  after(() => machine.stop());

  it('systemd gives a unit whose preferred UID we hold another one', async () => {
    assert.equal(await machine.output(['dynuserctl', 'acquire', `${FIRST}.service`]), THEIR_UID);
    const uid = await startDynamicUnit(machine, SECOND);
    assert.notEqual(uid, THEIR_UID);
    assert.ok(Number(uid) >= 61184 && Number(uid) <= 65519, uid);
    await machine.output(['systemctl', 'stop', SECOND]);
    await machine.output(['dynuserctl', 'release', FIRST]);
    assert.equal(await startDynamicUnit(machine, SECOND), THEIR_UID);
    await machine.output(['systemctl', 'stop', SECOND]);
  });

  it('we give a unit whose preferred UID systemd holds another one, and say who has it', async () => {
    assert.equal(await startDynamicUnit(machine, FIRST), THEIR_UID);
    const explained = await machine.output(['dynuserctl', 'explain', `${SECOND}.service`]);
    assert.match(explained, new RegExp(`^${THEIR_UID} +preferred +.*(?:systemd|lock)`, 'm'));
    assert.notEqual(await machine.output(['dynuserctl', 'acquire', `${SECOND}.service`]), THEIR_UID);
    await machine.output(['dynuserctl', 'release', SECOND]);
    await machine.output(['systemctl', 'stop', FIRST]);
    assert.equal(await machine.output(['dynuserctl', 'acquire', `${SECOND}.service`]), THEIR_UID);
    await machine.output(['dynuserctl', 'release', SECOND]);
  });

  it('of a user and a group that prefer one number, the group has it here, and the user with systemd', async () => {
    const names = ['-p', 'DynamicUser=yes', '-p', `User=${FIRST}`, '-p', `Group=${SECOND}`, 'sh', '-c', 'id -u; id -g'];
    const numbers = async (argv: readonly string[]) => (await machine.output([...argv, ...names])).split('\n');
    const [theirUser, theirGroup] = await numbers(['systemd-run', '--wait', '--pipe', '--quiet']);
    const [ourUser, ourGroup] = await numbers(['dynuser-run']);
    assert.deepEqual([theirUser, ourGroup], [THEIR_UID, THEIR_UID]);
    assert.notEqual(theirGroup, THEIR_UID);
    assert.notEqual(ourUser, THEIR_UID);
  });

  it('the name of a user that systemd has is refused all the same, with advice that helps', async () => {
    await startDynamicUnit(machine, 'two');
    const { status, stderr } = await machine.run(['dynuserctl', 'acquire', 'two.service']);
    assert.equal(status, 1);
    assert.match(stderr, /the user two is a dynamic user of systemd \(UID \d+\); .*stop its unit first/);
    assert.doesNotMatch(stderr, /make both/);
    await machine.output(['systemctl', 'stop', 'two']);
    assert.match(await machine.output(['dynuserctl', 'acquire', 'two.service']), /^\d+$/);
    await machine.output(['dynuserctl', 'release', 'two']);
  });

  it('a group that systemd has is refused as a shared one, since its GID ends with its units', async () => {
    const properties = ['-p', 'DynamicUser=yes', '-p', 'Group=theirs', '-p', 'Type=exec'];
    await machine.output(['systemd-run', '-q', '--unit=three', ...properties, 'sleep', 'infinity']);
    for (const argv of [
      ['dynuserctl', 'acquire', 'four.service', '--group=theirs'],
      ['dynuser-run', '-p', 'Group=theirs', 'true'],
    ]) {
      const { stderr } = await machine.run(argv);
      assert.match(stderr, /the group theirs is a dynamic group of systemd \(GID \d+\); .*stop its units first/);
    }
    await machine.output(['systemctl', 'stop', 'three']);
  });

  it('both leave no lock behind', async () => {
    assert.equal(
      await machine.output(['ls', '/run/systemd/dynamic-uid', '/run/dynuser/by-uid']),
      ['/run/dynuser/by-uid:', '', '/run/systemd/dynamic-uid:'].join('\n'),
    );
  });
});

describe("our users through systemd's programs, with nss-systemd alone", () => {
  const name = 'dynamic-user-test';
  let machine: Machine;
  before(async () => {
    const nsswitch = { passwd: 'files systemd', group: 'files systemd' };
    machine = await Machine.boot({ init: 'systemd', stage: true, nsswitch });
    await machine.output(['systemctl', 'daemon-reload']);
    await machine.output(['systemctl', 'start', 'dynuserd.service']);
    await machine.output(['dynuserctl', 'acquire', `${name}.service`]);
  });
  after(() => machine.stop());

  it('id and getent find them, by name and by number', async () => {
    assert.equal(await machine.output(['id', name]), `uid=64642(${name}) gid=64642(${name}) groups=64642(${name})`);
    const record = `${name}:x:64642:64642:Dynamic User:/:/usr/sbin/nologin`;
    assert.equal(await machine.output(['getent', 'passwd', '64642']), record);
    assert.ok((await machine.output(['getent', 'passwd'])).split('\n').includes(record));
    assert.equal(await machine.output(['getent', 'group', name]), `${name}:x:64642:`);
  });

  it('userdbctl shows them as dynamic users of our service', async () => {
    const record = await json(machine, ['userdbctl', '--output=json', 'user', name]);
    assert.deepEqual(
      ['userName', 'uid', 'gid', 'disposition', 'service', 'locked'].map(key => record[key]),
      [name, 64642, 64642, 'dynamic', 'io.dynuser.DynamicUser', true],
    );
    assert.match(await machine.output(['userdbctl', 'services', '--no-legend']), /^io\.dynuser\.DynamicUser +yes$/m);
    assert.match(await machine.output(['userdbctl', 'users-in-group', '--no-legend', name]), /^$/);
  });

  it('the groups that they share are seen, and are for units of systemd too', async () => {
    await machine.output(['dynuserctl', 'acquire', 'one.service', '--group=ours']);
    const [, , gid = ''] = (await machine.output(['getent', 'group', 'ours'])).split(':');
    assert.equal(await machine.output(['getent', 'group', 'ours']), `ours:x:${gid}:one`);
    assert.match(
      await machine.output(['id', 'one']),
      new RegExp(`^uid=(\\d+)\\(one\\) .* groups=\\1\\(one\\),${gid}\\(ours\\)$`),
    );
    assert.match(await machine.output(['userdbctl', 'users-in-group', '--no-legend', 'ours']), /^one +ours$/);
    const properties = ['-p', 'DynamicUser=yes', '-p', 'Group=ours'];
    assert.equal(await machine.output(['systemd-run', '-q', '--pipe', '--wait', ...properties, 'id', '-g']), gid);
    await machine.output(['dynuserctl', 'release', 'one']);
  });

  it('varlinkctl reads our interfaces and calls them', async () => {
    const interfaces = await machine.output(['varlinkctl', 'list-interfaces', SOCKET]);
    assert.deepEqual(interfaces.split('\n'), [
      'io.dynuser.Allocator',
      'io.systemd.Metrics',
      'io.systemd.UserDatabase',
      'org.varlink.service',
    ]);
    // Debian 13's varlinkctl does not know the type "any" of metrics.
    for (const shown of interfaces.split('\n').filter(each => each !== 'io.systemd.Metrics')) {
      const text = await machine.output(['varlinkctl', 'introspect', SOCKET, shown]);
      await machine.write('/tmp/interface.varlink', text);
      await machine.output(['varlinkctl', 'validate-idl', '/tmp/interface.varlink']);
    }
    const call = ['varlinkctl', '--json=short', 'call', SOCKET];
    const lease = { unit: 'varlink.service', lifetime: 'explicit' };
    const acquired = await json(machine, [...call, 'io.dynuser.Allocator.Acquire', JSON.stringify(lease)]);
    assert.deepEqual([acquired['userName'], acquired['dynamic']], ['varlink', true]);
    const listed = await machine.output([...call, '--more', 'io.dynuser.Allocator.List', '{}']);
    assert.deepEqual([...listed.matchAll(/"userName":"([^"]+)"/g)].map(match => match[1]).sort(), [name, 'varlink']);
    await machine.output([...call, 'io.dynuser.Allocator.Release', JSON.stringify({ lease: acquired['lease'] })]);
  });

  it('a name that is not there is not found, at once', async () => {
    assert.equal((await machine.run(['id', 'no-such-user'], { timeoutMs: 20_000 })).status, 1);
    assert.notEqual((await machine.run(['userdbctl', 'user', 'no-such-user'], { timeoutMs: 20_000 })).status, 0);
  });
});

describe("systemd's users through our own questions, with nss-systemd", () => {
  let machine: Machine;
  before(async () => {
    const nsswitch = { passwd: 'files dynuser systemd', group: 'files dynuser systemd' };
    machine = await Machine.boot({ init: 'systemd', stage: true, nsswitch });
    // Of a UID that was another name's a moment ago nothing more is asked.
    await machine.write('/etc/dynuser/dynuserd.conf', 'CoolDownSec=0\n');
    await machine.output(['systemctl', 'daemon-reload']);
    await machine.output(['systemctl', 'start', 'dynuserd.service']);
  });
  after(() => machine.stop());

  it('the name of a dynamic user that systemd has is refused while it lives', async () => {
    const uid = await startDynamicUnit(machine, FIRST);
    const { status, stderr } = await machine.run(['dynuserctl', 'acquire', `${FIRST}.service`]);
    assert.equal(status, 1);
    assert.match(stderr, new RegExp(`the user ${FIRST} is a dynamic user of systemd \\(UID ${uid}\\)`));
    await machine.output(['systemctl', 'stop', FIRST]);
    assert.equal(await machine.output(['dynuserctl', 'acquire', `${FIRST}.service`]), uid);
    await machine.output(['dynuserctl', 'release', FIRST]);
  });

  it('users in files of the user database are found by name, and their numbers not given out', async () => {
    await machine.write(
      '/etc/userdb/dropped.user',
      JSON.stringify({ userName: 'dropped', uid: Number(THEIR_UID), gid: 64_411 }),
    );
    await machine.write('/etc/userdb/dropped.group', '{"groupName":"dropped","gid":64411}');
    const links = `cd /etc/userdb && ln -s dropped.user ${THEIR_UID}.user && ln -s dropped.group 64411.group`;
    await machine.sh(links);
    assert.match(await machine.output(['dynuserctl', 'explain', 'dropped.service']), new RegExp(`${THEIR_UID}`));
    const explained = await machine.output(['dynuserctl', 'explain', `${SECOND}.service`]);
    assert.match(explained, new RegExp(`^${THEIR_UID} +preferred +.*the user dropped has this number`, 'm'));
    assert.notEqual(await machine.output(['dynuserctl', 'acquire', `${SECOND}.service`]), THEIR_UID);
    await machine.output(['dynuserctl', 'release', SECOND]);
  });
});
