/** The datagrams that a service manager gets; Python stands in for it, since Node cannot receive them. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, it } from 'node:test';
import { DynuserError } from '../../../../src/core/errors.ts';
import { type Notification, openNotify } from '../../../../src/host/systemd/notify.ts';

/** Binds the address given in hexadecimal, says so with a dot, prints the next datagram and ends. */
const RECEIVER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(bytes.fromhex(sys.argv[1]))
sys.stdout.write('.')
sys.stdout.flush()
sys.stdout.buffer.write(s.recv(65536))`;

/** @returns what arrives at the address, an abstract one with a NUL in front */
async function received(address: string, notification: Notification): Promise<string> {
  const hexadecimal = Buffer.from(address).toString('hex');
  const receiver = spawn('python3', ['-c', RECEIVER, hexadecimal], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(receiver, 'close');
  await once(receiver.stdout, 'data');
  let text = '';
  receiver.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  openNotify({ NOTIFY_SOCKET: address.replace('\0', '@') })(notification);
  await ended;
  return text;
}

describe('notifications', () => {
  it('reach a socket in the file system', async () => {
    const directory = mkdtempSync(`${tmpdir()}/dynuser-notify-`);
    try {
      const text = await received(`${directory}/notify`, { state: 'ready', status: '3 users' });
      assert.equal(text, `READY=1\nMAINPID=${process.pid}\nSTATUS=3 users\n`);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('reach an abstract socket', async () => {
    assert.equal(await received(`\0dynuser-notify-${process.pid}`, { state: 'stopping' }), 'STOPPING=1\n');
  });

  it('cannot be broken up by a newline', async () => {
    const address = `\0dynuser-status-${process.pid}`;
    assert.equal(await received(address, { state: 'status', status: 'a\nREADY=1' }), 'STATUS=a READY=1\n');
  });

  it('say that a reload begins, and when by the clock of the kernel, and that it has ended', async () => {
    const address = `\0dynuser-reload-${process.pid}`;
    const microseconds = () => process.hrtime.bigint() / 1_000n;
    const before = microseconds();
    const text = await received(address, { state: 'reloading' });
    const time = BigInt(/^RELOADING=1\nMONOTONIC_USEC=(\d+)\n$/.exec(text)?.[1] ?? assert.fail(text));
    assert.ok(time >= before && time <= microseconds());
    assert.equal(await received(address, { state: 'reloaded' }), 'READY=1\n');
  });

  it('go nowhere where there is no manager, and the variable is for no child', () => {
    const environment = { NOTIFY_SOCKET: '' };
    openNotify(environment)({ state: 'stopping' });
    assert.deepEqual(environment, {});
  });

  it('say why they do not arrive', () => {
    const notify = openNotify({ NOTIFY_SOCKET: '/nonexistent/notify' });
    assert.throws(
      () => notify({ state: 'stopping' }),
      error =>
        error instanceof DynuserError &&
        error.code === 'HostFailed' &&
        /manager at \/nonexistent\/notify: ENOENT.*sendto/.test(error.message),
    );
  });

  // 108 bytes with the NUL that ends a path, and an abstract name has one in front.
  for (const address of [`/${'x'.repeat(106)}`, `@${'ä'.repeat(53)}`]) {
    it(`takes an address that is as long as one can be, ${address.slice(0, 4)}…`, () => {
      openNotify({ NOTIFY_SOCKET: address });
    });
  }

  for (const address of ['relative', '@', '/', `/${'x'.repeat(107)}`, `@${'ä'.repeat(54)}`, 'vsock:2:1234']) {
    it(`refuses ${address.slice(0, 16)} as an address`, () => {
      assert.throws(() => openNotify({ NOTIFY_SOCKET: address }), /NOTIFY_SOCKET: .* is not a path or abstract name/);
    });
  }
});
