/** The checks of what the daemon's process is among: namespaces, helper, freeSpace, accounts, network. */
import { describe, it } from 'node:test';
import { inspectNetworkSources, judgeNetworkSources } from '../../../../src/cli/doctor/checks/network-sources.ts';
import { inspectProcess, judgeProcess } from '../../../../src/cli/doctor/checks/process.ts';
import type { Observed } from '../../../../src/cli/doctor/host.ts';
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

const inspect = async (changes: FakeHost = {}, pid: Observed<number> = 4711) =>
  judgeProcess(await inspectProcess(fakeHost({ ...WELL, ...changes }), RUN, pid));

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
    judgeNetworkSources(
      inspectNetworkSources(
        fakeHost({ links: PRIVATE, ...fake, texts: { '/etc/nsswitch.conf': `passwd: ${passwd}\ngroup: files\n` } }),
        4711,
      ),
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
    // What nobody knows is no alarm.
    expect(sources('files acme'), /^unknown whether 'acme' .* goes to the network/);
  });

  it('with that of the host, or not to be seen', () => {
    const links = { ...PRIVATE, '/proc/4711/ns/net': 'net:[1]' };
    expect(sources('files nis', { links }), /^ok it has the network of the host$/);
    expect(sources('files nis', { links: {} }));
    expect(judgeNetworkSources(inspectNetworkSources(fakeHost({ links: PRIVATE }), undefined)));
  });
});
