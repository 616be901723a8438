/** Runs the C tests of the NSS module and of its parts. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BUILD, buildNative } from '../support/native.ts';
import { NSS_MODULE, run, temporaryDirectory } from './support/nss.ts';

/** Those that are linked with the parts that they try, and those that load the module. */
const PARTS = ['json_test', 'reply_test', 'fuzz_test', 'fork_lock_test', 'varlink_test'];
const WHOLE = ['lookup_test', 'memberships_test', 'buffer_test', 'enumeration_test', 'threads_test', 'cancel_test'];
/** Those of the hostile servers that list a hundred thousand users and more, or without end: test/stress/nss-lists. */
const LONG_LISTS = /^lists-(?:100000|for-ever|to-the-limit|above-the-limit)$/;

buildNative('nss-tests', BUILD);
const variables = { TMPDIR: temporaryDirectory() };
const servers = (await run(`${BUILD.programs}/hostile_test`, [])).stdout.trim().split('\n');
const hostile = servers.filter(server => !LONG_LISTS.test(server));

const passes = async (program: string, ...parameters: string[]) => {
  const { status, stderr } = await run(`${BUILD.programs}/${program}`, parameters, variables);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
};

describe(`NSS module, ${BUILD.name}`, () => {
  for (const program of PARTS) {
    it(program, () => passes(program));
  }
  for (const program of WHOLE) {
    it(program, () => passes(program, NSS_MODULE));
  }
});

/** Side by side: three of them wait for the module to give up. */
describe(`NSS module before a server that, ${BUILD.name}`, { concurrency: true }, () => {
  it('is one of many', () => assert.ok(servers.length > 30, servers.join()));
  for (const server of hostile) {
    it(server, () => passes('hostile_test', NSS_MODULE, server));
  }
});
