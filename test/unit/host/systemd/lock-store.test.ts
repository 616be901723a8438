/** Locks that outlive who took them: by a service manager that stores descriptors, and by the lock keeper. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { asUid, type Uid } from '../../../../src/core/ids.ts';
import { DescriptorSocket, type ReceivedMessage } from '../../../../src/host/libc/descriptor-socket.ts';
import { flock, LOCK_EXCLUSIVE } from '../../../../src/host/libc/libc.ts';
import {
  findManagerStore,
  keptName,
  LOCK_KEEPER,
  LOCKS_KEPT_MAX,
  LockStore,
  openLockStore,
  uidOfKeptName,
} from '../../../../src/host/systemd/lock-store.ts';
import { CHECKOUT } from '../../../../src/tooling/checkout.ts';
import { until } from '../../../support/until.ts';

const HELPER = `${CHECKOUT}dist/lib/dynuser-helper`;
const MODULE = new URL('../../../../src/host/systemd/lock-store.js', import.meta.url).href;
const LIBC = new URL('../../../../src/host/libc/libc.js', import.meta.url).href;

function uid(number: number): Uid {
  return asUid(number) ?? assert.fail();
}

let top = '';
beforeEach(() => {
  top = mkdtempSync(`${tmpdir()}/dynuser-store-`);
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

function canLock(path: string): boolean {
  return spawnSync('flock', ['--nonblock', path, 'true']).status === 0;
}

/** Opens and locks a file, as the daemon does. */
function locked(name: string): number {
  const descriptor = openSync(`${top}/${name}`, 'w+');
  assert.ok(flock(descriptor, LOCK_EXCLUSIVE));
  return descriptor;
}

describe('a store', () => {
  /** The far end of a store's socket is read by us. */
  function storeOf(capacity: number, delayMs = 0) {
    const { near, far } = DescriptorSocket.pair();
    const failures: string[] = [];
    const peer = new DescriptorSocket(far);
    peer.limitWait(1_000);
    return {
      store: new LockStore({ socket: near, capacity, delayMs, onFailure: what => failures.push(what) }),
      peer,
      failures,
    };
  }

  /** The store's timer is of this very process: it has to have its turns. */
  async function untilReceived(peer: DescriptorSocket): Promise<ReceivedMessage> {
    for (;;) {
      await sleep(0);
      try {
        return peer.receive() ?? assert.fail();
      } catch (error) {
        assert.match(String(error), /EAGAIN/);
      }
    }
  }

  it('is sent a duplicate under a name, and told to remove it before another of that name', async () => {
    const { store, peer } = storeOf(10);
    const [one, two] = [locked('1'), locked('2')];
    store.keep(uid(61_200), one);
    store.keep(uid(61_200), two);
    store.drop(uid(61_200));
    store.drop(uid(61_200));
    const texts = [];
    for (let count = 0; count < 4; count++) {
      const { text, descriptor } = peer.receive() ?? assert.fail();
      texts.push([text, descriptor === undefined ? undefined : readlinkSync(`/proc/self/fd/${descriptor}`)]);
      if (descriptor !== undefined) {
        closeSync(descriptor);
      }
    }
    assert.deepEqual(texts, [
      ['FDSTORE=1\nFDNAME=uid-61200\n', `${top}/1`],
      ['FDSTOREREMOVE=1\nFDNAME=uid-61200\n', undefined],
      ['FDSTORE=1\nFDNAME=uid-61200\n', `${top}/2`],
      ['FDSTOREREMOVE=1\nFDNAME=uid-61200\n', undefined],
    ]);
    await store.close();
    assert.equal(peer.receive(), undefined);
    peer.close();
    closeSync(one);
    closeSync(two);
  });

  it('is told of a lock that has been held for the delay, and not of one that is younger', async context => {
    let now = 0;
    context.mock.method(performance, 'now', () => now);
    context.mock.timers.enable({ apis: ['setTimeout'] });
    const pass = (ms: number): void => {
      now += ms;
      context.mock.timers.tick(ms);
    };
    const { store, peer } = storeOf(10, 500);
    const file = locked('1');
    store.keep(uid(1), file);
    pass(400);
    store.keep(uid(2), file);
    store.keep(uid(3), file);
    pass(100);
    assert.equal(peer.receive()?.text, 'FDSTORE=1\nFDNAME=uid-1\n');
    store.drop(uid(2));
    pass(400);
    assert.equal(peer.receive()?.text, 'FDSTORE=1\nFDNAME=uid-3\n');
    await store.close();
    assert.equal(peer.receive(), undefined);
    peer.close();
    closeSync(file);
  });

  it('is not told of a lock that is let go within the delay, and of all that are held at the end', async () => {
    const { store, peer } = storeOf(10, 60_000);
    const file = locked('1');
    for (const number of [1, 2, 3]) {
      store.keep(uid(number), file);
    }
    store.drop(uid(1));
    await store.close();
    const texts = [];
    for (let message = peer.receive(); message !== undefined; message = peer.receive()) {
      texts.push(message.text);
      closeSync(message.descriptor ?? assert.fail());
    }
    assert.deepEqual(texts, ['FDSTORE=1\nFDNAME=uid-2\n', 'FDSTORE=1\nFDNAME=uid-3\n']);
    peer.close();
    closeSync(file);
  });

  it('waits for a full queue, and then says what is so by then', async () => {
    const { store, peer, failures } = storeOf(8_000);
    const file = locked('1');
    for (let number = 0; number < 4_000; number++) {
      store.keep(uid(61_184 + number), file);
    }
    // Of the last ones nothing was sent yet, and nothing has to be.
    for (let number = 3_990; number < 4_000; number++) {
      store.drop(uid(61_184 + number));
    }
    const named = new Set<string>();
    while (named.size < 3_990) {
      // Then there is more: to receive waits, and nothing is sent meanwhile.
      const { text, descriptor } = await untilReceived(peer);
      named.add(text);
      closeSync(descriptor ?? assert.fail());
    }
    await store.close();
    assert.equal(peer.receive(), undefined, 'nothing else was sent');
    assert.deepEqual(failures, []);
    peer.close();
    closeSync(file);
  });

  it('lets go of each lock that it has, however full its queue is', async () => {
    const { store, peer, failures } = storeOf(8_000);
    const file = locked('1');
    const uids = Array.from({ length: 2_000 }, (_, index) => uid(61_184 + index));
    for (const each of uids) {
      store.keep(each, file);
      closeSync((await untilReceived(peer)).descriptor ?? assert.fail());
    }
    for (const each of uids) {
      store.drop(each);
    }
    const removed = new Set<string>();
    while (removed.size < uids.length) {
      removed.add((await untilReceived(peer)).text);
    }
    assert.deepEqual(
      [...removed],
      uids.map(each => `FDSTOREREMOVE=1\nFDNAME=uid-${each}\n`),
    );
    await store.close();
    assert.equal(peer.receive(), undefined, 'nothing else was sent');
    assert.deepEqual(failures, []);
    peer.close();
    closeSync(file);
  });

  it('says once that it is full, and keeps what it has', async () => {
    const { store, peer, failures } = storeOf(2);
    const file = locked('1');
    for (const number of [1, 2, 3, 4]) {
      store.keep(uid(number), file);
    }
    store.drop(uid(1));
    store.keep(uid(3), file);
    await store.close();
    const texts = [];
    for (let message = peer.receive(); message !== undefined; message = peer.receive()) {
      texts.push(message.text.replaceAll('\n', ' '));
      closeSync(message.descriptor ?? openSync('/dev/null', 'r'));
    }
    assert.deepEqual(texts, [
      ...[1, 2].map(number => `FDSTORE=1 FDNAME=uid-${number} `),
      'FDSTOREREMOVE=1 FDNAME=uid-1 ',
      'FDSTORE=1 FDNAME=uid-3 ',
    ]);
    assert.equal(failures.length, 1);
    peer.close();
    closeSync(file);
  });
});

describe('a store whose other side has gone', () => {
  /** @returns a new socket, and the far end that receives of it */
  function connection(): { readonly near: DescriptorSocket; readonly peer: DescriptorSocket } {
    const { near, far } = DescriptorSocket.pair();
    const peer = new DescriptorSocket(far);
    peer.limitWait(1_000);
    return { near, peer };
  }

  /** @returns the UIDs whose locks have arrived; none was let go of */
  function kept(peer: DescriptorSocket): readonly string[] {
    const names: string[] = [];
    for (let message = peer.receive(); message !== undefined; message = peer.receive()) {
      names.push(/^FDSTORE=1\nFDNAME=(uid-\d+)\n$/.exec(message.text)?.[1] ?? assert.fail());
      closeSync(message.descriptor ?? assert.fail());
    }
    return names;
  }

  it('says so once if there is no other, and costs its user nothing', async () => {
    const { near, peer } = connection();
    const failures: (readonly [what: string, cause: unknown])[] = [];
    const onFailure = (what: string, cause: unknown) => failures.push([what, cause]);
    const store = new LockStore({ socket: near, capacity: 10, onFailure });
    const file = locked('1');
    peer.close();
    for (const number of [1, 2, 3]) {
      store.keep(uid(number), file);
    }
    store.drop(uid(1));
    await store.close();
    await store.close();
    closeSync(file);
    assert.deepEqual(
      failures.map(([what]) => what),
      ['the locks of users are not kept any more: they end with this daemon'],
    );
    assert.match(String(failures[0]?.[1]), /EPIPE/);
  });

  it('tells a new one all that is to be kept, and how it came to be', async () => {
    const [first, second] = [connection(), connection()];
    const failures: string[] = [];
    const onFailure = (what: string) => failures.push(what);
    const store = new LockStore({ socket: first.near, capacity: 10, reopen: () => second.near, onFailure });
    const file = locked('1');
    for (const number of [1, 2, 3]) {
      store.keep(uid(number), file);
    }
    first.peer.close();
    store.drop(uid(2));
    store.keep(uid(4), file);
    await store.close();
    closeSync(file);
    assert.deepEqual(kept(second.peer), ['uid-1', 'uid-3', 'uid-4']);
    assert.deepEqual(failures, ['what kept the locks of users has gone, and was replaced']);
    second.peer.close();
  });

  it('tells a new one of each lock once, also of those that were not held for the delay yet', async context => {
    let now = 0;
    context.mock.method(performance, 'now', () => now);
    context.mock.timers.enable({ apis: ['setTimeout'] });
    const [first, second] = [connection(), connection()];
    const reopen = () => second.near;
    const store = new LockStore({ socket: first.near, capacity: 10, delayMs: 500, reopen, onFailure: () => {} });
    const file = locked('1');
    first.peer.close();
    for (const number of [1, 2, 3]) {
      store.keep(uid(number), file);
      now += 100;
      context.mock.timers.tick(100);
    }
    for (let passed = 0; passed < 1_000; passed += 10) {
      now += 10;
      context.mock.timers.tick(10);
    }
    await store.close();
    closeSync(file);
    assert.deepEqual(kept(second.peer), ['uid-1', 'uid-2', 'uid-3']);
    second.peer.close();
  });

  it('is not replaced again at once, nor if that fails', async () => {
    const [first, second] = [connection(), connection()];
    const failures: string[] = [];
    const sockets = [second.near];
    const store = new LockStore({
      socket: first.near,
      capacity: 10,
      reopen: () => sockets.pop() ?? assert.fail('it was asked for a third time'),
      onFailure: what => failures.push(what),
    });
    const file = locked('1');
    first.peer.close();
    store.keep(uid(1), file);
    second.peer.close();
    await store.close();
    const third = connection();
    third.peer.close();
    const failing = new LockStore({
      socket: third.near,
      capacity: 10,
      reopen: () => {
        throw new Error('no process can be started');
      },
      onFailure: (what, cause) => failures.push(`${what}: ${cause}`),
    });
    failing.keep(uid(1), file);
    failing.keep(uid(2), file);
    await failing.close();
    closeSync(file);
    assert.deepEqual(failures, [
      'what kept the locks of users has gone, and was replaced',
      'the locks of users are not kept any more: they end with this daemon',
      'the locks of users cannot be kept: they end with this daemon: Error: no process can be started',
    ]);
  });

  it('is replaced again, but not within a second', async context => {
    let now = 50_000;
    context.mock.method(performance, 'now', () => now);
    for (const [passed, told] of [
      [999, 'the locks of users are not kept any more: they end with this daemon'],
      [1_000, 'what kept the locks of users has gone, and was replaced'],
    ] as const) {
      const [first, second, third] = [connection(), connection(), connection()];
      const sockets = [second.near, third.near];
      const failures: string[] = [];
      const onFailure = (what: string) => failures.push(what);
      const reopen = () => sockets.shift() ?? assert.fail();
      const store = new LockStore({ socket: first.near, capacity: 10, reopen, onFailure });
      const file = locked('1');
      first.peer.close();
      store.keep(uid(1), file);
      second.peer.close();
      now += passed;
      await store.close();
      assert.deepEqual(failures, ['what kept the locks of users has gone, and was replaced', told]);
      closeSync(file);
      for (const socket of sockets) {
        socket.close();
      }
      third.peer.close();
    }
  });

  it('is waited for no longer than a second at the end, if it is there and receives nothing', async context => {
    const { near, peer } = connection();
    const store = new LockStore({ socket: near, capacity: 8_000, onFailure: what => assert.fail(what) });
    const file = locked('1');
    for (let number = 0; number < 4_000; number++) {
      store.keep(uid(61_184 + number), file);
    }
    let now = 50_000;
    context.mock.method(performance, 'now', () => {
      now += 250;
      return now;
    });
    await store.close();
    assert.ok(kept(peer).length < 4_000);
    peer.close();
    closeSync(file);
  });

  it('says again that it is full once there was space in between', async () => {
    const { near, peer } = connection();
    const failures: string[] = [];
    const inherited = new Map([[uid(1), locked('1')]]);
    const store = new LockStore({ socket: near, capacity: 2, inherited, onFailure: what => failures.push(what) });
    const file = locked('2');
    const full = '2 locks are kept beyond the end of the daemon, and no more';
    store.keep(uid(2), file);
    store.keep(uid(2), file);
    assert.deepEqual(failures, [], 'what is inherited counts, and each UID once');
    store.keep(uid(3), file);
    store.keep(uid(4), file);
    assert.deepEqual(failures, [full]);
    store.drop(uid(7));
    store.keep(uid(5), file);
    assert.deepEqual(failures, [full], 'nothing has changed');
    store.drop(uid(1));
    store.keep(uid(3), file);
    store.keep(uid(4), file);
    assert.deepEqual(failures, [full, full]);
    await store.close();
    await store.close();
    closeSync(file);
    closeSync(inherited.get(uid(1)) ?? -1);
    peer.close();
  });
});

describe('the choice of a store', () => {
  let failures: string[] = [];
  const onFailure = (what: string, cause: unknown) => failures.push(`${what}: ${cause}`);
  const programs: ChildProcess[] = [];
  beforeEach(() => {
    failures = [];
  });
  afterEach(() => {
    for (const program of programs.splice(0)) {
      program.kill('SIGKILL');
    }
  });

  /** Runs a program that says a dot when it listens. @returns it, and its end */
  async function listening(program: string, ...argv: readonly string[]) {
    const child = spawn('python3', ['-c', program, ...argv], { stdio: ['ignore', 'pipe', 'inherit'] });
    programs.push(child);
    const closed = once(child, 'close');
    await once(child.stdout, 'data');
    return { child, closed };
  }

  /** Binds a datagram socket, says so with a dot, and prints so many messages with what their descriptors are. */
  const RECEIVER = `
import array, os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
sys.stdout.write('.')
sys.stdout.flush()
for count in range(int(sys.argv[2])):
    text, control, flags, address = s.recvmsg(65536, 64)
    links = [os.readlink('/proc/self/fd/%d' % fd) for level, kind, data in control for fd in array.array('i', data)]
    print(' '.join(text.decode().split('\\n')) + ' '.join(links))`;

  it('is that of the service manager, with what it has passed', async () => {
    const address = `${top}/notify`;
    const { child, closed } = await listening(RECEIVER, address, '2');
    let output = '';
    child.stdout.on('data', bytes => {
      output += String(bytes);
    });
    const files = ['61200', '61201', 'more', 'other'].map(locked);
    const names = ['uid-61200', 'uid-61201', 'uid-61201', 'varlink'];
    const stored = files.map((descriptor, index) => ({ descriptor, name: names[index] ?? '' }));
    const manager = { address, capacity: 3 };
    const store = openLockStore({ manager, stored, runtimeDirectory: top, helper: '/nonexistent', onFailure });
    assert.deepEqual(
      [...(store?.inherited ?? [])],
      [
        [61_200, files[0]],
        [61_201, files[1]],
      ],
    );
    // What is closed meanwhile is not a fault: ls has the rest.
    const open = execFileSync('sh', ['-c', `ls -l /proc/${process.pid}/fd || true`], { encoding: 'utf8' });
    assert.match(open, /\/61201$/m);
    assert.doesNotMatch(open, /\/(?:more|other)$/m, 'a second one of a name, and what is not a lock');
    const file = locked('61202');
    store?.keep(uid(61_202), file);
    store?.keep(uid(61_203), file);
    store?.drop(uid(61_200));
    await store?.close();
    await closed;
    const lines = output.trim().split('\n');
    assert.deepEqual(lines.map(line => line.trimEnd()).toSorted(), [
      `FDSTORE=1 FDNAME=uid-61202 ${top}/61202`,
      'FDSTOREREMOVE=1 FDNAME=uid-61200',
    ]);
    assert.deepEqual(failures, ['3 locks are kept beyond the end of the daemon, and no more: undefined']);
    assert.equal(existsSync(`${top}/${LOCK_KEEPER}`), false);
    for (const descriptor of [...files.slice(0, 2), file]) {
      closeSync(descriptor);
    }
  });

  it('finds no store, and says why, if the service manager cannot be reached', () => {
    const manager = { address: `${top}/notify`, capacity: 3 };
    const store = openLockStore({ manager, stored: [], runtimeDirectory: top, helper: '/nonexistent', onFailure });
    assert.equal(store, undefined);
    assert.match(failures.join(), /^the locks of users cannot be kept: they end with this daemon: Error: ENOENT/);
  });

  it('finds no store, and says why, if there is no keeper and none can be started', async () => {
    const choice = { manager: undefined, stored: [], runtimeDirectory: top, onFailure };
    assert.equal(openLockStore({ ...choice, helper: '/bin/false' }), undefined);
    assert.equal(openLockStore({ ...choice, helper: '/nonexistent' }), undefined);
    await until('it is told of the program', () => failures.length === 3);
    assert.deepEqual(
      failures.map(failure => failure.replace(/ Error: .*/, '')),
      [
        'the locks of users cannot be kept: they end with this daemon:',
        'the locks of users cannot be kept: they end with this daemon:',
        'the lock keeper cannot be started:',
      ],
    );
  });

  /** Listens as a keeper does, says so with a dot, and sends what it was given to who connects. */
  const KEEPER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.bind(sys.argv[1])
s.listen()
sys.stdout.write('.')
sys.stdout.flush()
connection, address = s.accept()
for message in sys.argv[2:]:
    with open('/dev/zero') as file:
        socket.send_fds(connection, [message.encode()], [file.fileno()] if message != 'END' else [])
if 'END' in sys.argv:
    connection.recv(1)`;

  async function withKeeper(messages: readonly string[], use: (path: string) => Promise<void> | void): Promise<void> {
    const path = `${top}/${LOCK_KEEPER}`;
    const { closed } = await listening(KEEPER, path, ...messages);
    await use(path);
    await closed;
  }

  it('is the keeper that is there, with each of its locks once', () =>
    withKeeper(['uid-61200', 'uid-61201', 'uid-61201', 'varlink', 'END'], async () => {
      const choice = { manager: undefined, stored: [], runtimeDirectory: top, helper: '/nonexistent', onFailure };
      const before = readdirSync('/proc/self/fd').length;
      const store = openLockStore(choice) ?? assert.fail();
      assert.deepEqual([...store.inherited.keys()], [61_200, 61_201]);
      assert.equal(readdirSync('/proc/self/fd').length, before + 3, 'a connection, and two locks');
      for (const descriptor of store.inherited.values()) {
        assert.equal(readlinkSync(`/proc/self/fd/${descriptor}`), '/dev/zero');
        closeSync(descriptor);
      }
      await store.close();
      assert.deepEqual(failures, []);
    }));

  for (const [words, count] of [
    ['what it has', 1],
    ['all that it has', LOCKS_KEPT_MAX],
  ] as const) {
    it(`is nobody’s if a keeper is there and does not hand over ${words}: leases would be lost`, () =>
      withKeeper(Array<string>(count).fill('uid-61200'), path => {
        const choice = { manager: undefined, stored: [], runtimeDirectory: top, helper: '/nonexistent', onFailure };
        assert.throws(() => openLockStore(choice), {
          code: 'HostFailed',
          message: `the lock keeper at ${path} does not hand over its locks; end that process, which loses the locks of users whose UID somebody else takes, or restart the host: it has closed the connection`,
        });
        assert.deepEqual(failures, []);
      }));
  }

  it('is a new keeper if anything else is in place of its socket', async () => {
    const path = `${top}/${LOCK_KEEPER}`;
    const abandon = `require('net').createServer().listen('${path}', () => process.kill(process.pid, 'SIGKILL'))`;
    for (const make of [
      () => writeFileSync(path, ''),
      () => symlinkSync('/dev/null', path),
      () => void spawnSync(process.execPath, ['-e', abandon], { stdio: 'ignore' }),
    ]) {
      make();
      const choice = { manager: undefined, stored: [], runtimeDirectory: top, helper: HELPER, onFailure };
      const store = openLockStore(choice) ?? assert.fail(failures.join());
      assert.deepEqual([...store.inherited], []);
      await store.close();
      await until('it has ended', () => !existsSync(path));
    }
  });
});

describe('the lock keeper', () => {
  const choice = () => ({ manager: undefined, stored: [], runtimeDirectory: top, helper: HELPER, onFailure });
  let failures: string[] = [];
  const onFailure = (what: string) => failures.push(what);
  beforeEach(() => {
    failures = [];
  });

  /** Runs a program that keeps the locks of some files and then stays, as a daemon does. @returns kills it */
  async function daemon(...uids: readonly number[]): Promise<() => void> {
    const program = `
      import { openSync } from 'node:fs';
      import { openLockStore } from ${JSON.stringify(MODULE)};
      import { flock } from ${JSON.stringify(LIBC)};
      const choice = ${JSON.stringify({ ...choice(), onFailure: undefined })};
      const store = openLockStore({ ...choice, onFailure: (what, cause) => console.error(what, cause) });
      for (const uid of ${JSON.stringify(uids)}) {
        const descriptor = openSync(${JSON.stringify(top)} + '/' + uid, 'w+');
        flock(descriptor, 2);
        store.keep(uid, descriptor);
      }
      console.log('kept');
      setInterval(() => {}, 1_000);`;
    const argv = ['--input-type=module', '-e', program];
    const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
    await new Promise(resolve => child.stdout?.once('data', resolve));
    // As supervisors do: the whole process group.
    return () => process.kill(-(child.pid ?? assert.fail()), 'SIGKILL');
  }

  function keeperPid(): number | undefined {
    const pids = readdirSync('/proc').filter(name => /^\d+$/.test(name));
    const found = pids.find(pid => commandOf(pid).endsWith(`\0keep-locks\0${top}/${LOCK_KEEPER}\0`));
    return found === undefined ? undefined : Number(found);
  }

  function commandOf(pid: string): string {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
    } catch {
      // It has ended meanwhile.
      return '';
    }
  }

  it('keeps locks over the SIGKILL of a daemon and its process group, and gives them to the next', async () => {
    const kill = await daemon(61_200, 61_201);
    kill();
    assert.deepEqual(
      ['61200', '61201'].map(name => canLock(`${top}/${name}`)),
      [false, false],
    );
    const store = openLockStore(choice()) ?? assert.fail();
    const { inherited } = store;
    assert.deepEqual([...inherited.keys()].toSorted(), [61_200, 61_201]);
    const [first, second] = [inherited.get(uid(61_200)), inherited.get(uid(61_201))];
    assert.ok(first !== undefined && second !== undefined);
    assert.equal(readlinkSync(`/proc/self/fd/${first}`), `${top}/61200`);
    assert.ok(flock(first, LOCK_EXCLUSIVE), 'it is the very lock');
    store.drop(uid(61_200));
    closeSync(first);
    await until('the lock that was let go is free', () => canLock(`${top}/61200`));
    closeSync(second);
    assert.equal(canLock(`${top}/61201`), false, 'the keeper has it still');
    store.drop(uid(61_201));
    await store.close();
    await until(
      'it ends when it keeps nothing',
      () => keeperPid() === undefined && !existsSync(`${top}/${LOCK_KEEPER}`),
    );
    assert.equal(canLock(`${top}/61201`), true);
    assert.deepEqual(failures, []);
  });

  it('ends with its socket, so that no process stays behind a runtime directory that is gone', async () => {
    (await daemon(61_200))();
    assert.ok(keeperPid() !== undefined);
    rmSync(`${top}/${LOCK_KEEPER}`);
    await until('it is gone', () => keeperPid() === undefined);
    assert.equal(canLock(`${top}/61200`), true);
  });

  it('is replaced while the daemon runs, and the new one has all that is to be kept', async () => {
    const store = openLockStore(choice()) ?? assert.fail();
    const files = ['61200', '61201', '61202'].map(name => locked(name));
    for (const [index, file] of files.slice(0, 2).entries()) {
      store.keep(uid(61_200 + index), file);
    }
    const pid = keeperPid() ?? assert.fail();
    process.kill(pid, 'SIGKILL');
    await until('it is gone', () => keeperPid() !== pid);
    store.keep(uid(61_202), files[2] ?? assert.fail());
    assert.match(failures.join(), /was replaced/);
    await store.close();
    for (const file of files) {
      closeSync(file);
    }
    assert.deepEqual(
      ['61200', '61201', '61202'].map(name => canLock(`${top}/${name}`)),
      [false, false, false],
    );
    process.kill(keeperPid() ?? assert.fail(), 'SIGKILL');
  });

  it('has nothing of its starter: no group, no session, no descriptor, no privilege', async context => {
    context.after(await daemon(61_200));
    const pid = keeperPid() ?? assert.fail();
    const [, , , , group, session] =
      /^\d+ \((.*)\) (.) (\d+) (\d+) (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
    assert.deepEqual([Number(group), Number(session)], [pid, pid]);
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    assert.match(status, /^CapEff:\t0+$/m);
    assert.match(status, /^CapPrm:\t0+$/m);
    assert.match(status, /^NoNewPrivs:\t1$/m);
    // Node gives this one to whatever it starts while it records what runs.
    const own = /^NODE_V8_COVERAGE=[^\0]*\0$/;
    assert.equal(readFileSync(`/proc/${pid}/environ`, 'latin1').replace(own, ''), '');
    const links = execFileSync('sh', ['-c', `for fd in /proc/${pid}/fd/*; do readlink $fd; done`])
      .toString()
      .trim()
      .split('\n');
    assert.deepEqual(
      links.filter(link => !link.startsWith('socket:') && link !== '/dev/null'),
      [`${top}/61200`],
    );
    rmSync(`${top}/${LOCK_KEEPER}`);
  });
});

describe("the service manager's descriptor store", () => {
  const FDSTORE = { NOTIFY_SOCKET: '/run/x/notify', FDSTORE: '4368' };
  const CASES: readonly (readonly [environment: NodeJS.ProcessEnv, capacity: number | undefined])[] = [
    [{}, undefined],
    [{ FDSTORE: '10' }, undefined],
    [{ NOTIFY_SOCKET: '/run/x/notify' }, undefined],
    [{ NOTIFY_SOCKET: '/run/systemd/notify' }, 8_192],
    [FDSTORE, 4_368],
    [{ ...FDSTORE, FDSTORE: '999999' }, 8_192],
    [{ ...FDSTORE, FDSTORE: '0' }, undefined],
    [{ ...FDSTORE, SYSTEMD_EXEC_PID: '7' }, 4_368],
    [{ ...FDSTORE, SYSTEMD_EXEC_PID: '8' }, undefined],
  ];
  for (const [environment, capacity] of CASES) {
    it(`takes ${capacity ?? 'no'} locks with ${JSON.stringify(environment)}`, () => {
      assert.equal(findManagerStore(environment, 7)?.capacity, capacity);
    });
  }

  it('is asked at the address that it has given, and keeps one lock at least', () => {
    assert.deepEqual(findManagerStore({ ...FDSTORE, FDSTORE: '1' }, 7), { address: '/run/x/notify', capacity: 1 });
    assert.deepEqual(findManagerStore({ NOTIFY_SOCKET: '@x', FDSTORE: '9999999999' }, 7), {
      address: '\0x',
      capacity: 8_192,
    });
    for (const count of ['', '01', '-1', '1x', '10000000000']) {
      assert.equal(findManagerStore({ ...FDSTORE, FDSTORE: count }, 7), undefined, count);
    }
  });

  it('knows locks by names that stand for one UID each', () => {
    assert.equal(uidOfKeptName(keptName(asUid(63_769) ?? assert.fail())), 63_769);
    for (const name of ['varlink', 'uid-', 'uid-01', 'uid--1', 'uid-4294967295', 'uid-1x', 'xuid-1', 'uid-1\n']) {
      assert.equal(uidOfKeptName(name), undefined, name);
    }
  });
});
