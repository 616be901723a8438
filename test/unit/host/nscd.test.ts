/** What nscd is asked, byte by byte, and what is made of one that does not answer. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { describe, it } from 'node:test';
import { Nscd } from '../../../src/host/nscd.ts';

const answer = (errno: number): Buffer => Buffer.from(new Int32Array([errno]).buffer);

async function withDirectory(use: (path: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(`${tmpdir()}/dynuser-nscd-`);
  try {
    await use(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** A nscd that does something with each request. */
async function withServer(
  respond: (socket: Socket, request: Buffer) => void,
  use: (nscd: Nscd, requests: readonly Buffer[]) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(`${tmpdir()}/dynuser-nscd-`);
  const path = `${directory}/socket`;
  const requests: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server = createServer(socket => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', bytes => {
      requests.push(bytes);
      respond(socket, bytes);
    });
  });
  await new Promise<void>(resolve => server.listen(path, resolve));
  try {
    await use(new Nscd(path), requests);
  } finally {
    for (const socket of sockets) {
      socket.destroy();
    }
    server.close();
    rmSync(directory, { recursive: true });
  }
}

describe('nscd', () => {
  it('is asked to drop both databases: version, request, length, name', () =>
    withServer(
      socket => socket.end(answer(0)),
      async (nscd, requests) => {
        await nscd.flush();
        const header = (length: number) => Buffer.from(new Int32Array([2, 10, length]).buffer);
        assert.deepEqual(
          requests.map(request => request.toString('latin1')).sort(),
          [Buffer.concat([header(6), Buffer.from('group\0')]), Buffer.concat([header(7), Buffer.from('passwd\0')])].map(
            request => request.toString('latin1'),
          ),
        );
      },
    ));

  it('may answer in pieces', () =>
    withServer(
      socket => {
        socket.write(answer(0).subarray(0, 1));
        setTimeout(() => socket.end(answer(0).subarray(1)), 20);
      },
      nscd => nscd.flush(),
    ));

  it('need not close the connection after its answer, and may say more', () =>
    withServer(
      socket => socket.write(Buffer.concat([answer(0), answer(5)])),
      nscd => nscd.flush(),
    ));

  it('is there if its path is, or if that cannot be told', () =>
    withDirectory(async directory => {
      const path = `${directory}/socket`;
      assert.equal(new Nscd(path).present(), false);
      writeFileSync(path, '');
      assert.equal(new Nscd(path).present(), true);
      symlinkSync('loop', `${directory}/loop`);
      assert.equal(new Nscd(`${directory}/loop`).present(), true);
    }));

  it('is told of where it cannot be asked', () =>
    withDirectory(async directory => {
      writeFileSync(`${directory}/file`, '');
      const message = /^nscd has not dropped its cache of (passwd|group): .*ENOTDIR/;
      await assert.rejects(new Nscd(`${directory}/file/socket`).flush(), { code: 'HostFailed', message });
    }));

  it('is nothing to wait for where it does not run', async () => {
    await new Nscd('/nonexistent/nscd/socket').flush();
  });

  it('is nothing to wait for where it has left its socket', () =>
    withDirectory(async directory => {
      const path = `${directory}/socket`;
      const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
      assert.equal(spawnSync(process.execPath, ['-e', script]).signal, 'SIGKILL');
      assert.ok(existsSync(path));
      await new Nscd(path).flush();
    }));

  const TROUBLE: readonly (readonly [what: string, respond: (socket: Socket) => void, message: RegExp])[] = [
    ['refuses', socket => socket.end(answer(1)), /cache of (passwd|group): it answered with error 1$/],
    ['closes', socket => socket.end(), /it closed the connection$/],
    ['breaks off', socket => socket.end(answer(0).subarray(0, 3)), /it closed the connection$/],
    ['is silent', () => {}, /it did not answer within 2 s$/],
  ];
  for (const [what, respond, message] of TROUBLE) {
    it(`is told of where it ${what}`, () =>
      withServer(respond, nscd => assert.rejects(nscd.flush(), { code: 'HostFailed', message })));
  }
});
