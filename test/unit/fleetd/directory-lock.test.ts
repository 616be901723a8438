/** The lock of a directory, with the calls of one host stopped before each of them, and with each of them carried out twice. */
import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import files from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { DirectoryLock } from '../../../src/fleetd/directory-lock.ts';
import { StoreUnavailable } from '../../../src/fleetd/key-store.ts';

/** More than a program has calls. */
const STEPS_MAX = 64;
const CALLS = ['mkdir', 'open', 'readdir', 'rename', 'rm', 'unlink'] as const;
/** Those that NFS may carry out twice, and answer for the second time. */
const REPEATED: ReadonlySet<string> = new Set(['mkdir', 'rename', 'unlink']);

/** A program whose calls are counted. */
class Actor {
  readonly #stopBefore: number;
  readonly #isRepeated: boolean;
  #count = 0;
  #resume: () => void = () => undefined;
  #stopped: () => void = () => undefined;
  readonly stopped = new Promise<'stopped'>(resolve => {
    this.#stopped = () => resolve('stopped');
  });

  constructor({ stopBefore = -1, isRepeated = false }) {
    this.#stopBefore = stopBefore;
    this.#isRepeated = isRepeated;
  }

  run<Result>(work: () => Promise<Result>): Promise<Result> {
    return actors.run(this, work);
  }

  resume(): void {
    this.#resume();
  }

  async call(name: string, action: () => Promise<unknown>): Promise<unknown> {
    if (this.#count++ === this.#stopBefore) {
      this.#stopped();
      await new Promise<void>(resolve => {
        this.#resume = resolve;
      });
    }
    if (this.#isRepeated && REPEATED.has(name)) {
      await action().catch(() => undefined);
    }
    return action();
  }
}

const actors = new AsyncLocalStorage<Actor>();

describe('the lock of a directory', () => {
  const root = mkdtempSync(`${tmpdir()}/dynuser-lock-`);
  const originals = new Map<string, unknown>();
  let count = 0;

  before(() => {
    for (const name of CALLS) {
      const original = files[name] as (...args: unknown[]) => Promise<unknown>;
      originals.set(name, original);
      Reflect.set(files, name, (...args: unknown[]) => {
        const actor = actors.getStore();
        return actor === undefined ? original(...args) : actor.call(name, () => original(...args));
      });
    }
    syncBuiltinESMExports();
  });
  after(() => {
    for (const [name, original] of originals) {
      Reflect.set(files, name, original);
    }
    syncBuiltinESMExports();
    rmSync(root, { recursive: true });
  });

  async function directory(): Promise<string> {
    count += 1;
    const path = `${root}/${count}`;
    await files.mkdir(path);
    return path;
  }

  const of = (path: string, host: string, waitMs = 2_000) =>
    new DirectoryLock(path, { host, boot: 'boot', waitMs, ownIdleMs: 50 });
  const names = (path: string) => readdirSync(`${path}/lock`).filter(name => !name.startsWith('.'));
  const isHeldBy = (path: string, host: string) => names(path).join().startsWith(`held.${host}.`);

  /** The host x had the lock when it died. */
  async function withDead(): Promise<string> {
    const path = await directory();
    await of(path, 'any').with(async () => undefined);
    renameSync(`${path}/lock/free`, `${path}/lock/held.x.former.1.1.n`);
    return path;
  }

  it('is taken from a dead host once, though several say that it is off, each as slow as it may be', async () => {
    for (let step = 0; ; step++) {
      assert.ok(step < STEPS_MAX);
      const path = await withDead();
      const slow = new Actor({ stopBefore: step });
      const ended = slow.run(() => of(path, 'a').hostIsOff('x')).then(() => 'ended' as const);
      if ((await Promise.race([slow.stopped, ended])) === 'ended') {
        assert.ok(step > 2, 'it was stopped before each call');
        break;
      }
      await of(path, 'b').hostIsOff('x');
      await of(path, 'c').with(async () => {
        slow.resume();
        await ended;
        assert.ok(isHeldBy(path, 'c'), `after step ${step}: ${names(path)}`);
        await assert.rejects(
          of(path, 'd', 20).with(async () => assert.fail('two have it')),
          StoreUnavailable,
        );
      });
      assert.deepEqual(names(path), ['free']);
    }
  });

  it('is taken from a host that died at any step, also at its very first', async () => {
    for (const isFirst of [false, true]) {
      for (let step = 0; ; step++) {
        assert.ok(step < STEPS_MAX);
        const path = await directory();
        if (!isFirst) {
          await of(path, 'b').with(async () => undefined);
        }
        const dies = new Actor({ stopBefore: step });
        const ended = dies.run(() => of(path, 'a').with(async () => undefined)).then(() => 'ended' as const);
        if ((await Promise.race([dies.stopped, ended])) === 'ended') {
          break;
        }
        await of(path, 'b').hostIsOff('a');
        assert.equal(await of(path, 'c').with(async () => isHeldBy(path, 'c')), true, `step ${step}`);
        assert.deepEqual(names(path), ['free']);
        // What was on its way to the server when the host died may still come, and is not a turn that nobody can end.
        dies.resume();
        await ended;
        assert.deepEqual(names(path), ['free']);
      }
    }
  });

  it('is one of those who want it, though the storage carries out twice what it is asked', async () => {
    const path = await directory();
    let inside = 0;
    let turns = 0;
    const hosts = Array.from({ length: 6 }, (_, index) => ({
      lock: of(path, `h${index}`, 20_000),
      actor: new Actor({ isRepeated: index % 2 === 0 }),
    }));
    await Promise.all(
      hosts.map(({ lock, actor }) =>
        actor.run(async () => {
          for (let turn = 0; turn < 5; turn++) {
            await lock.with(async () => {
              inside += 1;
              assert.equal(inside, 1);
              await sleep(1);
              inside -= 1;
              turns += 1;
            });
          }
        }),
      ),
    );
    assert.equal(turns, 30);
    assert.deepEqual(readdirSync(path), ['lock']);
  });

  it('is there again after a copy has lost it', async () => {
    const path = await withDead();
    renameSync(`${path}/lock/held.x.former.1.1.n`, `${path}/lock/.probe.x`);
    await of(path, 'a').with(async () => undefined);
    assert.deepEqual(names(path), ['free']);
  });

  it('is one again after a copy has brought another one', async () => {
    const path = await withDead();
    // In whichever order the directory is listed, and however soon the wait is over.
    for (const waitMs of [50, ...Array.from({ length: 16 }, () => 0)]) {
      writeFileSync(`${path}/lock/free`, '');
      await assert.rejects(
        of(path, 'a', waitMs).with(async () => assert.fail('two have it')),
        /: the host x has its lock; /,
      );
    }
    assert.ok(isHeldBy(path, 'x'));
    await of(path, 'b').hostIsOff('x');
    await of(path, 'c').with(async () => undefined);
    assert.deepEqual(names(path), ['free']);
  });
});
