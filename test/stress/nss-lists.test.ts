/** Enumerations of a hundred thousand users and more through the NSS module, plain and with ASan and UBSan. */
// time limit: 540 s
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { make, PLAIN, run, SANITIZED, temporaryDirectory } from '../native/support/native-build.ts';

/** The servers of test/native/hostile_servers.c that test/native/nss-programs leaves out. */
const SERVERS = ['lists-100000', 'lists-to-the-limit', 'lists-above-the-limit'];

for (const build of [PLAIN, SANITIZED]) {
  make(build);
  const variables = { TMPDIR: temporaryDirectory() };
  describe(`the NSS module before a server that, ${build.name}`, { concurrency: true }, () => {
    for (const server of SERVERS) {
      it(server, async () => {
        const { status, stderr } = await run(`${build.programs}hostile_test`, [build.module, server], variables);
        assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
      });
    }
  });
}
