import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { connect } from '../../../src/varlink/client.ts';
import { VarlinkServer } from '../../../src/varlink/server.ts';
import { until } from '../../support/until.ts';
import { SERVICE_INFO, temporaryDirectory } from './service.ts';

function emptyServer(t: TestContext): VarlinkServer<undefined> {
  const server = new VarlinkServer<undefined>({
    info: SERVICE_INFO,
    interfaces: [],
    identify: () => undefined,
    quotaKey: () => 0,
    privileged: () => false,
    onFailure: failure => assert.fail(failure.what),
  });
  t.after(() => server.close(0));
  return server;
}

async function assertServes(path: string): Promise<void> {
  const client = await connect(path);
  assert.equal((await client.call('org.varlink.service.GetInfo'))['product'], SERVICE_INFO.product);
  client.close();
}

for (const mode of [0o600, 0o660, 0o666]) {
  test(`the socket has the mode 0${mode.toString(8)}, and the process its umask back`, async t => {
    const path = join(temporaryDirectory(t), 'socket');
    const umask = process.umask();
    const server = emptyServer(t);
    await server.listen({ path, mode });
    assert.equal(statSync(path).mode & 0o777, mode);
    assert.equal(process.umask(), umask);
    await assertServes(path);
    await server.close();
    assert.ok(!existsSync(path));
  });
}

test('a path may have 107 bytes, and not one more', async t => {
  const directory = temporaryDirectory(t);
  const ofLength = (bytes: number): string => `${directory}/${'s'.repeat(bytes - directory.length - 1)}`;
  const longest = ofLength(107);
  await emptyServer(t).listen({ path: longest });
  await assertServes(longest);
  const tooLong = ofLength(108);
  await assert.rejects(emptyServer(t).listen({ path: tooLong }), /has more than 107 bytes: choose a shorter directory/);
  assert.ok(!existsSync(tooLong));
});

test('a socket that its server left behind is replaced', async t => {
  const path = join(temporaryDirectory(t), 'socket');
  // Bound and never listened on: what a killed server leaves looks the same to connect(2).
  const program = 'require("net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))';
  const killed = spawn(process.execPath, ['-e', program, path]);
  await new Promise(resolve => killed.once('exit', resolve));
  assert.ok(existsSync(path));
  const server = emptyServer(t);
  await server.listen({ path });
  await assertServes(path);
});

test('a socket that somebody listens on is left alone', async t => {
  const path = join(temporaryDirectory(t), 'socket');
  const first = emptyServer(t);
  await first.listen({ path });
  await assert.rejects(emptyServer(t).listen({ path }), /another server listens on .*: stop it first/);
  await assertServes(path);
});

test('what is not a socket is left alone', async t => {
  const path = join(temporaryDirectory(t), 'socket');
  writeFileSync(path, 'precious');
  await assert.rejects(emptyServer(t).listen({ path }), /is not a socket: remove it/);
});

test('a path that no socket can have is refused in words, and the longest one works', async t => {
  const directory = temporaryDirectory(t);
  const longest = join(directory, 'x'.repeat(107 - directory.length - 1));
  await assert.rejects(
    emptyServer(t).listen({ path: `${longest}x` }),
    /more than 107 bytes: choose a shorter directory/,
  );
  const server = emptyServer(t);
  await server.listen({ path: longest });
  await assertServes(longest);
});

test('a directory that is not there is an error that names the path', async t => {
  const path = join(temporaryDirectory(t), 'missing', 'socket');
  await assert.rejects(emptyServer(t).listen({ path }), new RegExp(path));
});

test('serves on a socket that the service manager opened', async t => {
  const path = join(temporaryDirectory(t), 'socket');
  const program = fileURLToPath(new URL('./activated-service.js', import.meta.url));
  // It opens the socket, waits for a first connection, and then becomes the program, with the socket as number 3.
  const child = spawn('systemd-socket-activate', [`--listen=${path}`, process.execPath, program], { stdio: 'ignore' });
  const exited = new Promise(resolve => child.once('exit', resolve));
  t.after(async () => {
    child.kill();
    await exited;
  });
  await until('the socket is there', () => existsSync(path));
  await assertServes(path);
  await assertServes(path);
});
