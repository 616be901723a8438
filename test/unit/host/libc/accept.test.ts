/** Connections that are taken from the queue of a listening socket. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { AcceptSocket } from '../../../../src/host/libc/accept.ts';
import { ForeignFunction } from '../../../../src/host/libc/libc.ts';
import { AcceptVarlinkSocket } from '../../../../src/host/libc/varlink-socket.ts';

const [AF_UNIX, SOCK_STREAM, SHUT_WR] = [1, 1, 1];
const [SOL_SOCKET, SO_PASSRIGHTS] = [1, 83];
const [O_NONBLOCK, O_CLOEXEC] = [0o4000, 0o2000000];

const openSocket = (flags = 0) =>
  new ForeignFunction('socket', ['int32', 'int32', 'int32']).call(AF_UNIX, SOCK_STREAM | flags, 0);

describe('a listening socket', () => {
  const accepting = new AcceptSocket();
  let directory = '';
  let listening = -1;
  let opened: number[] = [];

  beforeEach(() => {
    directory = mkdtempSync(`${tmpdir()}/dynuser-accept-`);
    listening = openSocket(O_NONBLOCK);
    opened = [listening];
    withAddress('bind', listening);
    new ForeignFunction('listen', ['int32', 'int32']).call(listening, 8);
  });
  afterEach(() => {
    for (const descriptor of opened) {
      closeSync(descriptor);
    }
    rmSync(directory, { recursive: true });
  });

  function withAddress(call: 'bind' | 'connect', descriptor: number): void {
    const address = Buffer.concat([Buffer.of(AF_UNIX, 0), Buffer.from(`${directory}/socket\0`)]);
    new ForeignFunction(call, ['int32', 'pointer', 'int32']).call(descriptor, address, address.length);
  }

  /** @returns both ends of a new connection, of which this file closes the accepted one */
  function meet(): { readonly client: number; readonly accepted: number } {
    const client = openSocket();
    withAddress('connect', client);
    const accepted = accepting.accept(listening) ?? assert.fail();
    opened.push(accepted);
    return { client, accepted };
  }

  it('takes no descriptors, nor does what is accepted from it, if the kernel can refuse them', t => {
    const passes = (descriptor: number): number | undefined => {
      const value = Buffer.alloc(4, 0xff);
      const length = Buffer.from(Uint32Array.of(value.length).buffer);
      try {
        new ForeignFunction('getsockopt', ['int32', 'int32', 'int32', 'pointer', 'pointer']).call(
          ...[descriptor, SOL_SOCKET, SO_PASSRIGHTS, value, length],
        );
        return value.readUInt32LE();
      } catch {
        return undefined;
      }
    };
    if (passes(listening) === undefined) {
      accepting.listens(listening);
      t.skip('Linux before 6.16 has no SO_PASSRIGHTS');
      return;
    }
    assert.equal(passes(listening), 1);
    accepting.listens(listening);
    const { client, accepted } = meet();
    opened.push(client);
    assert.deepEqual([passes(listening), passes(accepted), passes(client)], [0, 0, 1]);
  });

  it('is one of varlink, whether or not the kernel takes its role', () => {
    const varlink = new AcceptVarlinkSocket();
    varlink.listens(listening);
    const { client, accepted } = meet();
    opened.push(client);
    varlink.hasTaken(accepted);
    assert.equal(writeSync(client, 'x'), 1);
  });

  it('has another role than what is accepted from it', t => {
    // Files stand in for the sockets: they have attributes before Linux 7.0, too.
    const paths = ['listening', 'accepted', 'other'].map(name => `${directory}/${name}`);
    const files = paths.map(path => openSync(path, 'w'));
    opened.push(...files);
    const varlink = new AcceptVarlinkSocket();
    varlink.listens(files[0] ?? -1);
    for (const file of files.slice(1)) {
      varlink.hasTaken(file);
    }
    const read = 'import os, sys; print(*(os.getxattr(path, "user.varlink").decode() for path in sys.argv[1:]))';
    const { status, stdout, stderr } = spawnSync('python3', ['-c', read, ...paths], { encoding: 'utf8' });
    if (/ENOTSUP|not supported/.test(stderr)) {
      return t.skip('the file system of temporary files has no attributes');
    }
    assert.deepEqual([status, stdout], [0, 'listen server server\n']);
  });

  it('has no connection if nobody waits', () => {
    assert.equal(accepting.accept(listening), undefined);
    closeSync(meet().client);
    assert.equal(accepting.accept(listening), undefined);
  });

  it('gives connections that neither wait nor are there for other programs', () => {
    const { client, accepted } = meet();
    const flags = /^flags:\t([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${accepted}`, 'latin1'))?.[1];
    assert.equal(Number.parseInt(flags ?? '', 8) & (O_NONBLOCK | O_CLOEXEC), O_NONBLOCK | O_CLOEXEC);
    closeSync(client);
  });

  it('knows who has left without a word, and takes away nothing of what others have sent', () => {
    const { client, accepted } = meet();
    assert.equal(accepting.hasLeft(accepted), false, 'it is there, and silent');
    writeSync(client, 'word');
    assert.equal(accepting.hasLeft(accepted), false);
    closeSync(client);
    assert.equal(accepting.hasLeft(accepted), false, 'what it said is still to be read');
    const silent = meet();
    closeSync(silent.client);
    assert.equal(accepting.hasLeft(silent.accepted), true);
    const halfClosed = meet();
    new ForeignFunction('shutdown', ['int32', 'int32']).call(halfClosed.client, SHUT_WR);
    assert.equal(accepting.hasLeft(halfClosed.accepted), true);
    closeSync(halfClosed.client);
  });

  it('is told from other files', () => {
    const file = openSync('/dev/null', 'r');
    assert.throws(() => accepting.accept(file), { code: 'ENOTSOCK', syscall: 'accept4' });
    assert.equal(accepting.hasLeft(file), false, 'that shows when it is read from');
    closeSync(file);
    assert.throws(() => accepting.accept(-1), { code: 'EBADF', syscall: 'accept4' });
  });
});
