/** How functions of libc are called: what goes in, what comes out, and how failures are told. */
import assert from 'node:assert/strict';
import { closeSync, existsSync, fstatSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, it, type TestContext } from 'node:test';
import { DescriptorSocket } from '../../../../src/host/libc/descriptor-socket.ts';
import {
  closeUnless,
  ForeignFunction,
  flock,
  LOCK_EXCLUSIVE,
  LOCK_SHARED,
  SO_PEERCRED,
  SO_PEERGROUPS,
  SocketOption,
} from '../../../../src/host/libc/libc.ts';
import { setGroups } from '../../../support/groups.ts';

const ROOT_ONLY = { skip: process.geteuid?.() !== 0 && 'root alone can have other groups' };

function temporaryDirectory(context: TestContext): string {
  const path = mkdtempSync(`${tmpdir()}/dynuser-libc-`);
  context.after(() => rmSync(path, { recursive: true }));
  return path;
}

describe('a function of libc', () => {
  it('gives its result, and takes arguments of each kind', () => {
    assert.equal(new ForeignFunction('getpid', []).call(), process.pid);
    const difference = new ForeignFunction('memcmp', ['pointer', 'pointer', 'size_t']);
    const [one, other] = [Buffer.from('same, and then a'), Buffer.from('same, and then b')];
    assert.equal(difference.call(one, other, one.length - 1), 0);
    assert.ok(difference.call(other, one, one.length) > 0);
    assert.equal(new ForeignFunction('abs', ['int32']).call(-7), 7);
  });

  it('has arguments that are laid before, behind those that are given with a call', () => {
    const difference = new ForeignFunction('memcmp', ['pointer', 'pointer', 'size_t']).lay(1, Buffer.from('abc'), 3);
    assert.equal(difference.call(Buffer.from('abcd')), 0);
    assert.ok(difference.call(Buffer.from('abdd')) > 0);
    assert.equal(difference.lay(2, 2).call(Buffer.from('abdd')), 0);
  });

  it('fails with an error like those of node:fs', () => {
    const close = new ForeignFunction('close', ['int32']);
    const message = 'EBADF: bad file descriptor, close';
    assert.throws(() => close.call(-1), { code: 'EBADF', errno: -9, syscall: 'close', message });
    assert.throws(() => close.callUnlessItWaits(-1), { code: 'EBADF' });
  });

  it('says by undefined that it would have to wait, or by an error if it is not asked so', () => {
    const { near, far } = DescriptorSocket.pair();
    const receive = new ForeignFunction('recv', ['int32', 'pointer', 'size_t', 'int32']);
    receive.lay(1, Buffer.alloc(8), 8, 0x40);
    assert.equal(receive.callUnlessItWaits(far), undefined);
    assert.throws(() => receive.call(far), { code: 'EAGAIN', syscall: 'recv' });
    near.send('x');
    assert.equal(receive.callUnlessItWaits(far), 1);
    near.close();
    closeSync(far);
  });

  it('may run on another thread', async () => {
    assert.equal(await new ForeignFunction('abs', ['int32']).callOnThread(-7), 7);
    assert.equal(await new ForeignFunction('close', ['int32']).callOnThread(-1), -1);
  });
});

describe('a lock', () => {
  it('excludes others, or is shared, and is never waited for', context => {
    const path = `${temporaryDirectory(context)}/file`;
    const [one, two] = [openSync(path, 'w'), openSync(path, 'w')];
    assert.equal(flock(one, LOCK_EXCLUSIVE), true);
    assert.equal(flock(two, LOCK_EXCLUSIVE), false);
    assert.equal(flock(two, LOCK_SHARED), false);
    assert.equal(flock(one, LOCK_SHARED), true);
    assert.equal(flock(two, LOCK_SHARED), true);
    assert.equal(flock(two, LOCK_EXCLUSIVE), false);
    closeSync(one);
    assert.equal(flock(two, LOCK_EXCLUSIVE), true);
    closeSync(two);
    assert.throws(() => flock(-1, LOCK_EXCLUSIVE), { code: 'EBADF', syscall: 'flock' });
  });

  it('keeps its descriptor open; without it the descriptor is closed, also if there is an error', () => {
    const open = () => openSync('/dev/null', 'r');
    const isOpen = (descriptor: number) => existsSync(`/proc/self/fd/${descriptor}`);
    const held = open();
    assert.equal(
      closeUnless(held, () => true),
      true,
    );
    assert.ok(isOpen(held));
    closeSync(held);
    const free = open();
    assert.equal(
      closeUnless(free, () => false),
      false,
    );
    assert.ok(!isOpen(free));
    const failing = open();
    const fail = (): never => {
      throw new Error('of the lock');
    };
    assert.throws(() => closeUnless(failing, fail), /of the lock/);
    assert.ok(!isOpen(failing));
  });
});

describe('an option of a socket', () => {
  it('is read with its size, again and again', () => {
    const { near, far } = DescriptorSocket.pair();
    const credentials = new SocketOption(SO_PEERCRED, 12);
    assert.equal(credentials.read(far), 12);
    assert.equal(credentials.value.readInt32LE(0), process.pid);
    credentials.value.fill(0);
    assert.equal(credentials.read(far), 12);
    assert.equal(credentials.value.readInt32LE(0), process.pid);
    assert.equal(new SocketOption(SO_PEERCRED, 100).read(far), 12);
    near.close();
    closeSync(far);
  });

  it('is not written if there is too little space for it: the size says how much it takes', ROOT_ONLY, () => {
    setGroups([5, 6, 7]);
    const { near, far } = DescriptorSocket.pair();
    const groups = new SocketOption(SO_PEERGROUPS, 8);
    assert.equal(groups.read(far), 12);
    assert.deepEqual(groups.value, Buffer.alloc(8));
    const enough = new SocketOption(SO_PEERGROUPS, 12);
    assert.equal(enough.read(far), 12);
    assert.deepEqual(new Uint32Array(Uint8Array.from(enough.value).buffer), Uint32Array.of(5, 6, 7));
    near.close();
    closeSync(far);
  });

  it('is told from that of what is not a socket', () => {
    const file = openSync('/dev/null', 'r');
    assert.throws(() => new SocketOption(SO_PEERCRED, 12).read(file), { code: 'ENOTSOCK', syscall: 'getsockopt' });
    assert.ok(fstatSync(file).isCharacterDevice(), 'it stays open');
    closeSync(file);
  });
});
