/** What a directory alone does: its lock, and the journal by which what a crash interrupted is finished. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { after, describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { buildSync } from 'esbuild';
import { DirectoryKeys } from '../../../src/fleetd/directory-keys.ts';
import { FleetError } from '../../../src/fleetd/errors.ts';
import { Fleet } from '../../../src/fleetd/fleet.ts';
import { type Changes, type KeyStore, StoreUnavailable } from '../../../src/fleetd/key-store.ts';
import { CHECKOUT } from '../../../src/tooling/checkout.ts';

const BOOT = 'this-boot';
const GROUP = 65_532;
/** Of a busy machine: a lock of another process is not left alone for so long. */
const WAITS = { waitMs: 1_500, ownIdleMs: 300 };

describe('a registry in a directory', () => {
  const root = mkdtempSync(`${tmpdir()}/dynuser-registry-`);
  let count = 0;
  after(() => rmSync(root, { recursive: true }));

  function make(host = 'a'): { readonly path: string; readonly keys: KeyStore } {
    count += 1;
    const path = `${root}/${count}`;
    return { path, keys: new DirectoryKeys({ path, host, boot: BOOT, ...WAITS }) };
  }

  const put = (keys: KeyStore, key: string, value: string) => keys.transact({ when: [], puts: [{ key, value }] });
  /** Somebody has the lock, which nobody has before. */
  const hold = (path: string, host: string, boot: string, pid: number, startTime = '1') =>
    renameSync(`${path}/lock/free`, `${path}/lock/held.${host}.${boot}.${pid}.${startTime}.n`);
  const isFree = (path: string) => isDeepStrictEqual(readdirSync(`${path}/lock`), ['free']);

  it('finishes what the journal says before anything else', async () => {
    const { path, keys } = make();
    const { revision } = await put(keys, 'x/a', '1');
    // Of two puts one was done, and a delete was not, when its host lost power.
    const puts = [
      { key: 'x/b', value: '2' },
      { key: 'x/c', value: '3' },
    ];
    writeFileSync(`${path}/journal`, JSON.stringify({ revision: revision + 1, puts, deletes: ['x/a'] }));
    writeFileSync(`${path}/keys/x/b`, `${revision + 1}\n-\n2`);
    const { entries } = await keys.read({ below: ['x/'] });
    assert.deepEqual(entries.map(({ key, value }) => `${key}=${value}`).sort(), ['x/b=2', 'x/c=3']);
    assert.equal(existsSync(`${path}/journal`), false);
    assert.equal((await put(keys, 'x/d', '4')).revision, revision + 2);
  });

  it('is whole after its program was killed at any time', async () => {
    const { path, keys } = make();
    await put(keys, 'pair/one', '0');
    await put(keys, 'pair/two', '0');
    const script = `
      import { DirectoryKeys } from ${JSON.stringify(`file://${CHECKOUT}dist/src/fleetd/directory-keys.js`)};
      const keys = new DirectoryKeys({ path: ${JSON.stringify(path)}, host: 'b', boot: ${JSON.stringify(BOOT)} });
      process.stdout.write('begins');
      for (let turn = Number(process.argv[1]); ; turn++) {
        const value = String(turn);
        await keys.transact({ when: [], puts: [{ key: 'pair/one', value }, { key: 'pair/two', value }] });
      }`;
    for (let round = 1; round <= 8; round++) {
      const child = spawn(process.execPath, ['--input-type=module', '-e', script, String(round * 1_000)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await once(child.stdout, 'data');
      await new Promise(resolve => setTimeout(resolve, 40 * Math.random() + 20));
      child.kill('SIGKILL');
      await once(child, 'exit');
      // The same host comes back: it takes the lock of its former process away.
      const next = new DirectoryKeys({ path, host: 'b', boot: BOOT, ...WAITS });
      const seen = await next.transact({ when: [{ key: 'none', is: '' }], otherwise: ['pair/one', 'pair/two'] });
      assert.equal(seen.found.get('pair/one'), seen.found.get('pair/two'));
      assert.equal(isFree(path), true);
    }
  });

  it('waits for the lock of another host for ever, unless that is powered off', async () => {
    const { path, keys } = make();
    await put(keys, 'k', '1');
    hold(path, 'c', 'a-former-boot', 1);
    await assert.rejects(put(keys, 'k', '2'), (error: unknown) => {
      assert.ok(error instanceof StoreUnavailable, String(error));
      assert.match(
        error.message,
        /: the host c has its lock; start its dynuser-fleetd, or forget the host if it is powered off$/,
      );
      return true;
    });
    await keys.hostIsOff?.('d');
    assert.equal(isFree(path), false);
    await keys.hostIsOff?.('c');
    assert.equal((await put(keys, 'k', '3')).done, true);
  });

  it('leaves the lock to a host that is alive', async () => {
    const { path, keys } = make('00000000000000aa');
    const fleet = new Fleet(keys, { uidOf: () => undefined, nameOf: () => undefined });
    await fleet.create('65536-79999');
    const host = '00000000000000bb';
    const request = { host, hostName: 'b', version: '1', ranges: '65536-79999', recorded: undefined, seen: undefined };
    await fleet.join({ ...request, next: 'one', renew: false }, await keys.expiry(60));
    hold(path, host, 'its-boot', 1);
    await assert.rejects(
      fleet.forgetHost(host),
      (error: unknown) => error instanceof FleetError && error.code === 'HostAlive',
    );
    assert.equal(isFree(path), false);
    assert.deepEqual(await fleet.forgetHost(host, true), []);
    assert.equal(isFree(path), true);
  });

  it('takes away the lock of a former boot of this host, and not that of a process that runs', async () => {
    const { path, keys } = make('a');
    await put(keys, 'k', '1');
    const began = readFileSync(`/proc/${process.ppid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ')[19];
    hold(path, 'a', BOOT, process.ppid, began);
    await assert.rejects(put(keys, 'k', '2'), StoreUnavailable);
    // Another process has the number now.
    const [held] = readdirSync(`${path}/lock`);
    renameSync(`${path}/lock/${held}`, `${path}/lock/free`);
    hold(path, 'a', BOOT, process.ppid);
    assert.equal((await put(keys, 'k', '2')).done, true);
    hold(path, 'a', 'a-former-boot', process.ppid, began);
    assert.equal((await put(keys, 'k', '2')).done, true);
  });

  it('is shared by a group, whatever user each of them is', async () => {
    const path = `${root}/of-a-group`;
    mkdirSync(path, { mode: 0o2770 });
    chownSync(path, 0, GROUP);
    chmodSync(path, 0o2770);
    chmodSync(root, 0o711);
    // One file that those users can read: the checkout may be where nobody but root gets. They are made by setpriv(1), since
    // Debian's Node 20 throws in process.setuid().
    const script = `
      import { DirectoryKeys } from './src/fleetd/directory-keys.js';
      process.umask(0o007);
      const keys = new DirectoryKeys({ path: ${JSON.stringify(path)}, host: 'same', boot: ${JSON.stringify(BOOT)} });
      const { done } = await keys.transact({ when: [], puts: [{ key: 'a/b', value: String(process.getuid()) }] });
      process.stdout.write(String(done));`;
    const program = `${root}/transact.mjs`;
    const stdin = { contents: script, resolveDir: `${CHECKOUT}dist` };
    buildSync({ stdin, bundle: true, platform: 'node', format: 'esm', outfile: program });
    chmodSync(program, 0o644);
    for (const uid of ['65530', '65531', '65530']) {
      const argv = [`--reuid=${uid}`, `--regid=${uid}`, `--groups=${GROUP}`, process.execPath, program];
      assert.equal(execFileSync('setpriv', argv, { encoding: 'utf8', cwd: '/', timeout: 20_000 }), 'true');
      assert.equal(readFileSync(`${path}/keys/a/b`, 'utf8').includes(uid), true);
    }
  });

  it('is read again after it was put back from a backup, though it has had as many transactions since', async () => {
    const { path, keys } = make();
    await put(keys, 'w/kept', '1');
    cpSync(path, `${path}.backup`, { recursive: true });
    const { revision } = await put(keys, 'w/lost', '2');
    const changes = keys.changes('w/', AbortSignal.timeout(20_000), assert.fail)[Symbol.asyncIterator]();
    await changes.next();
    rmSync(path, { recursive: true });
    cpSync(`${path}.backup`, path, { recursive: true });
    assert.equal((await put(keys, 'w/since', '3')).revision, revision);
    const { value, done } = await changes.next();
    assert.equal(done, false, 'within 20 s');
    assert.deepEqual(
      (value as Changes).changes.map(({ key, value }) => [key, value]),
      [
        ['w/since', '3'],
        ['w/lost', undefined],
      ],
    );
  });

  it('does not take an empty mount point for its store', async () => {
    const { path, keys } = make();
    await put(keys, 'k', '1');
    rmSync(path, { recursive: true });
    mkdirSync(path);
    await assert.rejects(put(keys, 'k', '2'), (error: unknown) => {
      assert.ok(error instanceof StoreUnavailable, String(error));
      assert.match(error.message, /: it is empty now; mount the shared storage there$/);
      return true;
    });
    assert.equal(existsSync(`${path}/id`), false);
  });

  it('refuses keys that lead elsewhere, and files that are not keys', async () => {
    const { path, keys } = make();
    for (const key of ['../a', 'a/../b', '/a', 'a//b', '.a', `${'a'.repeat(201)}`, 'a\0b']) {
      await assert.rejects(put(keys, key, ''), /^Error: not a key: /);
    }
    await assert.rejects(put(keys, 'k', 'x'.repeat(40_000)), /its value has more than/);
    await assert.rejects(keys.transact({ when: [], deletes: ['../a'] }), /not a key/);
    // None of these is in the way of what comes after it.
    await put(keys, 'k', '1');
    writeFileSync(`${path}/keys/k`, 'something');
    await assert.rejects(keys.read({ keys: ['k'] }), /it is not a key, and somebody else has written it; remove it$/);
    assert.match(readFileSync(`${path}/id`, 'utf8'), /^[0-9a-f]{16}$/);
  });
});
