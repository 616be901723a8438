/** Enumerations of a hundred thousand users and more through the NSS module. */
// runs alone: the module gives up on a list after some seconds
// time limit: 540 s
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NSS_MODULE, run, temporaryDirectory } from '../native/support/nss.ts';
import { BUILD, buildNative } from '../support/native.ts';

/** The servers of test/native/hostile_servers.c that test/native/nss-programs leaves out. */
const SERVERS = ['lists-100000', 'lists-for-ever', 'lists-to-the-limit', 'lists-above-the-limit'];

buildNative('nss-tests', BUILD);
const variables = { TMPDIR: temporaryDirectory() };
describe(`the NSS module before a server that, ${BUILD.name}`, { concurrency: true }, () => {
  for (const server of SERVERS) {
    it(server, async () => {
      const { status, stderr } = await run(`${BUILD.programs}/hostile_test`, [NSS_MODULE, server], variables);
      assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
    });
  }
});
