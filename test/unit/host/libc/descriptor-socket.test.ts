/** Messages with descriptors, over sockets of each kind that is used. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { describe, it, type TestContext } from 'node:test';
import {
  DescriptorSocket,
  SOCK_DGRAM,
  SOCK_SEQPACKET,
  sendUnixDatagram,
} from '../../../../src/host/libc/descriptor-socket.ts';
import { SocketOption } from '../../../../src/host/libc/libc.ts';

const SO_RCVTIMEO = 20;

function temporaryDirectory(context: TestContext): string {
  const path = mkdtempSync(`${tmpdir()}/dynuser-descriptors-`);
  context.after(() => rmSync(path, { recursive: true }));
  return path;
}

/** @returns two ends of a connection, closed after the test */
function pair(context: TestContext): { readonly near: DescriptorSocket; readonly far: DescriptorSocket } {
  const ends = DescriptorSocket.pair();
  const far = new DescriptorSocket(ends.far);
  far.limitWait(5_000);
  context.after(() => {
    ends.near.close();
    far.close();
  });
  return { near: ends.near, far };
}

const descriptors = (): number => readdirSync('/proc/self/fd').length;

describe('a message', () => {
  it('has a text alone, or with a duplicate of a descriptor that no other program gets', context => {
    const { near, far } = pair(context);
    const file = openSync('/dev/zero', 'r');
    near.send('one', file);
    near.send('two');
    near.send('x'.repeat(128), file);
    near.send('four');
    closeSync(file);
    const received = Array.from({ length: 4 }, () => far.receive() ?? assert.fail());
    assert.deepEqual(
      received.map(({ text, descriptor }) => [text, descriptor === undefined]),
      [
        ['one', false],
        ['two', true],
        ['x'.repeat(128), false],
        ['four', true],
      ],
    );
    for (const { descriptor } of received) {
      if (descriptor !== undefined) {
        assert.equal(readlinkSync(`/proc/self/fd/${descriptor}`), '/dev/zero');
        const flags = /^flags:\t([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1'))?.[1];
        assert.notEqual(Number.parseInt(flags ?? '', 8) & 0o2000000, 0, 'it is closed on exec');
        closeSync(descriptor);
      }
    }
  });

  it('is not sent to a queue that is full, and the queue has room again when one was received', context => {
    const { near, far } = pair(context);
    let sent = 0;
    while (near.send(`message ${sent}`)) {
      sent++;
      assert.ok(sent < 100_000);
    }
    assert.ok(sent > 0);
    for (let count = 0; count < sent; count++) {
      assert.equal(far.receive()?.text, `message ${count}`);
    }
    assert.equal(near.send('again'), true);
    assert.equal(far.receive()?.text, 'again');
  });

  it('is waited for as long as was said, and none comes once the other side has closed', () => {
    const ends = DescriptorSocket.pair();
    const far = new DescriptorSocket(ends.far);
    far.limitWait(30);
    const before = performance.now();
    assert.throws(() => far.receive(), { code: 'EAGAIN', syscall: 'recvmsg' });
    assert.ok(performance.now() - before >= 25);
    ends.near.close();
    assert.equal(far.receive(), undefined);
    assert.throws(() => far.send('x'), { code: 'EPIPE', syscall: 'sendmsg' });
    far.close();
  });

  it('is waited for in seconds and parts of them', () => {
    const ends = DescriptorSocket.pair();
    const far = new DescriptorSocket(ends.far);
    const timeout = new SocketOption(SO_RCVTIMEO, 16);
    for (const milliseconds of [2_500, 1_000, 500, 60_000]) {
      far.limitWait(milliseconds);
      assert.equal(timeout.read(ends.far), 16);
      const [seconds, microseconds] = [timeout.value.readBigInt64LE(0), timeout.value.readBigInt64LE(8)];
      assert.equal(Number(seconds) * 1_000 + Number(microseconds) / 1_000, milliseconds);
    }
    far.close();
    ends.near.close();
  });

  it('may carry what was closed on the sender’s side meanwhile, and nothing stays open behind it', context => {
    const { near, far } = pair(context);
    const before = descriptors();
    for (let count = 0; count < 100; count++) {
      const file = openSync('/dev/zero', 'r');
      near.send('x', file);
      closeSync(file);
      closeSync(far.receive()?.descriptor ?? assert.fail());
    }
    assert.equal(descriptors(), before);
  });
});

/** Binds a datagram socket, says so with a dot, and prints so many messages. */
const RECEIVER = `
import array, os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
sys.stdout.write('.')
sys.stdout.flush()
for count in range(int(sys.argv[2])):
    text, control, flags, address = s.recvmsg(65536, 64)
    links = [os.readlink('/proc/self/fd/%d' % fd) for level, kind, data in control for fd in array.array('i', data)]
    print(text.decode(), *links)`;

describe('a datagram socket', () => {
  it('takes single datagrams, and messages with descriptors of who has connected to it', async context => {
    const path = `${temporaryDirectory(context)}/socket`;
    const receiver = spawn('python3', ['-c', RECEIVER, path, '3'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const closed = once(receiver, 'close');
    await once(receiver.stdout, 'data');
    let output = '';
    receiver.stdout.on('data', bytes => {
      output += String(bytes);
    });
    sendUnixDatagram(path, 'single', 1_000);
    const socket = DescriptorSocket.connect(path, SOCK_DGRAM);
    const file = openSync('/dev/zero', 'r');
    socket.send('with', file);
    socket.send('without');
    closeSync(file);
    socket.close();
    await closed;
    assert.equal(output, 'single\nwith /dev/zero\nwithout\n');
  });

  it('that is not there, or not of this kind, is an error, and leaves no descriptor', async context => {
    const path = `${temporaryDirectory(context)}/socket`;
    const server = createServer().listen(path);
    await new Promise(resolve => server.once('listening', resolve));
    const before = descriptors();
    assert.throws(() => DescriptorSocket.connect('/nonexistent/socket', SOCK_DGRAM), {
      code: 'ENOENT',
      syscall: 'connect',
    });
    assert.throws(() => DescriptorSocket.connect(path, SOCK_SEQPACKET), { code: 'EPROTOTYPE', syscall: 'connect' });
    assert.throws(() => sendUnixDatagram('/nonexistent/socket', 'x', 1_000), { code: 'ENOENT', syscall: 'sendto' });
    assert.throws(() => sendUnixDatagram(path, 'x', 1_000), { code: 'EPROTOTYPE', syscall: 'sendto' });
    assert.equal(descriptors(), before);
    server.close();
  });

  it('has an address of 107 bytes at most, so that there is room for its NUL', () => {
    const address = (bytes: number) => `/${'x'.repeat(bytes - 1)}`;
    assert.throws(() => DescriptorSocket.connect(address(107), SOCK_DGRAM), { code: 'ENOENT' });
    for (const long of [address(108), `/${'ä'.repeat(54)}`]) {
      assert.throws(
        () => DescriptorSocket.connect(long, SOCK_DGRAM),
        /is longer than the path of a UNIX socket can be/,
      );
    }
  });
});
