/** Lists of all users name each dynamic user once, whatever sources there are beside ours, and in whatever order. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Machine } from '../support/machine.ts';

const USERS = ['one', 'two'];
/** How long workers of systemd-userdbd may take to be replaced, in milliseconds. */
const WORKERS_MS = 20_000;
const DATABASES = ['passwd', 'group', 'shadow', 'gshadow'];

describe('getent and userdbctl', () => {
  let machine: Machine;
  let original = '';
  before(async () => {
    machine = await Machine.boot({ init: 'systemd', stage: true });
    original = await machine.output(['cat', '/etc/nsswitch.conf']);
    await machine.output(['systemctl', 'daemon-reload']);
    await machine.output(['systemctl', 'start', 'dynuserd.socket', 'dynuserd', 'systemd-userdbd.socket']);
    for (const user of USERS) {
      await machine.output(['dynuserctl', 'acquire', `${user}.service`]);
    }
  });
  after(() => machine.stop());

  const configure = async (sources: string, colon = ':'): Promise<void> => {
    const kept = original.split('\n').filter(line => !/^(?:passwd|group|shadow|gshadow):/.test(line));
    const lines = DATABASES.map(database => `${database}${colon} ${sources}`);
    await machine.write('/etc/nsswitch.conf', `${[...kept, ...lines].join('\n')}\n`);
    // Its workers keep the configuration that they began with.
    await machine.output(['systemctl', 'stop', 'systemd-userdbd.service']);
    // More starts than its limit allows in ten seconds, and its socket would be closed: userdbctl then asks all sources by itself.
    await machine.output(['systemctl', 'reset-failed', 'systemd-userdbd.service', 'systemd-userdbd.socket']);
    await machine.output(['systemctl', 'start', 'systemd-userdbd.socket']);
  };
  /** @returns our users in a list, in order */
  const ours = (list: string, separator: RegExp): string[] =>
    list
      .split('\n')
      .map(line => line.trim().split(separator)[0] ?? '')
      .filter(name => USERS.includes(name))
      .toSorted();
  const getent = async (database: string, env: Record<string, string> = {}) =>
    ours(await machine.output(['getent', database], { env }), /:/);
  const userdbctl = async (kind: string) =>
    ours(await machine.output(['userdbctl', kind, '--no-pager', '--no-legend']), /\s+/);

  /** On a busy machine the first question comes while workers that began before the change still end. */
  const listsOfNewWorkers = async () => {
    const deadline = Date.now() + WORKERS_MS;
    for (;;) {
      const lists = [await userdbctl('user'), await userdbctl('group')];
      if (Date.now() > deadline || lists.every(list => list.length === USERS.length)) {
        return lists;
      }
      await sleep(100);
    }
  };

  for (const sources of [
    'files dynuser systemd',
    'files systemd dynuser',
    'dynuser files [SUCCESS=merge] systemd',
    'files dynuser # systemd',
    'files dynuser',
    'files systemd',
  ]) {
    it(`each once: ${sources}`, async () => {
      await configure(sources);
      for (const database of DATABASES) {
        assert.deepEqual(await getent(database), USERS, database);
      }
      assert.deepEqual(await listsOfNewWorkers(), [USERS, USERS]);
    });
  }

  it('each once if a blank stands for the colon, as glibc takes it', async () => {
    await configure('files dynuser systemd', '');
    for (const database of DATABASES) {
      assert.deepEqual(await getent(database), USERS, database);
    }
  });

  it('a user database that another program leaves us out of, or has no socket of ours: the module lists', async () => {
    await configure('files dynuser systemd');
    assert.deepEqual(await getent('passwd', { SYSTEMD_BYPASS_USERDB: 'io.dynuser.DynamicUser' }), USERS);
    await machine.output(['mv', '/run/systemd/userdb/io.dynuser.DynamicUser', '/run/link']);
    assert.deepEqual(await getent('passwd'), USERS);
    await machine.output(['mv', '/run/link', '/run/systemd/userdb/io.dynuser.DynamicUser']);
  });

  it('by name and number all are found, and with the daemon down too', async () => {
    for (const sources of ['files dynuser systemd', 'files systemd dynuser']) {
      await configure(sources);
      for (const isUp of [true, false]) {
        await machine.output(['systemctl', isUp ? 'start' : 'stop', 'dynuserd.socket', 'dynuserd.service']);
        for (const user of USERS) {
          const line = await machine.output(['getent', 'passwd', user]);
          assert.equal(await machine.output(['getent', 'passwd', line.split(':')[2] ?? '']), line);
        }
        assert.deepEqual(await getent('passwd'), isUp ? USERS : []);
      }
    }
  });
});
