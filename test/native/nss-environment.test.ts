/** A program with more rights than its caller obeys no variable of its caller (secure_getenv(3), AT_SECURE). */
import assert from 'node:assert/strict';
import { chmodSync, chownSync, copyFileSync } from 'node:fs';
import { before, describe, it } from 'node:test';
import { publishLinks, USERS } from './support/dynamic-users.ts';
import { make, PLAIN, run, temporaryDirectory } from './support/native-build.ts';

const NOBODY = '65534';
const GROUP_OF_PROGRAM = 54321;
/** PASSWD_BY_UID of test/native/support/module.h. */
const PASSWD_BY_UID = '0';
const [USER] = USERS;

make(PLAIN);

describe('environment', () => {
  /** Copies, since a checkout may be where nobody else may look. */
  const directory = temporaryDirectory();
  const module = `${directory}/module`;
  const ordinary = `${directory}/ordinary`;
  const privileged = `${directory}/privileged`;
  before(() => {
    publishLinks(directory);
    copyFileSync(PLAIN.module, module);
    copyFileSync(`${PLAIN.programs}probe`, ordinary);
    copyFileSync(`${PLAIN.programs}probe`, privileged);
    chownSync(privileged, 0, GROUP_OF_PROGRAM);
    chmodSync(ordinary, 0o755);
    chmodSync(privileged, 0o2755);
  });

  const probe = async (program: string) => {
    const identity = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
    const lookup = [program, module, PASSWD_BY_UID, `${USER.uid}`, USER.name];
    const variables = { DYNUSER_RUNTIME_DIRECTORY: directory };
    const { status, stdout, stderr } = await run('setpriv', [...identity, ...lookup], variables);
    assert.equal(status, 0, stderr);
    return stdout.trim();
  };

  it('says an ordinary program where to look', async () => {
    assert.match(await probe(ordinary), new RegExp(`^${USER.name}:x:${USER.uid}:`));
  });

  it('says nothing to a set-group-ID program', async () => {
    assert.equal(await probe(privileged), 'status 0');
  });
});
