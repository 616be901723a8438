/** The checks of what resolves users and of the services beside it, over hosts of tables. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Lease } from '../../../../src/api/generated/io-dynuser-allocator.ts';
import { checkNameService, checkUserDatabase } from '../../../../src/cli/doctor/checks/name-service.ts';
import { checkServices } from '../../../../src/cli/doctor/checks/services.ts';
import type { TrialUser } from '../../../../src/cli/doctor/trial.ts';
import { Unreadable } from '../../../../src/cli/host.ts';
import { sampleLease } from '../sample.ts';
import { type FakeHost, fakeHost } from './fake-host.ts';
import { CLOSED, expect, linesOf } from './findings.ts';

describe('the name service', () => {
  const GOOD =
    'passwd: files dynuser\ngroup: files [SUCCESS=merge] dynuser\nshadow: files dynuser\ngshadow: files dynuser\n';
  const LOADED = { status: 2, errors: '1: calling init: /lib/x/libnss_dynuser.so.2\n' };
  const MODULE = 'getent -s dynuser passwd dynuser-doctor.';
  const live = sampleLease();
  const inspect = (text: string | Unreadable, programs: FakeHost['programs'], leases = [live]) =>
    checkNameService(
      fakeHost({ texts: { '/etc/nsswitch.conf': text }, programs: programs ?? {} }),
      '/run/dynuser',
      leases,
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
    const away = (host: FakeHost) => checkNameService(fakeHost(host), '/run/dynuser', undefined);
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
  const directory = '/run/systemd/userdb';
  const link = `${directory}/io.dynuser.DynamicUser`;
  const socket = '/run/dynuser/io.dynuser.DynamicUser';
  const expectState = (fake: FakeHost, pattern: RegExp) => expect([checkUserDatabase(fakeHost(fake), socket)], pattern);
  const inodes = { [directory]: {}, [link]: { kind: 'link' } } as const;
  expectState({ inodes, links: { [link]: socket } }, /^ok the daemon's socket is linked/);
  expectState({}, /^ok systemd has no/);
  expectState({ inodes: { [directory]: {} } }, /^warning/);
  expectState({ inodes, links: { [link]: '/elsewhere/io.dynuser.DynamicUser' } }, /^problem/);
  expectState({ inodes: { [link]: { kind: 'file' } } }, /^problem/);
  expectState({ inodes: { [link]: CLOSED } }, /^unknown/);
  expectState({ inodes, links: { [link]: CLOSED } }, /^unknown/);
});

describe('services of the host', () => {
  const BUS = { '/run/dbus/system_bus_socket': { kind: 'socket' } } as const;
  const POLICY = { '/etc/dbus-1/system.d/io.dynuser.Allocator1.conf': { kind: 'file' } } as const;
  const ASK = 'org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus NameHasOwner s io.dynuser.Allocator1';
  const BUSCTL = `busctl --system --timeout=3 call ${ASK}`;
  const inspect = (fake: FakeHost, pause = async () => {}) => checkServices(fakeHost(fake), pause);

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

describe('the user that is looked up', () => {
  const record = (name: string, uid: number) => ({ output: `${name}:x:${uid}:\n` });
  const answersOf = (name: string, uid: number, gid: number): FakeHost['programs'] => ({
    [`getent passwd ${name}`]: record(name, uid),
    [`getent passwd ${uid}`]: record(name, uid),
    [`getent group ${name}`]: record(name, uid),
    [`getent group ${gid}`]: record(name, uid),
  });
  const lookUp = async (programs: FakeHost['programs'], leases: Lease[], trial?: TrialUser) => {
    const found = await checkNameService(fakeHost({ programs: programs ?? {} }), '/run/dynuser', leases, trial);
    return linesOf(found).at(-1);
  };

  it('is that of the trial, if there is one, or else the first that lives', async () => {
    const trial = { userName: 'tried', uid: 61_300, gid: 61_301 };
    const leases = [
      sampleLease({ dynamic: false, userName: 'static' }),
      sampleLease({ ending: true, userName: 'gone' }),
      sampleLease({ userName: 'first', uid: 61_200, gid: 61_200 }),
      sampleLease({ userName: 'second' }),
    ];
    const answers = { ...answersOf('tried', 61_300, 61_301), ...answersOf('first', 61_200, 61_200) };
    assert.equal(await lookUp(answers, leases, trial), 'ok tried and 61300 resolve to each other');
    assert.equal(await lookUp(answers, leases), 'ok first and 61200 resolve to each other');
  });

  it('has to be found by each of four questions, and to be that user', async () => {
    const answers = answersOf('web', 61_200, 61_200) ?? {};
    const user = { userName: 'web', uid: 61_200, gid: 61_200 };
    for (const question of Object.keys(answers)) {
      for (const wrong of [
        { status: 2 },
        record('webber', 61_200),
        record('web', 61_201),
        { ...record('web', 61_200), status: 1 },
      ]) {
        assert.equal(
          await lookUp({ ...answers, [question]: wrong }, [], user),
          `problem the live user web (61200) does not resolve by: ${question}`,
        );
      }
    }
  });
});

describe('nsswitch.conf', () => {
  const check = async (text: string | undefined) => {
    const texts = text === undefined ? {} : { '/etc/nsswitch.conf': text };
    const found = await checkNameService(fakeHost({ texts }), '/run/dynuser', []);
    return linesOf(found).slice(0, -2);
  };
  const lines = (line: string): string =>
    ['passwd', 'group', 'shadow', 'gshadow']
      .map(name => `${name}: ${name === 'group' ? line : 'files dynuser'}\n`)
      .join('');

  it('is what glibc takes for its defaults if it is not there, and those lack us', async () => {
    assert.deepEqual(await check(undefined), [
      "problem 'dynuser' is not in the line 'passwd:' of /etc/nsswitch.conf",
      "problem 'dynuser' is not in the line 'group:' of /etc/nsswitch.conf",
      "warning 'dynuser' is not in the line 'shadow:' of /etc/nsswitch.conf",
      "warning 'dynuser' is not in the line 'gshadow:' of /etc/nsswitch.conf",
    ]);
  });

  it('ends a lookup before us by some actions, and not by others', async () => {
    for (const action of [
      'NOTFOUND=return',
      '!SUCCESS=return',
      '!unavail=return',
      '!TRYAGAIN=RETURN',
      'SUCCESS=merge NOTFOUND=return',
    ]) {
      const [line = '', ...others] = await check(lines(`files [${action}] dynuser`));
      assert.match(line, /^problem in the line 'group:' of .* ends lookups before 'dynuser'$/, action);
      assert.deepEqual(others, []);
    }
    for (const action of [
      'SUCCESS=return',
      'UNAVAIL=return',
      'NOTFOUND=continue',
      '!NOTFOUND=return',
      'TRYAGAIN=return',
    ]) {
      assert.match((await check(lines(`files [${action}] dynuser`))).join('\n'), /^ok [^\n]*$/, action);
    }
    assert.match((await check(lines('files dynuser [NOTFOUND=return] systemd'))).join('\n'), /^ok [^\n]*$/);
  });

  it('has us behind the files of the host', async () => {
    for (const line of ['dynuser files', 'systemd dynuser compat']) {
      assert.deepEqual(await check(lines(line)), [
        "warning 'dynuser' is before the host's own files in the line 'group:' of /etc/nsswitch.conf",
      ]);
    }
    assert.match((await check(lines('systemd dynuser'))).join('\n'), /^ok [^\n]*$/);
  });
});

describe('the name of the daemon on the bus', () => {
  const SOCKET = { '/run/dbus/system_bus_socket': { kind: 'socket' } } as const;
  const NAME = 'io.dynuser.Allocator1';
  const DBUS_SEND = `dbus-send --system --print-reply=literal --reply-timeout=3000 --dest=org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus.NameHasOwner string:${NAME}`;
  const BUSCTL = `busctl --system --timeout=3 call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus NameHasOwner s ${NAME}`;
  const inspect = (fake: FakeHost, directory = '/etc/dbus-1/system.d', pause = async () => {}) =>
    checkServices(fakeHost({ ...fake, inodes: { ...SOCKET, [`${directory}/${NAME}.conf`]: { kind: 'file' } } }), pause);

  it('may be had by a policy of a package or of the administrator', async () => {
    const programs = { [BUSCTL]: { output: 'b true\n' } };
    for (const directory of ['/usr/share/dbus-1/system.d', '/etc/dbus-1/system.d']) {
      expect(await inspect({ programs }, directory), /^ok io\.dynuser\.Allocator1 is there$/, /^ok/);
    }
    expect(await inspect({ programs }, '/etc'), /^warning no policy/, /^ok/);
  });

  it('is asked for by dbus-send where there is no busctl', async () => {
    expect(await inspect({ programs: { [DBUS_SEND]: { output: '   boolean true' } } }), /^ok io/, /^ok/);
    expect(await inspect({ programs: { [DBUS_SEND]: { output: '   boolean false' } } }), /^warning nobody has/, /^ok/);
    const both = { [BUSCTL]: { status: 1 }, [DBUS_SEND]: { output: 'boolean true' } };
    expect(await inspect({ programs: both }), /^unknown the bus could not be asked/, /^ok/);
    expect(await inspect({ programs: { [BUSCTL]: CLOSED } }), /^unknown the bus could not be asked/, /^ok/);
  });

  it('is waited for fifteen questions long, and no longer than until it is there', async () => {
    let pauses = 0;
    const programs = { [BUSCTL]: { output: 'b false\n' } };
    const pause = async () => {
      pauses++;
    };
    expect(await inspect({ programs }, undefined, pause), /^warning nobody has the name/, /^ok/);
    assert.equal(pauses, 14);
    pauses = 0;
    const arrives = async () => {
      programs[BUSCTL] = { output: ++pauses === 3 ? 'b true\n' : 'b false\n' };
    };
    expect(await inspect({ programs }, undefined, arrives), /^ok/, /^ok/);
    assert.equal(pauses, 3);
  });
});
