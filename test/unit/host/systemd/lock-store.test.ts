/** Locks that outlive who took them: by a service manager that stores descriptors, and by the lock keeper. */
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { asUid, type Uid } from '../../../../src/core/ids.ts';
import { DescriptorSocket, type ReceivedMessage } from '../../../../src/host/libc/descriptor-socket.ts';
import { flock, LOCK_EXCLUSIVE } from '../../../../src/host/libc/libc.ts';
import { LockStore } from '../../../../src/host/systemd/lock-store.ts';
import { LOCK_KEEPER, openLockStore } from '../../../../src/host/systemd/open-lock-store.ts';
import { CHECKOUT } from '../../../../src/tooling/checkout.ts';
import { until } from '../../../support/until.ts';

const HELPER = `${CHECKOUT}dist/lib/dynuser-helper`;
const MODULE = new URL('../../../../src/host/systemd/open-lock-store.js', import.meta.url).href;
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
      const { store } = openLockStore({ ...choice, onFailure: (what, cause) => console.error(what, cause) });
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
    const { store, inherited } = openLockStore(choice()) ?? assert.fail();
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
    const { store } = openLockStore(choice()) ?? assert.fail();
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

  it('has nothing of its starter: no group, no session, no descriptor, no privilege', async () => {
    const kill = await daemon(61_200);
    const pid = keeperPid() ?? assert.fail();
    const [, , , , group, session] =
      /^\d+ \((.*)\) (.) (\d+) (\d+) (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
    assert.deepEqual([Number(group), Number(session)], [pid, pid]);
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    assert.match(status, /^CapEff:\t0+$/m);
    assert.match(status, /^CapPrm:\t0+$/m);
    assert.match(status, /^NoNewPrivs:\t1$/m);
    assert.equal(readFileSync(`/proc/${pid}/environ`, 'latin1'), '');
    const links = execFileSync('sh', ['-c', `for fd in /proc/${pid}/fd/*; do readlink $fd; done`])
      .toString()
      .trim()
      .split('\n');
    assert.deepEqual(
      links.filter(link => !link.startsWith('socket:') && link !== '/dev/null'),
      [`${top}/61200`],
    );
    kill();
    rmSync(`${top}/${LOCK_KEEPER}`);
  });
});
