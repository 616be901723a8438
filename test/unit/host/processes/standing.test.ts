/** How root of this host is told from others with its number, by what /proc says. What real namespaces do is in integration/daemon/roots. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { after, describe, it } from 'node:test';
import { asPid, type Pid } from '../../../../src/core/ids.ts';
import { DescriptorSocket } from '../../../../src/host/libc/descriptor-socket.ts';
import { parseRootMount, Standings } from '../../../../src/host/processes/standing.ts';
import { effectiveCapabilities } from '../../../support/capabilities.ts';

const ROOT_ONLY = { skip: process.geteuid?.() !== 0 && 'root alone can' };

describe('proc_pid_mountinfo(5)', () => {
  const ROOT = '27 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw';
  const OTHER = '28 27 0:21 / /proc rw - proc proc rw';

  it('says which directory of which file system is the root', () => {
    assert.equal(parseRootMount(`${OTHER}\n${ROOT}\n`), '8:1 /');
    assert.equal(parseRootMount('31 2 8:1 /machines/one / rw - ext4 /dev/sda1 rw\n'), '8:1 /machines/one');
  });

  it('has the root that was mounted last, over another', () => {
    assert.equal(parseRootMount(`${ROOT}\n40 27 0:50 / / rw - overlay overlay rw\n`), '0:50 /');
  });

  for (const [what, text] of [
    ['a chroot', `${OTHER}\n`],
    ['two that have nothing to do with each other', `${ROOT}\n41 2 0:51 / / rw - tmpfs tmpfs rw\n`],
    ['nothing', ''],
  ] as const) {
    it(`has no root for ${what}`, () => assert.equal(parseRootMount(text), undefined));
  }
});

describe('a process with the UID 0', () => {
  const standings = new Standings();
  after(() => standings.close());
  const pidOf = (number: number | undefined): Pid => asPid(number ?? 0) ?? assert.fail();
  const UNREADABLE = { kind: 'foreign', reason: 'has ended, or cannot be looked at by dynuserd' };
  const HOST = { kind: 'host', mayChown: (effectiveCapabilities() & 3n) === 3n };

  /** A program that stays until its input ends. */
  const STAYING = ['sh', '-c', 'echo .; exec cat'];

  /** @param words what is run: a program that says a line, and stays */
  async function withProcess(words: readonly string[], use: (pid: Pid) => void): Promise<void> {
    const [program = '', ...rest] = words;
    const child = spawn(program, rest, { stdio: ['pipe', 'pipe', 'inherit'] });
    const exited = once(child, 'exit');
    await once(child.stdout, 'data');
    try {
      use(pidOf(child.pid));
    } finally {
      child.stdin.end();
      await exited;
    }
  }

  it('is root of this host if it is like us', () =>
    withProcess(STAYING, pid => {
      assert.deepEqual(standings.ofNumber(pid), HOST);
      assert.deepEqual(standings.ofNumber(pidOf(process.pid)), HOST);
      assert.equal(standings.sharesRoot(pid), true);
    }));

  it('is so in a mount namespace of another, if its root directory is ours', ROOT_ONLY, () =>
    withProcess(['unshare', '--mount', ...STAYING], pid => {
      assert.deepEqual(standings.ofNumber(pid), HOST);
      assert.equal(standings.sharesRoot(pid), true);
    }),
  );

  it('is somebody else in a chroot, also of a mount namespace of another', ROOT_ONLY, async () => {
    const foreign = { kind: 'foreign', reason: 'has another root directory, as in a container or a chroot' };
    const directory = mkdtempSync(`${tmpdir()}/dynuser-standing-`);
    const program = 'import os, sys; os.chroot(sys.argv[1]); print(flush=True); sys.stdin.read()';
    const script = `mount -t tmpfs none ${directory} && exec "$@"`;
    try {
      for (const words of [[], ['unshare', '--mount', 'sh', '-c', script, 'sh']]) {
        await withProcess([...words, 'python3', '-c', program, directory], pid => {
          assert.deepEqual(standings.ofNumber(pid), foreign);
          assert.equal(standings.sharesRoot(pid), false);
        });
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('may lack what it takes to give files away', ROOT_ONLY, async () => {
    for (const capability of ['chown', 'dac_override']) {
      await withProcess(['setpriv', `--bounding-set=-${capability}`, `--inh-caps=-${capability}`, ...STAYING], pid =>
        assert.deepEqual(standings.ofNumber(pid), { kind: 'host', mayChown: false }),
      );
    }
  });

  it('is nobody once it has ended, or if it has no number', async () => {
    const child = spawn('true', { stdio: 'ignore' });
    await once(child, 'exit');
    for (const pid of [pidOf(child.pid), undefined]) {
      assert.deepEqual(standings.ofNumber(pid), UNREADABLE);
      assert.equal(standings.sharesRoot(pid), false);
    }
  });

  it('is known by its connection, if the kernel names the process', () => {
    const { near, far } = DescriptorSocket.pair();
    const before = readdirSync('/proc/self/fd').length;
    const standing = standings.ofPeer(far);
    if (standing.kind !== 'unknown') {
      assert.deepEqual(standing, HOST);
    }
    assert.equal(readdirSync('/proc/self/fd').length, before);
    near.close();
    closeSync(far);
  });

  it('is not held on to by who looks at it', () => {
    const before = readdirSync('/proc/self/fd').length;
    const others = new Standings();
    assert.deepEqual(others.ofNumber(pidOf(process.pid)), HOST);
    others.close();
    others.close();
    assert.equal(readdirSync('/proc/self/fd').length, before);
    assert.equal(others.sharesRoot(pidOf(process.pid)), true, 'it is looked at in another way');
  });
});
