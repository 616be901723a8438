import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { thisHost } from '../../../src/cli/host.ts';
import { inspectHostLookups, type LookupPaths, servicesOf } from '../../../src/cli/host-lookups.ts';

const SOCKET = '/run/dynuser/io.dynuser.DynamicUser';
const HOST = thisHost({});
let directory = '';
let paths: LookupPaths = { nsswitch: '', userDatabase: '' };

before(() => {
  directory = mkdtempSync(join(tmpdir(), 'dynuser-lookups-'));
  paths = { nsswitch: join(directory, 'nsswitch.conf'), userDatabase: join(directory, 'userdb') };
});
after(() => rmSync(directory, { recursive: true }));

test('the services of a database are read as glibc reads them', () => {
  const text = [
    '# passwd: commented',
    'passwd:\tfiles [!UNAVAIL=return] dynuser systemd # dynuser2',
    'group: files [SUCCESS=merge] systemd',
    'passwd_compat: nis',
  ].join('\n');
  assert.deepEqual(servicesOf(text, 'passwd'), ['files', 'dynuser', 'systemd']);
  assert.deepEqual(servicesOf(text, 'group'), ['files', 'systemd']);
  assert.deepEqual(servicesOf(text, 'shadow'), []);
});

test('the name service switch names us, or does not, or is not there', () => {
  assert.equal(inspectHostLookups(HOST, paths, SOCKET).passwd, 'missing');
  writeFileSync(paths.nsswitch, 'passwd: files dynuser\ngroup: files\n');
  const { passwd, group } = inspectHostLookups(HOST, paths, SOCKET);
  assert.deepEqual({ passwd, group }, { passwd: 'listed', group: 'missing' });
  assert.equal(inspectHostLookups(HOST, { ...paths, nsswitch: directory }, SOCKET).passwd, 'unreadable');
});

test('the link in the user database', () => {
  const state = (): string => inspectHostLookups(HOST, paths, SOCKET).userDatabase;
  const link = join(paths.userDatabase, 'io.dynuser.DynamicUser');
  const relink = (target: string): void => {
    rmSync(link, { force: true });
    symlinkSync(target, link);
  };
  assert.equal(state(), 'unused');
  mkdirSync(paths.userDatabase);
  assert.equal(state(), 'missing');
  relink(SOCKET);
  assert.equal(state(), 'linked');
  relink(`${'../'.repeat(20)}run/dynuser/io.dynuser.DynamicUser`);
  assert.equal(state(), 'linked');
  relink('/elsewhere/io.dynuser.DynamicUser');
  assert.equal(state(), 'elsewhere');
  rmSync(link);
  writeFileSync(link, '');
  assert.equal(state(), 'elsewhere');
});
