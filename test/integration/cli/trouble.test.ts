/** Everything that can be wrong between the operator and a reply, each with its words and its exit status. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { VERSION } from '../../../src/core/version.ts';
import { type Outcome, runCommand } from './run-command.ts';

const PROGRAM = fileURLToPath(new URL('../../../src/bin/dynuserctl.js', import.meta.url));

let directory = '';
let socket = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dynuserctl-trouble-'));
  socket = join(directory, 'io.dynuser.DynamicUser');
});
afterEach(() => rmSync(directory, { recursive: true }));

const command = (...argv: string[]): Promise<Outcome> =>
  runCommand(argv, { environment: { DYNUSER_RUNTIME_DIRECTORY: directory } });

/** Runs a command against a server that treats its connections as told. */
async function against(treat: (connection: Socket) => void, ...argv: string[]): Promise<Outcome> {
  const connections: Socket[] = [];
  const server = createServer(connection => {
    connections.push(connection);
    connection.on('error', () => {});
    treat(connection);
  });
  server.listen(socket);
  await once(server, 'listening');
  try {
    return await command(...argv);
  } finally {
    for (const connection of connections) {
      connection.destroy();
    }
    server.close();
    await once(server, 'close');
  }
}

const INFO = { vendor: 'dynuser', product: 'dynuserd', version: VERSION, url: '', interfaces: [] };

/** Says who it is, and gives the same reply to all else. */
function answering(reply: string): (connection: Socket) => void {
  return connection =>
    connection.on('data', data => {
      const greets = reply !== '{}' && data.includes('org.varlink.service.GetInfo');
      connection.write(`${greets ? JSON.stringify({ parameters: INFO }) : reply}\0`);
    });
}

test('no daemon', async () => {
  for (const argv of [['list'], ['show', 'a'], ['acquire', 'a'], ['release', 'a'], ['explain', 'a'], ['watch']]) {
    assert.deepEqual(await command(...argv), {
      status: 1,
      output: '',
      errors: `dynuserctl: cannot reach dynuserd at ${socket}: no such file: is it running? Start it with 'systemctl start dynuserd' or 'dynuserd'\n`,
    });
  }
});

test('a socket on which nobody listens', async () => {
  // A process that is killed leaves its socket behind; one that ends would remove it.
  const script = `require('node:net').createServer().listen(${JSON.stringify(socket)}, () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', script]);
  const { status, errors } = await command('list');
  assert.equal(status, 1);
  assert.match(errors, /^dynuserctl: cannot reach dynuserd at \S+: the socket is there, but nobody listens/);
});

test('a file that is not a socket, a path through a file', async () => {
  writeFileSync(socket, '');
  assert.equal((await command('list')).status, 1);
  const environment = { DYNUSER_RUNTIME_DIRECTORY: socket };
  const { status, errors } = await runCommand(['list'], { environment });
  assert.equal(status, 1);
  assert.match(errors, /: a part of the path is not a directory: is DYNUSER_RUNTIME_DIRECTORY what you mean\?\n$/);
});

test('a daemon that never answers', async () => {
  const { status, errors } = await against(() => {}, 'list');
  assert.equal(status, 1);
  assert.match(errors, /^dynuserctl: dynuserd at \S+ does not answer \([^\n]* no answer within 5000 ms\): [^\n]+\n$/);
});

test('a daemon that closes the connection, and one that talks nonsense', async () => {
  const closed = await against(connection => connection.end(), 'list');
  assert.equal(closed.status, 1);
  assert.match(closed.errors, /^dynuserctl: lost dynuserd at [^\n]+\n$/);

  const nonsense = await against(connection => connection.write('HTTP/1.1 400 \x1b[2J\r\n\r\n\0'), 'list');
  assert.equal(nonsense.status, 1);
  assert.match(nonsense.errors, /^dynuserctl: [^\n]+\n$/);
  assert.ok(!nonsense.errors.includes('\x1b'));
});

test('answers of the wrong shape', async () => {
  const reply = JSON.stringify({ parameters: { lease: { uid: '64642' } } });
  const { status, errors } = await against(answering(reply), 'list');
  assert.equal(status, 1);
  assert.match(
    errors,
    /^dynuserctl: the answer cannot be understood: [^\n]*List is not as declared: lease\.uid is not /,
  );
  const stranger = await against(answering('{}'), 'list');
  assert.match(stranger.errors, /^dynuserctl: the answer cannot be understood: [^\n]*GetInfo is not as declared: /);
});

test('an answer that tells how far it is, and never how it ended', async () => {
  const reply = JSON.stringify({ parameters: { progress: { publicPath: '/a', inodes: 1, changed: 1 } } });
  const { status, output, errors } = await against(answering(reply), 'acquire', 'a.service');
  assert.deepEqual({ status, output }, { status: 1, output: '' });
  assert.match(errors, /^dynuserctl: the answer cannot be understood: the daemon ended Acquire without an answer; /);
});

test('a wrong command line: exit status 2, before anything is connected to', async () => {
  const { status, output, errors } = await command('lst');
  assert.deepEqual({ status, output }, { status: 2, output: '' });
  assert.match(errors, /^dynuserctl: unknown command 'lst' \(did you mean 'list'\?\)\nTry 'dynuserctl --help'/);
});

test('the program: --help, --version, and a line of usage on the right streams', () => {
  const program = (...argv: string[]) => spawnSync(process.execPath, [PROGRAM, ...argv], { encoding: 'utf8' });
  const version = program('--version');
  assert.deepEqual([version.status, version.stdout, version.stderr], [0, `dynuserctl ${VERSION}\n`, '']);
  const help = program('--help');
  assert.equal(help.status, 0);
  assert.match(help.stdout, /^Shows and manages /);
  const wrong = program('--nonsense');
  assert.deepEqual([wrong.status, wrong.stdout], [2, '']);
});

test('the program: output that cannot be kept is a failure', () => {
  const full = openSync('/dev/full', 'w');
  const { status, stderr } = spawnSync(process.execPath, [PROGRAM, '--help'], {
    stdio: ['ignore', full, 'pipe'],
    encoding: 'utf8',
  });
  assert.equal(status, 1);
  assert.match(stderr, /^dynuserctl: cannot write the output: .*no space left/i);
});
