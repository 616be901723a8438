/** The check of fleets: whether a host needs one, and what can be wrong with it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FleetStatusReply } from '../../../../src/api/generated/io-dynuser-allocator.ts';
import { checkFleet } from '../../../../src/cli/doctor/checks/fleet.ts';
import { CertificateAuthority } from '../../../support/fleet/certificates.ts';
import { NOW } from '../sample.ts';
import { type FakeHost, fakeHost } from './fake-host.ts';

const NFS = 0x6969;
const CEPHFS = 0x00c36400;
const EXT4 = 0xef53;

const lines = (fake: FakeHost, status?: FleetStatusReply): string[] =>
  checkFleet(fakeHost(fake), status, NOW).map(({ level, finding }) => `${level} ${finding}`);

describe('a host in no fleet', () => {
  it('needs none if no other host has its files', () => {
    const names = { '/var/lib/private': ['web'] };
    const fileSystems = { '/var/lib': EXT4, '/var/lib/private': EXT4, '/var/lib/private/web': EXT4 };
    assert.match(lines({ names, fileSystems })[0] ?? '', /^ok this host is in no fleet/);
    const later = { fileSystems: { '/var/lib': CEPHFS }, kernel: '6.7.0' };
    assert.match(lines(later)[0] ?? '', /^ok /, 'cephfs has id-mapped mounts since then');
  });

  it('is warned of directories on storage that hosts share, each tree once', () => {
    const names = { '/var/lib/private': ['web', 'db'], '/var/log/private': ['web'] };
    const nfs = ['/var/lib/private/web', '/var/log', '/var/log/private', '/var/log/private/web'];
    const found = lines({ names, fileSystems: Object.fromEntries(nfs.map(path => [path, NFS])) });
    assert.deepEqual(
      found.map(line => /^warning (\S+) is on nfs/.exec(line)?.[1]),
      ['/var/lib/private/web', '/var/log'],
    );
    assert.match(lines({ fileSystems: { '/var/lib': CEPHFS }, kernel: '6.6.1' })[0] ?? '', /^warning .* is on cephfs/);
  });
});

describe('a host of a fleet', () => {
  const member: FleetStatusReply = { mode: 'required', state: 'member', fleet: 'main', hostName: 'db1', holds: [] };
  const WELL = 'ok db1 is a member of main, and holds 0 names';
  const authority = new CertificateAuthority();
  const certificate = (days: number) =>
    authority.issue('db1', { from: new Date(0), until: new Date(NOW + days * 86_400_000) }).certificate;
  const host = (days: number, more: Readonly<Record<string, string>> = {}): FakeHost => ({
    texts: {
      '/etc/dynuser/fleetd.conf': 'Fleet=main\nCertificateFile=dynuser-fleetd.certificate\n',
      '/etc/credstore/dynuser-fleetd.certificate': certificate(days),
      ...more,
    },
    inodes: { '/run/dynuser-fleetd/io.dynuser.Fleet': { kind: 'socket' } },
  });

  it('is well', () => {
    assert.deepEqual(lines(host(100), member), [WELL]);
  });

  it('is told why it is not a member', () => {
    const found = lines(host(100), { ...member, state: 'cloned', reason: 'two machines have one machine-id' });
    assert.deepEqual(found, ['problem this host is not a member of main (cloned): two machines have one machine-id']);
  });

  it('is told of names that the store has otherwise', () => {
    const hold = { name: 'web', uid: 65_536, live: true };
    const holds = [
      { ...hold, conflict: 'this host holds web, and the store db' },
      { ...hold, name: 'mail', uid: 65_537 },
    ];
    assert.deepEqual(lines(host(100), { ...member, holds }), [
      'ok db1 is a member of main, and holds 2 names',
      'problem this host holds web, and the store db',
    ]);
  });

  it('is told that its companion is missing', () => {
    assert.deepEqual(lines({}, member), [WELL, 'problem there is no /etc/dynuser/fleetd.conf']);
    assert.deepEqual(lines({ ...host(100), inodes: {} }, member), [WELL, 'problem dynuser-fleetd does not run']);
  });

  it('is told that a certificate ends', () => {
    assert.match(lines(host(13.5), member)[1] ?? '', /^warning \S+certificate expires in 13 days$/);
    assert.match(lines(host(1.5), member)[1] ?? '', /^warning \S+certificate expires in 1 day$/);
    assert.match(lines(host(0.5), member)[1] ?? '', /^warning \S+certificate expires in less than a day$/);
    assert.match(lines(host(-1), member)[1] ?? '', /^problem \S+certificate has expired/);
    const broken = host(1, { '/etc/credstore/dynuser-fleetd.certificate': 'x' });
    assert.match(lines(broken, member)[1] ?? '', /^problem \S+ is not a certificate$/);
  });

  it('is told of accounts with numbers of the fleet', () => {
    const found = lines(host(100, { '/etc/passwd': 'root:x:0:0::/:\nold:x:65537:1::/:\nnew:x:80000:1::/:\n' }), member);
    assert.equal(found.length, 2);
    assert.match(found[1] ?? '', /^warning old of \S+ has 65537, /);
  });
});
