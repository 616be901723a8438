import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { it } from 'node:test';
import { activateSuccessor } from '../../../../src/host/systemd/activate-successor.ts';

it('a connection is left behind for the next daemon, or it is told that there can be none', async context => {
  const directory = mkdtempSync(`${tmpdir()}/dynuser-successor-`);
  context.after(() => rmSync(directory, { recursive: true }));
  const path = `${directory}/socket`;
  await assert.rejects(activateSuccessor(path), {
    code: 'HostFailed',
    message: /^cannot trigger the start of the next dynuserd through .*\/socket: .*ENOENT/,
  });
  const server = createServer().listen(path);
  await once(server, 'listening');
  const connected = once(server, 'connection');
  await activateSuccessor(path);
  const [socket] = await connected;
  assert.equal(socket.readableEnded, false);
  socket.destroy();
  server.close();
});
