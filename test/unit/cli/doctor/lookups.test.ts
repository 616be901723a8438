/** The checks of what resolves users and of the services beside it, over hosts of tables. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspectNameService, judgeNameService } from '../../../../src/cli/doctor/checks/name-service.ts';
import { inspectServices, judgeServices } from '../../../../src/cli/doctor/checks/services.ts';
import { judgeUserDatabase } from '../../../../src/cli/doctor/checks/user-database.ts';
import { Unreadable } from '../../../../src/cli/doctor/host.ts';
import { sampleLease } from '../sample.ts';
import { type FakeHost, fakeHost } from './fake-host.ts';
import { CLOSED, expect, linesOf } from './findings.ts';

describe('the name service', () => {
  const GOOD =
    'passwd: files dynuser\ngroup: files [SUCCESS=merge] dynuser\nshadow: files dynuser\ngshadow: files dynuser\n';
  const LOADED = { status: 2, errors: '1: calling init: /lib/x/libnss_dynuser.so.2\n' };
  const MODULE = 'getent -s dynuser passwd dynuser-doctor.';
  const live = sampleLease();
  const inspect = async (text: string | Unreadable, programs: FakeHost['programs'], leases = [live]) =>
    judgeNameService(
      await inspectNameService(
        fakeHost({ texts: { '/etc/nsswitch.conf': text }, programs: programs ?? {} }),
        '/run/dynuser',
        { leases },
      ),
    );
  const answers = {
    [MODULE]: LOADED,
    'getent passwd dynamic-user-test': { output: 'dynamic-user-test:x:64642:64642:Dynamic User:/:/usr/sbin/nologin\n' },
    'getent passwd 64642': { output: 'dynamic-user-test:x:64642:64642:Dynamic User:/:/usr/sbin/nologin\n' },
    'getent group dynamic-user-test': { output: 'dynamic-user-test:x:64642:\n' },
    'getent group 64642': { output: 'dynamic-user-test:x:64642:\n' },
  };

  it('well', async () => {
    expect(
      await inspect(GOOD, answers),
      /^ok 'dynuser' is in/,
      /^ok \/lib\/x\/libnss_dynuser/,
      /^ok dynamic-user-test and 64642/,
    );
  });

  it('lines that lack it, end before it, or ask it first', async () => {
    const text =
      'passwd: files [ NOTFOUND = return ] dynuser\ngroup: files # dynuser\nshadow: files\ngshadow: dynuser files\n';
    const [first, ...others] = await inspect(text, answers);
    expect(first === undefined ? [] : [first], /^problem in the line 'passwd:' .*'\[ NOTFOUND=return \]' ends/);
    expect(
      others.slice(0, 4),
      /^problem .*'group:'/,
      /^warning glibc takes a '#' .* for sources in the line 'group:'/,
      /^warning .*'shadow:'/,
      /^warning .* before the host's own/,
    );
    const commented = `# passwd: files # all\n#group: files\n${GOOD}`;
    assert.match(linesOf(await inspect(commented, answers))[0] ?? '', /^ok /);
    const passes = GOOD.replace('files dynuser', 'files [!NOTFOUND=return] dynuser');
    assert.match(linesOf(await inspect(passes, answers))[0] ?? '', /^ok /);
    assert.match(linesOf(await inspect(CLOSED, answers))[0] ?? '', /^unknown .*only root/);
  });

  it('a module that is not found, and a live user that does not resolve', async () => {
    const broken = {
      ...answers,
      [MODULE]: { status: 2 },
      'getent passwd 64642': { status: 2 },
      'getent group 64642': { output: 'other:x:64642:\n' },
    };
    const lines = linesOf(await inspect(GOOD, broken));
    assert.match(lines[1] ?? '', /^problem programs do not find libnss_dynuser\.so\.2/);
    assert.match(lines[2] ?? '', /^problem .*\(64642\) does not resolve by: getent passwd 64642, getent group 64642$/);
  });

  it('what cannot be seen', async () => {
    assert.match(linesOf(await inspect(GOOD, answers, []))[2] ?? '', /^unknown no dynamic user is live/);
    assert.match(
      linesOf(await inspect(GOOD, answers, [sampleLease({ ending: true }), sampleLease({ dynamic: false })]))[2] ?? '',
      /^unknown/,
    );
    assert.deepEqual(linesOf(await inspect(GOOD, {})).slice(1), [
      'unknown there is no getent here to load it with',
      'unknown there is no getent here to ask with',
    ]);
    const late = { ...answers, 'getent passwd 64642': new Unreadable('no answer within 5 s') };
    assert.equal(linesOf(await inspect(GOOD, late))[2], 'unknown no answer within 5 s');
  });

  it('while the daemon is away, of a user that it has published', async () => {
    const away = (host: FakeHost) =>
      inspectNameService(fakeHost(host), '/run/dynuser', { leases: undefined }).then(judgeNameService);
    const published = {
      names: { '/run/dynuser/by-uid': ['.lock', '64642'] },
      links: { '/run/dynuser/by-uid/64642': 'dynamic-user-test' },
    };
    assert.match(
      linesOf(await away({ ...published, programs: answers })).at(-1) ?? '',
      /^ok dynamic-user-test and 64642/,
    );
    assert.match(
      linesOf(await away({ names: published.names, programs: answers })).at(-1) ?? '',
      /^unknown no dynamic user/,
    );
    assert.match(linesOf(await away({ programs: answers })).at(-1) ?? '', /^unknown no dynamic user/);
  });
});

it('the user database: a word for every state', () => {
  expect(judgeUserDatabase('linked'), /^ok/);
  expect(judgeUserDatabase('unused'), /^ok/);
  expect(judgeUserDatabase('missing'), /^warning/);
  expect(judgeUserDatabase('elsewhere'), /^problem/);
  expect(judgeUserDatabase('unreadable'), /^unknown/);
});

describe('services of the host', () => {
  const BUS = { '/run/dbus/system_bus_socket': { kind: 'socket' } } as const;
  const POLICY = { '/etc/dbus-1/system.d/io.dynuser.Allocator1.conf': { kind: 'file' } } as const;
  const ASK = 'org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus NameHasOwner s io.dynuser.Allocator1';
  const BUSCTL = `busctl --system --timeout=3 call ${ASK}`;
  const inspect = async (fake: FakeHost, pause = async () => {}) =>
    judgeServices(await inspectServices(fakeHost(fake), pause));

  it('no bus is as well as one with our name', async () => {
    expect(await inspect({}), /^ok this host has no system bus/, /^ok no nscd/);
    const inodes = { ...BUS, ...POLICY, '/run/nscd/socket': { kind: 'socket' } } as const;
    expect(
      await inspect({ inodes, programs: { [BUSCTL]: { output: 'b true\n' } } }),
      /^ok io\.dynuser/,
      /^ok nscd is running/,
    );
  });

  it('no policy, no owner, no answer', async () => {
    expect(await inspect({ inodes: BUS }), /^warning no policy/, /^ok/);
    expect(await inspect({ inodes: { ...BUS, ...POLICY } }), /^unknown/, /^ok/);
    const inodes = { ...BUS, ...POLICY };
    expect(
      await inspect({ inodes, programs: { [BUSCTL]: { output: 'b false\n' } } }),
      /^warning nobody has the name/,
      /^ok/,
    );
    expect(await inspect({ inodes, programs: { [BUSCTL]: { status: 1 } } }), /^unknown/, /^ok/);
  });

  it('a daemon that has just started gets its name a moment later', async () => {
    const inodes = { ...BUS, ...POLICY };
    const programs = { [BUSCTL]: { output: 'b false\n' } };
    const arrives = async () => {
      programs[BUSCTL] = { output: 'b true\n' };
    };
    expect(await inspect({ inodes, programs }, arrives), /^ok io\.dynuser/, /^ok/);
  });
});
