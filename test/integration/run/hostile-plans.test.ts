/** Plans that hold no world together: the start ends in words, no program runs, and the host's mounts are as they were. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import type { LaunchPlan, MountOp } from '../../../src/api/generated/io-dynuser-allocator.ts';
import { LauncherHost } from './fake-daemon.ts';

const NO_UID = 4_294_967_295;
const steps = (...list: readonly MountOp[]): Partial<LaunchPlan> => ({ mountNamespace: true, mountOps: list });
const pin = (slot: number, changes: Partial<MountOp> = {}): MountOp => ({
  kind: 'clone',
  path: '/srv',
  slot,
  ...changes,
});

const PLANS: Readonly<Record<string, readonly [plan: Partial<LaunchPlan>, words: RegExp]>> = {
  'a slot that nothing was pinned to': [steps({ kind: 'attach', path: '/srv', slot: 3 }), /slot 3, which is empty/],
  'a slot that is filled twice': [steps(pin(1), pin(1)), /fills slot 1 twice/],
  'a slot beyond the bound': [steps(pin(1_000_000)), /cannot understand/],
  'too many steps': [steps(...Array.from({ length: 70_000 }, () => pin(0))), /cannot understand|too long/],
  'a way out by ".."': [steps({ kind: 'mkdir', path: '/srv/none/../x' }), /cannot create the directory/],
  'a relative path': [steps({ kind: 'mkdir', path: 'srv/x' }), /cannot create the directory|cannot understand/],
  'a path that is longer than any': [steps(pin(0, { path: `/${'a/'.repeat(3_000)}` })), /cannot open/],
  'a name that is longer than any': [steps({ kind: 'tmpfs', path: `/${'a'.repeat(300)}` }), /cannot open/],
  'an option that tmpfs does not have': [
    steps({ kind: 'tmpfs', path: '/srv', options: ['nonsense=1'] }),
    /cannot create a tmpfs/,
  ],
  'another file system as an option': [
    steps({ kind: 'tmpfs', path: '/srv', options: ['source', 'fstype=proc'] }),
    /cannot create a tmpfs/,
  ],
  'an owner that is nobody': [
    steps(pin(0, { idMap: { diskUid: NO_UID, diskGid: 1, uid: 1, gid: 1 } })),
    /cannot create a user namespace/,
  ],
  'a mapping of a file system that cannot be mapped': [
    steps(pin(0, { path: '/proc', idMap: { diskUid: 0, diskGid: 0, uid: 1, gid: 1 } })),
    /cannot map the owners of \/proc/,
  ],
  'another directory than there is': [
    steps(pin(0, { noSymlinks: true, device: '1', inode: '1' })),
    /is not the directory that was prepared/,
  ],
  'a device as the place of a directory': [
    steps(pin(0), { kind: 'attach', path: '/dev/null', slot: 0 }),
    /cannot mount over/,
  ],
  'a symlink over a directory': [steps({ kind: 'symlink', path: '/srv', target: '/etc' }), /something else is there/],
  'the number that means "no change" as the user': [
    { uid: NO_UID },
    /did not make this process one of user|cannot become user/,
  ],
  'the number that means "no change" as the group': [{ gid: NO_UID }, /group/],
  'the number that means "no change" as a supplementary group': [
    { groups: [NO_UID] },
    /cannot set the supplementary groups/,
  ],
  'groups that the kernel would have in another order': [{ groups: [7, 6] }, /did not set the supplementary groups/],
  'a root that is a file': [{ mountNamespace: true, root: '/etc/passwd' }, /cannot open \/etc\/passwd/],
  'a root that is not there': [{ root: '/nowhere' }, /cannot make \/nowhere the root/],
  'capabilities that the launcher may not give': [
    { ambientSet: 'ffffffffffffffff', boundingSet: '0000000000000000' },
    /capabilit/,
  ],
};

describe('a plan that has', () => {
  let host: LauncherHost;
  before(async () => {
    host = await LauncherHost.boot();
  });
  after(() => host.stop());

  const mounts = (): string => readFileSync(`/proc/${host.machine.pid}/mountinfo`, 'utf8');
  for (const [name, [plan, words]] of Object.entries(PLANS)) {
    it(`${name} is refused`, async () => {
      const before = mounts();
      const { status, stdout, stderr } = await host.run(plan, ['sh', '-c', 'echo ran']);
      assert.deepEqual([status, stdout], [125, ''], stderr);
      assert.match(stderr, words);
      assert.equal(stderr.match(/\n/g)?.length, 1, stderr);
      assert.equal(mounts(), before);
      assert.equal((await host.machine.run(['pgrep', '-x', 'dynuser-run'])).status, 1);
    });
  }
});
