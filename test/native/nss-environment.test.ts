/** A program with more rights than its caller obeys no variable of its caller (secure_getenv(3), AT_SECURE). */
import assert from 'node:assert/strict';
import { chmodSync, chownSync, copyFileSync } from 'node:fs';
import { before, describe, it } from 'node:test';
import { BUILD, buildNative } from '../support/native.ts';
import { publishLinks, USERS } from './support/dynamic-users.ts';
import { NSS_MODULE, run, temporaryDirectory } from './support/nss.ts';

const NOBODY = '65534';
const GROUP_OF_PROGRAM = 54321;
/** PASSWD_BY_UID of test/native/support/module.h. */
const PASSWD_BY_UID = '0';
const [USER] = USERS;
const FOUND = `${USER.name}:x:${USER.uid}:${USER.uid}:Dynamic User:/:/usr/sbin/nologin`;
const NOT_FOUND = 'status 0';

buildNative('nss-tests', BUILD);

describe('environment of the NSS module', { concurrency: 4 }, () => {
  /** Copies, since a checkout may be where nobody else may look. */
  const directory = temporaryDirectory();
  const module = `${directory}/module`;
  const published = temporaryDirectory();
  const empty = temporaryDirectory();
  const programs = { ordinary: `${directory}/ordinary`, privileged: `${directory}/privileged` };
  before(() => {
    publishLinks(published);
    copyFileSync(NSS_MODULE, module);
    copyFileSync(`${BUILD.programs}/probe`, programs.ordinary);
    copyFileSync(`${BUILD.programs}/probe`, programs.privileged);
    chownSync(programs.privileged, 0, GROUP_OF_PROGRAM);
    chmodSync(programs.ordinary, 0o755);
    chmodSync(programs.privileged, 0o2755);
  });

  /** One lookup as nobody, on a host of which /run/dynuser is what `host` has. */
  const probe = async (program: keyof typeof programs, host: string, variables: Readonly<Record<string, string>>) => {
    const script = 'mount -t tmpfs run /run && cp -a "$1" /run/dynuser && shift && exec "$@"';
    const namespace = ['--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', host];
    const nobody = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
    const lookup = [programs[program], module, PASSWD_BY_UID, `${USER.uid}`, USER.name];
    const { status, stdout, stderr } = await run('unshare', [...namespace, ...nobody, ...lookup], variables);
    assert.equal(status, 0, stderr);
    return stdout.trim();
  };

  it('is not needed', async () => {
    assert.equal(await probe('ordinary', published, {}), FOUND);
    assert.equal(await probe('privileged', published, {}), FOUND);
    assert.equal(await probe('ordinary', empty, {}), NOT_FOUND);
  });

  it('says an ordinary program where to look, and a privileged one nothing', async () => {
    const variables = { DYNUSER_RUNTIME_DIRECTORY: published };
    assert.equal(await probe('ordinary', empty, variables), FOUND);
    assert.equal(await probe('privileged', empty, variables), NOT_FOUND);
  });

  it('keeps an ordinary program from looking, but not a privileged one', async () => {
    const variables = { DYNUSER_NSS_BYPASS: '1' };
    assert.equal(await probe('ordinary', published, variables), NOT_FOUND);
    assert.equal(await probe('privileged', published, variables), FOUND);
  });

  it('sends an ordinary program to a socket that is not there, but not a privileged one', async () => {
    const variables = { DYNUSER_NSS_SOURCE: 'varlink' };
    assert.equal(await probe('ordinary', published, variables), NOT_FOUND);
    assert.equal(await probe('privileged', published, variables), FOUND);
  });
});
