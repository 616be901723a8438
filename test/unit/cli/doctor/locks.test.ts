/** Whether doctor sees leases that are lost, locks of others, and names and numbers that live twice. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Lease } from '../../../../src/api/generated/io-dynuser-allocator.ts';
import { checkLocks } from '../../../../src/cli/doctor/checks/locks.ts';
import { sampleLease } from '../sample.ts';
import { type FakeHost, fakeHost } from './fake-host.ts';
import { CLOSED, expect } from './findings.ts';

const MINE = sampleLease({ uid: 63_769, userName: 'svc42' });
const LOCK = { '/run/systemd/dynamic-uid/63769': 'svc42\n' };
const inspect = (leases: readonly Lease[] | undefined, fake: FakeHost = {}) => checkLocks(fakeHost(fake), leases);

describe('locks and names of live users', () => {
  it('well, with and without users', async () => {
    await expectWell([MINE], { texts: LOCK });
    await expectWell([]);
    await expectWell([sampleLease({ dynamic: false }), sampleLease({ ending: true })]);
  });

  async function expectWell(leases: readonly Lease[], fake?: FakeHost): Promise<void> {
    expect(await inspect(leases, fake), /^ok no user has lost/, /^ok each UID/, /^ok no account/);
  }

  it('lost users, each once', async () => {
    const lost = sampleLease({ uid: 63_769, userName: 'svc42', lost: 'somebody else has locked its UID' });
    expect(
      await inspect([lost, { ...lost, lease: 'f'.repeat(32) }]),
      /^problem svc42 has lost its UID 63769: somebody else has locked its UID$/,
      /^ok each/,
      /^ok no account/,
    );
    const many = Array.from({ length: 10 }, (_, index) => ({ ...lost, uid: 61_200 + index }));
    expect(await inspect(many), ...Array.from({ length: 8 }, () => /^problem svc42/), /^problem 2 more/, /^ok/, /^ok/);
  });

  it('lock files that are gone, or of others', async () => {
    const rest = [/^ok no account/] as const;
    expect(
      await inspect([MINE]),
      /^ok/,
      /^problem svc42 lives with the UID 63769, and the lock file is gone$/,
      ...rest,
    );
    const theirs = { '/run/systemd/dynamic-uid/63769': 'svc87\n' };
    expect(await inspect([MINE], { texts: theirs }), /^ok/, /^problem svc42 .* the lock is that of svc87$/, ...rest);
    const closed = { '/run/systemd/dynamic-uid/63769': CLOSED };
    expect(await inspect([MINE], { texts: closed }), /^ok/, /^unknown .*only root/, ...rest);
  });

  it('names and numbers that live twice', async () => {
    const sources = (files: string, systemd: string): FakeHost => ({
      texts: LOCK,
      programs: { 'getent -s files passwd': { output: files }, 'getent -s systemd passwd': { output: systemd } },
    });
    const root = 'root:x:0:0::/:/bin/sh\n';
    expect(await inspect([MINE], sources(root, 'svc42:x:63769:63769::/:\n')), /^ok/, /^ok/, /^ok/);
    expect(
      await inspect([MINE], sources(`${root}other:x:63769:100::/:\n`, 'svc42:x:64277:64277::/:\n')),
      /^ok/,
      /^ok/,
      /^problem the UID 63769 is that of the dynamic user svc42, and of other of 'files'$/,
      /^problem svc42 lives twice: as the dynamic user 63769, and as 64277 of 'systemd'$/,
    );
    const hidden: FakeHost = { texts: LOCK, programs: { 'getent -s files passwd': CLOSED } };
    expect(await inspect([MINE], hidden), /^ok/, /^ok/, /^ok/);
  });

  it('what the daemon does not tell', async () => {
    expect(await inspect(undefined));
  });
});

describe('how many of them are shown', () => {
  const users = (count: number): Lease[] =>
    Array.from({ length: count }, (_, index) => sampleLease({ uid: 61_200 + index, userName: `u${index}` }));

  it('eight whose locks are gone, and how many more there are', async () => {
    expect(await inspect(users(8)), /^ok/, ...Array.from({ length: 8 }, () => /the lock file is gone$/), /^ok/);
    expect(
      await inspect(users(10)),
      /^ok/,
      ...Array.from({ length: 8 }, () => /the lock file is gone$/),
      /^problem 2 more users$/,
      /^ok/,
    );
  });

  it('a user with several leases once, and none that is ending, lost or static', async () => {
    expect(await inspect([MINE, { ...MINE, unit: 'b.service' }]), /^ok/, /^problem svc42 lives/, /^ok/);
    const others = [
      sampleLease({ uid: 61_201, ending: true }),
      sampleLease({ uid: 61_202, lost: 'x' }),
      sampleLease({ uid: 61_203, dynamic: false }),
    ];
    expect(await inspect(others), /^problem .* has lost its UID 61202: x$/, /^ok each/, /^ok no account/);
  });

  it('an empty lock file is nobody’s', async () => {
    const texts = { '/run/systemd/dynamic-uid/63769': '\n' };
    expect(await inspect([MINE], { texts }), /^ok/, /^problem svc42 .* the lock is that of nobody$/, /^ok/);
  });

  it('accounts are asked for once somebody lives, past our own answers', async () => {
    const asked: [string, Readonly<Record<string, string>> | undefined][] = [];
    const host = {
      ...fakeHost({ texts: LOCK }),
      run: async (argv: readonly string[], environment?: Readonly<Record<string, string>>) => {
        asked.push([argv.join(' '), environment]);
        return undefined;
      },
    };
    await checkLocks(host, []);
    assert.deepEqual(asked, []);
    await checkLocks(host, [MINE]);
    const bypass = { SYSTEMD_BYPASS_USERDB: 'io.dynuser.DynamicUser', DYNUSER_NSS_BYPASS: '1' };
    assert.deepEqual(asked, [
      ['getent -s files passwd', bypass],
      ['getent -s systemd passwd', bypass],
    ]);
  });
});
