/** What the companion knows of the bindings, from what a store says of its UIDs. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Changes, KeyStore } from '../../../src/fleetd/key-store.ts';
import { Mirror, type MirrorChanges } from '../../../src/fleetd/mirror.ts';

const CLUSTER = 'c1';

/** What came, one after the other: [revision, UID, value]; a reset is of several. */
async function fed(
  batches: readonly (readonly [revision: number, uid: number, value: string | undefined][] | Changes)[],
) {
  async function* changes(): AsyncGenerator<Changes, void, undefined> {
    for (const batch of batches) {
      if ('reset' in batch) {
        yield batch;
      } else {
        const revision = Math.max(...batch.map(([revision]) => revision));
        yield {
          ...{ cluster: CLUSTER, revision, reset: false },
          changes: batch.map(([revision, uid, value]) => ({ key: `uid/${uid}`, value, revision })),
        };
      }
    }
  }
  const mirror = new Mirror({ changes } as unknown as KeyStore);
  const heard: MirrorChanges[] = [];
  mirror.listen({ changed: each => heard.push(each) });
  await mirror.run();
  return { mirror, heard };
}

function reset(
  revision: number,
  entries: readonly [revision: number, uid: number, value: string][],
  cluster = CLUSTER,
): Changes {
  const changes = entries.map(([revision, uid, value]) => ({ key: `uid/${uid}`, value, revision }));
  return { cluster, revision, reset: true, changes };
}

describe('the notices of a store', () => {
  it('are told to who listens for them: that bindings have to be put again, and who was given up', async () => {
    const told: string[] = [];
    const notices = [
      { key: 'uid/suspended', value: '1.2', revision: 5 },
      { key: 'uid/fenced.00000000000000aa', value: '7.a', revision: 5 },
    ];
    async function* changes(): AsyncGenerator<Changes, void, undefined> {
      const at = { cluster: CLUSTER, reset: false };
      yield { ...at, revision: 4, changes: [{ key: 'uid/7', value: 'web', revision: 4 }] };
      told.push('-');
      yield { ...at, revision: 5, changes: notices };
      told.push('-');
      yield { ...at, revision: 6, changes: notices.map(({ key }) => ({ key, value: undefined, revision: 6 })) };
    }
    const mirror = new Mirror({ changes } as unknown as KeyStore);
    mirror.listen({
      changed: () => undefined,
      suspended: () => told.push('suspended'),
      fenced: ({ host, incarnation }) => told.push(`${host} ${incarnation}`),
    });
    await mirror.run();
    assert.deepEqual(told, ['-', 'suspended', '00000000000000aa 7.a', '-']);
    assert.equal(mirror.uidOf('web'), 7);
  });
});

describe('the mirror of the bindings', () => {
  it('knows names and UIDs, through cool-downs and new bindings', async () => {
    const { mirror, heard } = await fed([
      reset(10, [
        [3, 1, 'web'],
        [9, 2, '-old'],
      ]),
      [[11, 1, '-web']],
      [[12, 3, 'web']],
      [
        [13, 1, undefined],
        [13, 2, 'db'],
      ],
    ]);
    assert.deepEqual([mirror.uidOf('web'), mirror.uidOf('db'), mirror.uidOf('old')], [3, 2, undefined]);
    assert.deepEqual(
      [1, 2, 3].map(uid => mirror.nameOf(uid)),
      [undefined, 'db', 'web'],
    );
    assert.deepEqual(
      heard.map(({ reset, changes }) => [reset, changes.map(({ name, uid, state }) => `${uid} ${name} ${state}`)]),
      [
        [true, ['1 web bound', '2 old cooling']],
        [false, ['1 web cooling']],
        [false, ['3 web bound']],
        [false, ['1 web free', '2 db bound']],
      ],
    );
  });

  it('says what has changed since, as long as it knows', async () => {
    const { mirror } = await fed([reset(10, [[3, 1, 'web']]), [[11, 2, 'db']], [[12, 1, '-web']]]);
    const since = (revision: number, cluster = CLUSTER) => mirror.since({ cluster, revision })?.map(({ uid }) => uid);
    assert.deepEqual([since(10), since(11), since(12)], [[2, 1], [1], []]);
    assert.deepEqual([since(9), since(10, 'another')], [undefined, undefined]);
  });

  it('forgets what it knew when everything comes anew', async () => {
    const { mirror } = await fed([reset(10, [[3, 1, 'web']]), reset(5, [[2, 2, 'db']], 'c2')]);
    assert.deepEqual([mirror.uidOf('web'), mirror.uidOf('db')], [undefined, 2]);
    assert.equal(mirror.since({ cluster: CLUSTER, revision: 10 }), undefined);
  });

  it('passes over what nobody of a fleet has written', async () => {
    const { mirror, heard } = await fed([
      { cluster: CLUSTER, revision: 1, reset: true, changes: [{ key: 'uid/none', value: 'web', revision: 1 }] },
    ]);
    assert.equal(mirror.uidOf('web'), undefined);
    assert.deepEqual(heard[0]?.changes, []);
  });
});
