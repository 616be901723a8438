/** The whole of sd_listen_fds(3) with systemd's own starter: the socket it opened is the one that is served. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { it } from 'node:test';
import { until } from '../../support/until.ts';
import { withDirectory } from './helpers.ts';

const MODULE = new URL('../../../src/host/systemd/listen-fds.js', import.meta.url).href;
const PROGRAM = `
  import { createServer } from 'node:net';
  import { takePassedDescriptors } from ${JSON.stringify(MODULE)};
  const [socket] = takePassedDescriptors(process.env, process.pid).sockets;
  const server = createServer(peer => { peer.end(socket.name); server.close(); });
  server.listen({ fd: socket.descriptor });`;

async function ask(path: string): Promise<string> {
  const socket = connect(path);
  let text = '';
  for await (const part of socket.setEncoding('utf8')) {
    text += part;
  }
  return text;
}

it('a socket that systemd opened is served', () =>
  withDirectory(async directory => {
    const path = `${directory}/socket`;
    const command = ['--listen', path, '--fdname=varlink', process.execPath, '--input-type=module', '-e', PROGRAM];
    const activator = spawn('systemd-socket-activate', command, { stdio: 'ignore' });
    const ended = once(activator, 'exit');
    let answer: string | undefined;
    await until('it answers', async () => {
      answer = await ask(path).catch(() => undefined);
      return answer !== undefined;
    });
    assert.equal(answer, 'varlink');
    await ended;
  }));
