/** Who connects, as the kernel says it: peers with other IDs, with many groups, and outside the server's PID namespace. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, closeSync, openSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { DynuserError } from '../../../src/core/errors.ts';
import { PeerReader } from '../../../src/host/processes/peer.ts';
import { CHECKOUT } from '../../../src/tooling/checkout.ts';
import { withDirectory } from './helpers.ts';

const SERVER = `${CHECKOUT}dist/test/integration/host/peer-server.js`;
/** Connects, and ends when the server closes. */
const CLIENT = "require('node:net').connect(process.argv[1]).resume()";
/** Bound on a meeting, in milliseconds: a client that cannot connect must not leave the server waiting. */
const MEETING_MS = 20_000;

/** @returns what the server says of a client that was started by way of these words, and the client's process id */
async function meet(
  client: readonly string[],
  server: readonly string[] = [],
): Promise<{ peer: unknown; pid: number | undefined }> {
  let result: { peer: unknown; pid: number | undefined } | undefined;
  await withDirectory(async directory => {
    chmodSync(directory, 0o755);
    const path = `${directory}/socket`;
    const [program = '', ...rest] = [...server, process.execPath, SERVER, path];
    const serving = spawn(program, rest, { stdio: ['ignore', 'pipe', 'inherit'], timeout: MEETING_MS });
    const lines = createInterface(serving.stdout)[Symbol.asyncIterator]();
    assert.equal((await lines.next()).value, 'listening');
    chmodSync(path, 0o666);
    const connecting = spawn('setpriv', [...client, process.execPath, '-e', CLIENT, path], {
      stdio: 'inherit',
      timeout: MEETING_MS,
    });
    const answer = await lines.next();
    assert.equal(answer.done, false);
    result = { peer: JSON.parse(answer.value), pid: connecting.pid };
    await Promise.all([connecting, serving].map(child => (child.exitCode === null ? once(child, 'exit') : undefined)));
  });
  assert.ok(result !== undefined);
  return result;
}

describe('peers', () => {
  it('are told by their IDs', async () => {
    const { peer, pid } = await meet(['--reuid=64001', '--regid=64002', '--groups=64003,64004']);
    assert.deepEqual(peer, { uid: 64001, gid: 64002, pid, groups: [64003, 64004] });
  });

  it('may have more groups than usual', async () => {
    const groups = Array.from({ length: 1_000 }, (_, index) => 70_000 + index);
    const { peer, pid } = await meet(['--reuid=64001', '--regid=64002', `--groups=${groups.join()}`]);
    assert.deepEqual(peer, { uid: 64001, gid: 64002, pid, groups });
  });

  it('have no process id where they are outside the PID namespace', async () => {
    const { peer } = await meet(['--clear-groups'], ['unshare', '-p', '-f', '--kill-child=KILL']);
    assert.deepEqual(peer, { uid: 0, gid: 0, pid: null, groups: [] });
  });

  it('are refused where there is no socket', () => {
    const file = openSync('/dev/null', 'r');
    for (const descriptor of [-1, file]) {
      assert.throws(
        () => new PeerReader().read(descriptor),
        error => error instanceof DynuserError && error.code === 'HostFailed',
      );
    }
    closeSync(file);
  });
});
