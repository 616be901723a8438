/** Who may do what: what is asked of the kernel about a peer, and which of the names of the configuration are looked up. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Authorization, checkAcquire, checkDirectories } from '../../../src/api/authorization.ts';
import type { Peer } from '../../../src/api/peer.ts';
import type { Standing } from '../../../src/core/access.ts';
import type { AccountAnswer } from '../../../src/core/account.ts';
import { DynuserError } from '../../../src/core/errors.ts';
import { directory, gid, uid } from '../allocator/fakes.ts';
import { worldOf } from './world.ts';

const LISTS = { allowUsers: [], allowGroups: [], directoryUsers: [] };
const HOST: Standing = { kind: 'host', mayChown: true };

/** Looks up accounts in a table, and notes what it is asked. */
function probeOf(accounts: Readonly<Record<string, AccountAnswer>> = {}) {
  const asked: string[] = [];
  const probe = {
    asked,
    gate: async () => {},
    account: async (name: string): Promise<AccountAnswer> => {
      asked.push(name);
      await probe.gate();
      return accounts[name] ?? {};
    },
  };
  return probe;
}

/** A peer that notes what is asked of the kernel about it. */
function peerOf(number: number, standing: Standing = HOST, asked: string[] = []): Peer {
  const { peerOf } = worldOf();
  return peerOf({
    ...{ uid: uid(number), gid: gid(number + 1) },
    groups: () => {
      asked.push('groups');
      return [gid(50)];
    },
    standing: () => {
      asked.push('standing');
      return standing;
    },
  });
}

describe('a peer', () => {
  it('is asked about no more than the decision needs', () => {
    const none = new Authorization({ current: LISTS }, probeOf());
    const groups = new Authorization({ current: { ...LISTS, allowGroups: ['50'] } }, probeOf());
    const foreign: Standing = { kind: 'foreign', reason: 'is elsewhere' };
    for (const [authorization, number, standing, expected] of [
      [none, 1000, HOST, []],
      [groups, 1000, HOST, ['groups']],
      [none, 0, HOST, ['standing']],
      [groups, 0, HOST, ['standing']],
      [groups, 0, foreign, ['standing', 'groups']],
      [none, 0, foreign, ['standing']],
    ] as const) {
      const asked: string[] = [];
      authorization.identify(peerOf(number, standing, asked));
      assert.deepEqual(asked, expected, `${number} ${standing.kind}`);
    }
  });

  it('is who the kernel says: root of this host is one of the UID 0 that is here', () => {
    const authorization = new Authorization({ current: { ...LISTS, allowGroups: ['50'] } }, probeOf());
    const user = authorization.identify(peerOf(1000));
    assert.deepEqual(user, {
      ...{ uid: 1000, gid: 1001, groups: [50], requester: { uid: 1000, isRoot: false } },
    });
    const root = authorization.identify(peerOf(0));
    assert.deepEqual(root, { uid: 0, gid: 1, standing: HOST, groups: [], requester: { uid: 0, isRoot: true } });
    const other = authorization.identify(peerOf(0, { kind: 'foreign', reason: 'is elsewhere' }));
    assert.deepEqual([other.requester, other.groups], [{ uid: 0, isRoot: false }, [50]]);
  });
});

describe('the names of the configuration', () => {
  it('are looked up if they are not numbers, each for what it names', async () => {
    const probe = probeOf({
      bob: { user: { uid: uid(1000), gid: gid(7), name: 'bob' } as never, group: { gid: gid(8) } as never },
      adm: { group: { gid: gid(4) } as never },
      backup: { user: { uid: uid(34) } as never },
    });
    const current = {
      allowUsers: ['bob', '1001', 'adm', 'nobody-knows', 'no name', '4294967295', '0'],
      allowGroups: ['adm', '50', 'bob', 'backup'],
      directoryUsers: ['backup', '0'],
    };
    const { uids, gids, directoryUids } = await new Authorization({ current }, probe).allowed();
    assert.deepEqual([...uids], [1000, 1001, 0]);
    assert.deepEqual([...gids], [4, 50, 8]);
    assert.deepEqual([...directoryUids], [34, 0]);
    assert.ok(!probe.asked.includes('1001') && !probe.asked.includes('no name'));
  });

  it('are not needed for root, and decide on all others', async () => {
    const probe = probeOf({ bob: { user: { uid: uid(1000) } as never } });
    const authorization = new Authorization({ current: { ...LISTS, allowUsers: ['bob'] } }, probe);
    const rights = (number: number) => authorization.rightsOf(authorization.identify(peerOf(number)));
    assert.equal((await rights(0)).directories.allowed, true);
    assert.deepEqual(probe.asked, []);
    assert.deepEqual([(await rights(1000)).acquire.allowed, (await rights(1001)).acquire.allowed], [true, false]);
  });

  it('are looked up once for all who ask meanwhile, and anew for who asks later', async () => {
    const probe = probeOf();
    const authorization = new Authorization({ current: { ...LISTS, allowUsers: ['bob'] } }, probe);
    await Promise.all([authorization.allowed(), authorization.allowed(), authorization.allowed()]);
    assert.deepEqual(probe.asked, ['bob']);
    await authorization.allowed();
    assert.deepEqual(probe.asked, ['bob', 'bob']);
  });

  it('are those of the present configuration, though others are being looked up', async () => {
    const probe = probeOf();
    const config = { current: { ...LISTS, allowUsers: ['bob'] } };
    const authorization = new Authorization(config, probe);
    let open: () => void = () => {};
    const opened = new Promise<void>(resolve => {
      open = resolve;
    });
    probe.gate = () => opened;
    const before = authorization.allowed();
    config.current = { ...LISTS, allowUsers: ['1002'] };
    assert.deepEqual([...(await authorization.allowed()).uids], [1002]);
    const after = authorization.allowed();
    open();
    await Promise.all([before, after]);
    assert.deepEqual(probe.asked, ['bob']);
  });

  it('that cannot be looked up are a failure of the request, and are asked for again', async () => {
    const probe = probeOf();
    probe.gate = () => Promise.reject(new DynuserError('ProbeFailed', 'NSS'));
    const authorization = new Authorization({ current: { ...LISTS, allowUsers: ['bob'] } }, probe);
    await assert.rejects(authorization.allowed(), /NSS/);
    probe.gate = async () => {};
    assert.equal((await authorization.allowed()).uids.size, 0);
  });
});

describe('what a peer may not', () => {
  const NO = { allowed: false, reason: 'it may not' } as const;
  const YES = { allowed: true } as const;
  const requester = { uid: uid(1000), isRoot: false };
  const refused = (field: string) => (error: unknown) => {
    assert.ok(error instanceof DynuserError);
    assert.deepEqual([error.code, error.message, error.detail.field], ['NotPermitted', 'it may not', field]);
    return true;
  };

  it('is said with the parameter that it is about', () => {
    checkAcquire({ requester, acquire: YES, directories: NO });
    assert.throws(() => checkAcquire({ requester, acquire: NO, directories: NO }), refused('unit'));
    const directories = [directory('logs', 'a'), directory('state', 'b')];
    checkDirectories({ requester, acquire: YES, directories: YES }, directories);
    checkDirectories({ requester, acquire: NO, directories: NO }, []);
    const noDirectories = { requester, acquire: YES, directories: NO };
    assert.throws(() => checkDirectories(noDirectories, directories), refused('logsDirectory'));
    assert.throws(() => checkDirectories({ requester, acquire: NO, directories: YES }, directories), refused('unit'));
  });
});
