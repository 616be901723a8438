/** The checks of what the daemon's process is among: namespaces, helper, freeSpace, accounts, network. */
import { describe, it } from 'node:test';
import { checkNetworkSources } from '../../../../src/cli/doctor/checks/network-sources.ts';
import { checkProcess } from '../../../../src/cli/doctor/checks/process.ts';
import type { Observed } from '../../../../src/cli/host.ts';
import { type FakeHost, fakeHost } from './fake-host.ts';
import { CLOSED, expect } from './findings.ts';

const RUN = '/run/dynuser';
const HELPER = '/opt/lib/dynuser/dynuser-helper';
const WELL = {
  texts: { '/proc/4711/cmdline': 'node\0--a-flag\0/opt/lib/dynuser/dynuserd.js\0--config=x\0' },
  links: { '/proc/1/ns/pid': 'pid:[1]', '/proc/4711/ns/pid': 'pid:[1]' },
  inodes: { [RUN]: { inode: 7n }, [`/proc/4711/root${RUN}`]: { inode: 7n } },
  programs: { [HELPER]: { status: 2 } },
  freeSpaces: { [RUN]: {} },
} satisfies FakeHost;

const inspect = (changes: FakeHost = {}, pid: Observed<number> = 4711) =>
  checkProcess(fakeHost({ ...WELL, ...changes }), RUN, pid);

const OK = [/^ok it sees the processes/, /^ok .*dynuser-helper runs$/, /^ok there is space/] as const;

describe('the process of the daemon', () => {
  it('well, seen and not seen', async () => {
    expect(await inspect(), ...OK);
    expect(await inspect({}, CLOSED), /^ok there is space/);
    expect(await inspect({ links: {}, texts: {} }, undefined), /^ok there is space/);
    const hidden = { links: { '/proc/1/ns/pid': CLOSED, '/proc/4711/ns/pid': CLOSED }, freeSpaces: { [RUN]: CLOSED } };
    expect(await inspect(hidden), /^ok .*dynuser-helper runs$/);
  });

  it('in namespaces of its own', async () => {
    const links = { ...WELL.links, '/proc/4711/ns/pid': 'pid:[2]' };
    expect(await inspect({ links }), /^problem dynuserd runs in another PID namespace/, ...OK.slice(1));
    const inode = { ...WELL.inodes, [`/proc/4711/root${RUN}`]: { inode: 8n } };
    expect(await inspect({ inodes: inode }), /^problem dynuserd has another runtime directory/, ...OK.slice(1));
    const device = { ...WELL.inodes, [`/proc/4711/root${RUN}`]: { inode: 7n, device: 9n } };
    expect(await inspect({ inodes: device }), /^problem dynuserd has another runtime directory/, ...OK.slice(1));
    const closed = { ...WELL.inodes, [`/proc/4711/root${RUN}`]: CLOSED };
    expect(await inspect({ inodes: closed }), ...OK.slice(1));
  });

  it('a helper that cannot run', async () => {
    const expectHelper = async (programs: FakeHost['programs'], pattern: RegExp) =>
      expect(await inspect({ programs: programs ?? {} }), OK[0], pattern, OK[2]);
    await expectHelper({}, /^problem .*dynuser-helper cannot run: it is not there$/);
    const broken = { status: 127, errors: 'libc.so.6: not found\n' };
    await expectHelper({ [HELPER]: broken }, /^problem .* cannot run: libc\.so\.6: not found$/);
    await expectHelper({ [HELPER]: CLOSED }, /^problem .* cannot run: only root can see it$/);
  });

  it('no space for a lease', async () => {
    const freeSpaces = [{ bytes: 1024 * 1024 - 1 }, { files: 63 }];
    for (const freeSpace of freeSpaces) {
      expect(
        await inspect({ freeSpaces: { [RUN]: freeSpace } }),
        OK[0],
        OK[1],
        /^problem the file system of \/run\/dynuser is full$/,
      );
    }
    const least = { bytes: 1024 * 1024, files: 64 };
    expect(await inspect({ freeSpaces: { [RUN]: least } }), ...OK);
    const readOnly = { isReadOnly: true, bytes: 0 };
    expect(
      await inspect({ freeSpaces: { [RUN]: readOnly } }),
      OK[0],
      OK[1],
      /^problem .* is on a read-only file system$/,
    );
  });

  it('accounts that are allowed and not there', async () => {
    const config = (text: string) => ({ texts: { ...WELL.texts, '/etc/dynuser/dynuserd.conf': text } });
    const programs = {
      ...WELL.programs,
      'getent passwd web': { output: 'web:x:1000:\n' },
      'getent passwd gone': { status: 2 },
      'getent group staff': { output: 'staff:x:50:\n' },
      'getent group lost': { status: 2 },
      'getent passwd slow': CLOSED,
    };
    const there = config('AllowUsers=web 1001\n AllowGroups = staff\n# AllowUsers=gone\n');
    expect(await inspect({ ...there, programs }), ...OK, /^ok those of AllowUsers= and AllowGroups= are there$/);
    expect(
      await inspect({ ...config('AllowUsers=web gone slow\nAllowGroups=lost\n'), programs }),
      ...OK,
      /^warning AllowUsers= names gone,/,
      /^warning AllowGroups= names lost,/,
    );
    expect(await inspect({ ...config('AllowUsers=0\n'), programs }), ...OK);
  });
});

describe('the network of the daemon', () => {
  const PRIVATE = { '/proc/1/ns/net': 'net:[1]', '/proc/4711/ns/net': 'net:[2]' };
  const sources = (passwd: string, fake: FakeHost = {}) =>
    checkNetworkSources(
      fakeHost({ links: PRIVATE, ...fake, texts: { '/etc/nsswitch.conf': `passwd: ${passwd}\ngroup: files\n` } }),
      4711,
    );

  it('with none, sources that go there by themselves', () => {
    const DAEMONS = 'files dynuser systemd [NOTFOUND=return] sss winbind compat mymachines';
    expect(sources(DAEMONS), /^ok it has no network, and no source of accounts needs one$/);
    expect(
      sources('files nis [UNAVAIL=continue] hesiod'),
      /^warning 'nis' .* goes to the network/,
      /^warning 'hesiod'/,
    );
    expect(sources('files ldap'), /^warning 'ldap'/);
    expect(sources('files ldap', { inodes: { '/run/nslcd/socket': { kind: 'socket' } } }), /^ok /);
    // What nobody knows is not an alarm.
    expect(sources('files acme'), /^unknown whether 'acme' .* goes to the network/);
  });

  it('with that of the host, or not to be seen', () => {
    const links = { ...PRIVATE, '/proc/4711/ns/net': 'net:[1]' };
    expect(sources('files nis', { links }), /^ok it has the network of the host$/);
    expect(sources('files nis', { links: {} }));
    expect(checkNetworkSources(fakeHost({ links: PRIVATE }), undefined));
  });
});

describe('what the daemon’s process is asked for', () => {
  it('of sixteen accounts alone, since each is a process', async () => {
    const gone = (count: number) => {
      const names = Array.from({ length: count }, (_, index) => `u${index}`);
      const programs = Object.fromEntries(names.map(name => [`getent passwd ${name}`, { status: 2 }]));
      const texts = { '/etc/dynuser/dynuserd.conf': `AllowUsers=${names.join(' ')}\n` };
      return checkProcess(fakeHost({ texts, programs }), RUN, undefined);
    };
    expect(await gone(16), ...Array.from({ length: 16 }, () => /^warning AllowUsers= names u\d+,/));
    expect(await gone(17), ...Array.from({ length: 16 }, () => /^warning AllowUsers= names u\d+,/));
  });

  it('nothing of namespaces and helpers that cannot be seen', async () => {
    const { [RUN]: ours, ...daemons } = WELL.inodes;
    expect(await inspect({ inodes: daemons }), ...OK.slice(1));
    expect(await inspect({ inodes: { [RUN]: ours } }), ...OK.slice(1));
    expect(await inspect({ links: { '/proc/1/ns/pid': 'pid:[1]' } }), ...OK.slice(1));
    expect(await inspect({ links: { '/proc/4711/ns/pid': 'pid:[1]' } }), ...OK.slice(1));
    expect(await inspect({ texts: {} }), OK[0], OK[2]);
    const other = { '/proc/4711/cmdline': 'node\0dynuserd.js\0/opt/dynuserd.js.bak\0' };
    expect(await inspect({ texts: other }), OK[0], OK[2]);
  });

  it('a helper that ends well is not ours', async () => {
    const programs = { [HELPER]: { status: 0, errors: 'hello\n' } };
    expect(await inspect({ programs }), OK[0], /^problem .*dynuser-helper cannot run: hello$/, OK[2]);
  });
});

it('sources of accounts: which go to the network, and which ask a daemon of this host', () => {
  const LINKS = { '/proc/1/ns/net': 'net:[1]', '/proc/4711/ns/net': 'net:[2]' };
  const inspect = (source: string) =>
    checkNetworkSources(fakeHost({ links: LINKS, texts: { '/etc/nsswitch.conf': `group: ${source}\n` } }), 4711);
  for (const source of ['ldap', 'nis', 'nisplus', 'hesiod', 'oslogin', 'mysql', 'pgsql', 'wins']) {
    expect(inspect(source), new RegExp(`^warning '${source}' of /etc/nsswitch.conf goes to the network`));
  }
  const local = 'dynuser files systemd compat db altfiles extrausers cache cache_oslogin mymachines';
  for (const source of `${local} sss winbind lsass vas3 vas4 centrifydc himmelblau kanidm`.split(' ')) {
    expect(inspect(source), /^ok it has no network/);
  }
  // The host's own link can be closed to whoever asks, and so can the file.
  const links = { ...LINKS, '/proc/1/ns/net': CLOSED };
  expect(checkNetworkSources(fakeHost({ links, texts: { '/etc/nsswitch.conf': 'group: nis\n' } }), 4711));
  expect(checkNetworkSources(fakeHost({ links: LINKS, texts: { '/etc/nsswitch.conf': CLOSED } }), 4711));
  expect(checkNetworkSources(fakeHost({ links: LINKS }), 4711), /^ok it has no network/);
});
