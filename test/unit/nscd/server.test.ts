/** The server of nscd's protocol: one question, one answer, and what a client that means harm can use up. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { nscdLimits, QUESTION_MS } from '../../../src/nscd/limits.ts';
import type { Question } from '../../../src/nscd/protocol.ts';
import { NscdServer } from '../../../src/nscd/server.ts';
import { SWEEP_INTERVAL_MS } from '../../../src/varlink/limits.ts';
import { Turns } from '../../../src/varlink/turns.ts';
import { until } from '../../support/until.ts';

const header = (kind: number, length: number, version = 2): Buffer =>
  Buffer.from(new Int32Array([version, kind, length]).buffer);
const WEB = Buffer.concat([header(0, 4), Buffer.from('web\0')]);

const LIMITS = nscdLimits(256);

let directory: string;
let server: NscdServer;
let asked: Question[];
let now: number;
let isRoot: boolean;
let failures: string[];

beforeEach(async () => {
  directory = mkdtempSync(`${tmpdir()}/dynuser-nscd-`);
  [asked, failures, now, isRoot] = [[], [], 0, false];
  server = new NscdServer({
    answer(question) {
      asked.push(question);
      return Buffer.from(`answer to ${question.key}`);
    },
    limits: LIMITS,
    identify: () => ({ owner: 1000, isRoot }),
    acceptCalls: { accept: () => undefined, hasLeft: () => false },
    turns: new Turns(),
    now: () => now,
    onFailure: what => failures.push(what),
  });
  await server.listen({ path: `${directory}/socket` });
});
afterEach(async () => {
  await server.close();
  rmSync(directory, { recursive: true });
  assert.deepEqual(failures, []);
});

/** @returns all that comes back until the server closes the connection */
function exchange(...pieces: Buffer[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(`${directory}/socket`);
    let text = '';
    socket.on('data', bytes => {
      text += bytes.toString();
    });
    socket.on('error', (error: NodeJS.ErrnoException) =>
      ['EPIPE', 'ECONNRESET'].includes(error.code ?? '') ? resolve(text) : reject(error),
    );
    socket.on('close', () => resolve(text));
    const send = (index: number): void => {
      const piece = pieces[index];
      if (piece !== undefined) {
        socket.write(piece, () => setImmediate(send, index + 1));
      }
    };
    send(0);
  });
}

const opened = (): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket: Socket = connect(`${directory}/socket`, () => resolve(socket)).on('error', reject);
  });

describe('the server of nscd’s protocol', () => {
  it('answers a question in whatever pieces it comes, and closes', async () => {
    assert.equal(await exchange(WEB), 'answer to web');
    assert.equal(await exchange(...Array.from(WEB, byte => Buffer.of(byte))), 'answer to web');
    assert.equal(await exchange(Buffer.concat([WEB, WEB])), 'answer to web');
    assert.equal(asked.length, 3);
    await until('all are gone', async () => server.connections === 0);
  });

  it('closes at once what it does not answer', async () => {
    for (const refused of [header(11, 7), header(10, 7), header(0, 4, 1), header(0, 1 << 20), header(0, 0)]) {
      assert.equal(await exchange(refused), '');
    }
    assert.deepEqual(asked, []);
  });

  it('ends with a client that leaves in the middle of its question', async () => {
    const socket = await opened();
    socket.end(WEB.subarray(0, 13));
    await new Promise(resolve => socket.on('close', resolve));
    await until('it is gone', async () => server.connections === 0);
  });

  it('gives a question a time', async () => {
    const socket = await opened();
    socket.on('error', () => {});
    socket.write(WEB.subarray(0, 13));
    await until('it is there', async () => server.connections === 1);
    now = QUESTION_MS + 1;
    await new Promise(resolve => socket.on('close', resolve));
    assert.equal(server.connections, 0);
  });

  it('has places for a user, and keeps some for root', async () => {
    const sockets: Socket[] = [];
    for (let count = 0; count < LIMITS.maxConnectionsPerPeer; count++) {
      sockets.push(await opened());
    }
    await until('all are there', async () => server.connections === sockets.length);
    assert.equal(await exchange(WEB), '');
    isRoot = true;
    assert.equal(await exchange(WEB), 'answer to web');
    for (const socket of sockets) {
      socket.destroy();
    }
    await until('all are gone', async () => server.connections === 0);
    isRoot = false;
    assert.equal(await exchange(WEB), 'answer to web');
  });

  it('closes what is open when it stops', async () => {
    const socket = await opened();
    socket.on('error', () => {});
    await until('it is there', async () => server.connections === 1);
    await Promise.all([server.close(), new Promise(resolve => socket.on('close', resolve))]);
    assert.equal(server.connections, 0);
    await server.listen({ path: `${directory}/again` });
  });
});

it('deadlines are looked at more often than they come', () => {
  assert.ok(SWEEP_INTERVAL_MS <= QUESTION_MS);
});
