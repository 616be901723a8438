/** Users of other hosts of a fleet, by the snapshot: who is found, and that a snapshot that is broken names nobody. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { FleetUser } from '../../src/core/fleet.ts';
import { decodeSnapshot, encodeSnapshot, SNAPSHOT_LINE } from '../../src/core/fleet-snapshot.ts';
import { BUILD, buildNative } from '../support/native.ts';
import { publishLinks, USERS } from './support/dynamic-users.ts';
import { NSS_MODULE, run, temporaryDirectory } from './support/nss.ts';

/** The numbers of test/native/support/module.h. */
const [BY_UID, BY_NAME, BY_GID, GROUP_BY_NAME, SHADOW_BY_NAME, GSHADOW_BY_NAME, NEXT] = [0, 1, 2, 3, 4, 5, 6];
const NOT_FOUND = 'status 0';
const MANY = 500;

const user = (name: string, uid: number) => ({ name, uid }) as FleetUser;
/** Names of all lengths, the shortest and the longest, in no order. */
const FLEET = [
  ...Array.from({ length: MANY }, (_, index) => user(`n${(index * 7919) % 10_007}`, 70_000 + ((index * 37) % 1_009))),
  user('a', 65_536),
  user('_Z', 99_999),
  user('abcdefghijabcdefghijabcdefghijk', 90_000),
  user('web-1', 2_147_483_647),
];

buildNative('nss-tests', BUILD);

async function ask(runtime: string, query: number | undefined, uid: number, name: string, more = {}): Promise<string> {
  const probe = [NSS_MODULE, `${query}`, `${uid}`, name];
  const { status, stdout, stderr } = await run(`${BUILD.programs}/probe`, probe, {
    DYNUSER_RUNTIME_DIRECTORY: runtime,
    ...more,
  });
  assert.equal(status, 0, stderr);
  return stdout.trim();
}

function publish(text: string): string {
  const runtime = temporaryDirectory();
  writeFileSync(`${runtime}/fleet.snapshot`, text);
  return runtime;
}

describe('users of other hosts', { concurrency: 2 }, () => {
  const runtime = publish(encodeSnapshot(FLEET));
  publishLinks(runtime);

  it('are found in every database, the first and the last of them, too', async () => {
    const byName = FLEET.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    const byUid = FLEET.toSorted((a, b) => a.uid - b.uid);
    for (const found of [byName[0], byName.at(-1), byUid[0], byUid.at(-1), byName[MANY / 2], byName[7], byUid[99]]) {
      const { name, uid } = found ?? user('', 0);
      assert.match(await ask(runtime, BY_UID, uid, 'x'), new RegExp(`^${name}:x:${uid}:${uid}:`));
      assert.match(await ask(runtime, BY_NAME, 0, name), new RegExp(`^${name}:x:${uid}:${uid}:`));
      assert.match(await ask(runtime, BY_GID, uid, 'x'), new RegExp(`^${name}:x:${uid}:`));
      assert.match(await ask(runtime, GROUP_BY_NAME, 0, name), new RegExp(`^${name}:x:${uid}:`));
      assert.match(await ask(runtime, SHADOW_BY_NAME, 0, name), new RegExp(`^${name}:`));
      assert.match(await ask(runtime, GSHADOW_BY_NAME, 0, name), new RegExp(`^${name}:`));
    }
  });

  it('are nobody else: not the one before, the one behind, or a part of a name', async () => {
    for (const name of ['A', 'zz', 'n', 'web', 'web-10', 'abcdefghijabcdefghijabcdefghij']) {
      assert.equal(await ask(runtime, BY_NAME, 0, name), NOT_FOUND, name);
    }
    for (const uid of [65_537, 99_998, 100_000, 2_147_483_646]) {
      assert.equal(await ask(runtime, BY_UID, uid, 'x'), NOT_FOUND, `${uid}`);
    }
  });

  it('come after those of this host, and are not asked for with the bypass', async () => {
    const [here] = USERS;
    const both = publish(encodeSnapshot([user(here.name, 70_000), user('other', here.uid)]));
    publishLinks(both);
    assert.match(await ask(both, BY_NAME, 0, here.name), new RegExp(`^${here.name}:x:${here.uid}:`));
    assert.match(await ask(both, BY_UID, here.uid, 'x'), new RegExp(`^${here.name}:x:${here.uid}:`));
    assert.equal(await ask(runtime, BY_NAME, 0, 'a', { DYNUSER_NSS_BYPASS: '1' }), NOT_FOUND);
  });

  it('are found, and listed, without a daemon and its links', async () => {
    const alone = publish(encodeSnapshot([user('only', 70_000)]));
    assert.match(await ask(alone, BY_NAME, 0, 'only'), /^only:x:70000:/);
    assert.match(await ask(alone, NEXT, 0, 'x'), /^only:x:70000:/);
  });
});

describe('a snapshot that is broken', { concurrency: 2 }, () => {
  const whole = encodeSnapshot([user('bb', 70_001), user('cc', 70_002)]);
  const found = (runtime: string) => ask(runtime, BY_NAME, 0, 'bb');

  it('names somebody if it is whole', async () => {
    assert.match(await found(publish(whole)), /^bb:/);
    assert.deepEqual(decodeSnapshot(whole)?.length, 2);
  });

  it('names nobody if it is cut short, or too long', async () => {
    for (const length of [0, 1, SNAPSHOT_LINE - 1, SNAPSHOT_LINE, 2 * SNAPSHOT_LINE, whole.length - 1]) {
      assert.equal(await found(publish(whole.slice(0, length))), NOT_FOUND, `${length}`);
      assert.equal(decodeSnapshot(whole.slice(0, length)), undefined);
    }
    assert.equal(await found(publish(`${whole}x`)), NOT_FOUND);
  });

  it('names nobody by a head or a line that cannot be', async () => {
    const lines = whole.split('\n');
    const head = lines[0] ?? '';
    for (const [what, text] of [
      ['another head', whole.replace('dynuser-fleet 1', 'dynuser-fleet 2')],
      ['a longer version', whole.replace('dynuser-fleet 1 ', 'dynuser-fleet 10')],
      ['more than there are', whole.replace(head, head.replace(/ 2$/, ' 3'))],
      ['a negative count', whole.replace(head, head.replace(/ 2$/, '-2'))],
      ['as many as there are numbers', whole.replace(head, head.replace(/ {9}2$/, '9999999999'))],
      ['no name', whole.replace(/^bb/m, '  ')],
      ['a name with a colon', whole.replace(/^bb /m, 'bb:')],
      ['a name with a NUL', whole.replace(/^bb {2}/m, 'bb\0x')],
      ['a UID of root', whole.replace('70001', '    0')],
      ['a UID of an account', whole.replace('70001', ' 1000')],
      ['nobody', whole.replace('70001', '65534')],
      ['no number', whole.replace('70001', '7000x')],
      ['no newline', whole.replaceAll('\n', ' ')],
    ] as const) {
      assert.equal(await found(publish(text)), NOT_FOUND, what);
    }
  });

  it('is not waited for, and nothing but a file is read', async () => {
    const runtime = temporaryDirectory();
    const path = `${runtime}/fleet.snapshot`;
    execFileSync('mkfifo', [path]);
    assert.equal(await found(runtime), NOT_FOUND);
    rmSync(path);
    mkdirSync(path);
    assert.equal(await found(runtime), NOT_FOUND);
    rmSync(path, { recursive: true });
    symlinkSync(`${publish(whole)}/fleet.snapshot`, path);
    assert.equal(await found(runtime), NOT_FOUND);
  });
});
