/** The module where it belongs: behind glibc, by a private nsswitch.conf, asked by getent(1) and id(1). */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { BUILD, buildNative } from '../support/native.ts';
import { ABSENT, publishLinks, serveUsers, USERS } from './support/dynamic-users.ts';
import { NSS_MODULE, run, temporaryDirectory } from './support/nss.ts';

/** getent(1): one or more keys were not found. */
const NOT_FOUND = 2;
const SHARED_GROUP = 'shared:x:9999:dynamic-user-test';
const [USER] = USERS;

buildNative('nss-tests', BUILD);
const configuration = temporaryDirectory();
writeFileSync(
  `${configuration}/nsswitch.conf`,
  ['passwd', 'group', 'shadow', 'gshadow'].map(database => `${database}: dynuser files\n`).join(''),
);
writeFileSync(`${configuration}/group`, `root:x:0:\n${SHARED_GROUP}\n`);

/** Runs a command in a mount namespace with our nsswitch.conf and group file, on which the host's own cannot look. */
function withModule(variables: Readonly<Record<string, string>>, ...command: string[]) {
  const script =
    'mount --bind "$1/nsswitch.conf" /etc/nsswitch.conf && mount --bind "$1/group" /etc/group && shift && exec "$@"';
  const parameters = ['--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', configuration, ...command];
  return run('unshare', parameters, { LD_LIBRARY_PATH: dirname(NSS_MODULE), ...variables });
}

const passwdLine = ({ uid, name }: { uid: number; name: string }) =>
  `${name}:x:${uid}:${uid}:Dynamic User:/:/usr/sbin/nologin`;

function behavesAs(source: string, variables: Readonly<Record<string, string>>): void {
  const prints = async (expected: string, ...command: string[]) => {
    const { status, stdout, stderr } = await withModule(variables, ...command);
    assert.deepEqual({ status, stdout: stdout.trim() }, { status: 0, stdout: expected }, stderr);
  };
  const lists = async (expected: readonly string[], ...command: string[]) => {
    const { status, stdout, stderr } = await withModule(variables, ...command);
    assert.equal(status, 0, stderr);
    assert.deepEqual(stdout.split('\n').slice(0, expected.length), expected);
  };

  describe(`getent and id, ${source}`, { concurrency: 4 }, () => {
    it('resolve every user by name and by number', async () => {
      for (const user of USERS) {
        await prints(passwdLine(user), 'getent', 'passwd', user.name);
        await prints(passwdLine(user), 'getent', 'passwd', `${user.uid}`);
        await prints(`${user.name}:x:${user.uid}:`, 'getent', 'group', user.name);
        await prints(`${user.name}:x:${user.uid}:`, 'getent', 'group', `${user.uid}`);
      }
    });
    it('have locked passwords', async () => {
      await prints(`${USER.name}:!*::::::1:`, 'getent', 'shadow', USER.name);
      await prints(`${USER.name}:!*::`, 'getent', 'gshadow', USER.name);
    });
    it('list all users, then those of files', async () => {
      await lists([...USERS.map(passwdLine), 'root:x:0:0:root:/root:/bin/bash'], 'getent', 'passwd');
      await lists([...USERS.map(({ uid, name }) => `${name}:x:${uid}:`), 'root:x:0:'], 'getent', 'group');
      await lists(
        USERS.map(({ name }) => `${name}:!*::::::1:`),
        'getent',
        'shadow',
      );
      await lists(
        USERS.map(({ name }) => `${name}:!*::`),
        'getent',
        'gshadow',
      );
    });
    it('find the groups that files have for a dynamic user', async () => {
      const groups = `${USER.uid}(${USER.name}),9999(shared)`;
      await prints(`uid=${USER.uid}(${USER.name}) gid=${USER.uid}(${USER.name}) groups=${groups}`, 'id', USER.name);
    });
    it('find nobody who is not there', async () => {
      for (const database of ['passwd', 'group']) {
        for (const key of [ABSENT.name, `${ABSENT.uid}`]) {
          assert.equal((await withModule(variables, 'getent', database, key)).status, NOT_FOUND, `${database} ${key}`);
        }
      }
    });
    it('find nobody with the bypass', async () => {
      const bypass = { ...variables, DYNUSER_NSS_BYPASS: '1' };
      assert.equal((await withModule(bypass, 'getent', 'passwd', USER.name)).status, NOT_FOUND);
    });
  });
}

describe('NSS module behind glibc', () => {
  const published = temporaryDirectory();
  const socketAlone = temporaryDirectory();
  const closers: (() => void)[] = [];
  before(async () => {
    publishLinks(published);
    for (const runtime of [published, socketAlone]) {
      const server = await serveUsers(runtime);
      closers.push(() => server.close());
    }
  });
  after(() => closers.forEach(close => void close()));

  behavesAs('by links', { DYNUSER_RUNTIME_DIRECTORY: published });
  behavesAs('by the socket where there are no links', { DYNUSER_RUNTIME_DIRECTORY: socketAlone });
  behavesAs('by the socket where it is forced', {
    DYNUSER_RUNTIME_DIRECTORY: published,
    DYNUSER_NSS_SOURCE: 'varlink',
  });
});
