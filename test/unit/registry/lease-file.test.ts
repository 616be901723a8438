/** Each field of a lease file, as it may be and as it may not: a torn or foreign file must not become a user. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Gid, LeaseId, Pid } from '../../../src/core/ids.ts';
import type { DynamicUser, Lease } from '../../../src/core/lease.ts';
import { decodeLease, encodeLease } from '../../../src/registry/lease-file.ts';
import { uid, unitName, userName } from '../allocator/fakes.ts';

type Fields = Record<string, unknown>;

const LEASE: Lease = {
  ...{ id: 'ab'.repeat(16) as LeaseId, unit: unitName('web.service'), lifetime: 'explicit', pid: 7 as Pid },
  ...{ owner: uid(1_000), since: 1_700_000_000_000, cleanup: { processes: true, ipc: false } },
  directories: [
    {
      ...{ kind: 'state', source: 'a', publicPath: '/var/lib/a', handover: 'chown', preserved: true, exposed: false },
      aliases: ['b', 'c'],
    },
  ],
};
const USER: DynamicUser = {
  ...{ uid: uid(61_214), gid: 61_214 as Gid, name: userName('web'), dynamic: true, leases: [LEASE] },
};
const RUNTIME = { milliseconds: 1, until: 7, signal: 15, hangup: false, graceMs: 90_000, finalSignal: 64 };
const PROCESS = { boot: 'b', pid: 7 as Pid, startTime: 1, inode: '2' };

/** @returns the user, if a file with these changes is one; undefined in place of a value takes the field away */
function changed(ofFile: Fields, ofLease: Fields = {}): DynamicUser | undefined {
  const file = JSON.parse(encodeLease(USER));
  Object.assign(file, ofFile);
  Object.assign(file.holders?.[0] ?? {}, ofLease);
  return decodeLease(JSON.stringify(file));
}

const withLease = (more: Partial<Lease>): DynamicUser => ({ ...USER, leases: [{ ...LEASE, ...more } as Lease] });

for (const [what, user] of [
  ['a dynamic user', USER],
  ['a static user', { ...USER, dynamic: false }],
  ['a lost user', { ...USER, lost: 'somebody else has locked its UID' }],
  ['a user whose packets are held to nothing', { ...USER, packetRules: { denied: [] } }],
  [
    'a user whose packets are filtered',
    {
      ...USER,
      packetRules: {
        denied: ['10.0.0.1', '127.0.0.0-127.255.255.255', '0:0:0:0:0:0:0:0-0:0:0:0:0:0:0:1'],
        interfaces: { denied: true, names: ['eth0', 'wg-1'] },
      },
    },
  ],
  ['a user with several leases', { ...USER, leases: [LEASE, { ...LEASE, id: 'cd'.repeat(16) as LeaseId }] }],
  ['a lease of root whose process was not seen', withLease({ owner: uid(0), pid: undefined })],
  ['a lease without directories', withLease({ directories: [] })],
  [
    'a lease with the objects of an account',
    withLease({ cleanup: { processes: false, ipc: true, accountIpc: 5 as Gid } }),
  ],
  ['the lease of a process', withLease({ lifetime: 'process', process: PROCESS } as Partial<Lease>)],
  [
    'the lease of a process that may not run for ever',
    withLease({ lifetime: 'process', process: PROCESS, runtime: RUNTIME } as Partial<Lease>),
  ],
  [
    'the lease of a process that is not killed',
    withLease({
      ...{ lifetime: 'process', process: PROCESS },
      runtime: { milliseconds: 0, until: 1.5, signal: 1, hangup: true },
    } as Partial<Lease>),
  ],
  ['the lease of a unit', withLease({ lifetime: 'unit' } as Partial<Lease>)],
] as const) {
  test(`${what} is read back as it was written`, () => {
    assert.deepEqual(decodeLease(encodeLease(user)), user);
  });
}

const NUMBERS = [-1, 1.5, 4_294_967_295, 'x', '61214', true, [61_214], null, undefined, {}];
const WRONG: Readonly<Record<string, readonly unknown[]>> = {
  version: [0, 2, '1', undefined],
  uid: NUMBERS,
  gid: NUMBERS,
  name: [undefined, null, ['web'], '', '../x', 'a b', 'x'.repeat(300)],
  dynamic: [1, 'true', null, undefined],
  lost: ['', 1, null, {}],
  packetRules: [
    ...['', null, [], {}, { denied: 'any' }, { denied: ['any'] }, { denied: ['10.0.0.1 }'] }, { denied: ['::1\n'] }],
    ...[{ denied: [['::1']] }, { denied: Array(4_097).fill('::1') }, { denied: [], interfaces: {} }],
    ...[
      { names: ['lo'] },
      { denied: true, names: ['a"b'] },
      { denied: true, names: ['eth*'] },
      { denied: 1, names: [] },
    ].map(interfaces => ({ denied: [], interfaces })),
  ],
  holders: [[], {}, 'x', null, undefined, [LEASE, null], [[]]],
};

for (const [field, values] of Object.entries(WRONG)) {
  test(`a file with a wrong "${field}" is not a lease file`, () => {
    for (const value of values) {
      assert.equal(changed({ [field]: value }), undefined, String(JSON.stringify(value)));
    }
  });
}

const WRONG_OF_LEASE: Readonly<Record<string, readonly unknown[]>> = {
  lease: [null, ['ab'.repeat(16)], '', 'xy'.repeat(16), 'ab'.repeat(15), 'ab'.repeat(17), undefined],
  unit: ['', 'a/b', '..', null, undefined, 7, ['a']],
  lifetime: ['', 'eternal', 7, undefined],
  pid: [-1, 0, 1.5, 'x', {}],
  owner: NUMBERS,
  since: ['1', null, undefined],
  directories: [{}, null, undefined, ['a'], [null]],
  cleanup: [
    ...[undefined, null, [], {}, { processes: true }, { ipc: true }, { processes: 1, ipc: true }],
    ...[
      { processes: true, ipc: 'x' },
      { processes: true, ipc: true, accountIpc: -1 },
    ],
    ...[{ processes: true, ipc: true, accountIpc: 'x' }],
  ],
};

for (const [field, values] of Object.entries(WRONG_OF_LEASE)) {
  test(`a lease with a wrong "${field}" is not a lease`, () => {
    for (const value of values) {
      assert.equal(changed({}, { [field]: value }), undefined, String(JSON.stringify(value)));
    }
  });
}

test('a process is known by its boot, its number, and its start or its inode', () => {
  const withProcess = (more: Fields) => changed({}, { lifetime: 'process', process: { ...PROCESS, ...more } });
  assert.ok(withProcess({}));
  assert.ok(withProcess({ startTime: undefined }));
  assert.ok(withProcess({ inode: undefined }));
  for (const wrong of [
    ...[{ boot: 1 }, { boot: undefined }, { pid: 0 }, { pid: 'x' }, { pid: undefined }],
    ...[{ startTime: '1' }, { inode: 2 }, { startTime: undefined, inode: undefined }],
    ...[{ startTime: null }, { inode: null }],
  ]) {
    assert.equal(withProcess(wrong), undefined, JSON.stringify(wrong));
  }
  assert.equal(changed({}, { lifetime: 'process', process: 7 }), undefined);
  assert.equal(changed({}, { lifetime: 'process' }), undefined, 'it would never end');
  assert.ok(changed({}, { lifetime: 'connection', process: PROCESS }));
  assert.equal(changed({}, { lifetime: 'connection', process: { ...PROCESS, pid: 0 } }), undefined);
});

test('a limit of the time of a process is whole, or there is no lease', () => {
  const withRuntime = (more: Fields, ofLease: Fields = { lifetime: 'process', process: PROCESS }) =>
    changed({}, { ...ofLease, runtime: { ...RUNTIME, ...more } });
  assert.ok(withRuntime({}));
  for (const field of ['milliseconds', 'until', 'graceMs']) {
    for (const wrong of [-1, '1', null, {}]) {
      assert.equal(withRuntime({ [field]: wrong }), undefined, `${field} ${JSON.stringify(wrong)}`);
    }
  }
  for (const field of ['signal', 'finalSignal']) {
    for (const wrong of [0, 65, 1.5, '15', null]) {
      assert.equal(withRuntime({ [field]: wrong }), undefined, `${field} ${JSON.stringify(wrong)}`);
    }
  }
  for (const field of ['milliseconds', 'until', 'signal', 'hangup']) {
    assert.equal(withRuntime({ [field]: undefined }), undefined, field);
  }
  assert.equal(withRuntime({ hangup: 1 }), undefined);
  assert.equal(changed({}, { lifetime: 'process', process: PROCESS, runtime: 7 }), undefined);
  assert.equal(withRuntime({}, { lifetime: 'explicit' }), undefined, 'there is no process');
});

test('a directory that was written before there were exposed ones is not exposed', () => {
  const [directory] = LEASE.directories;
  const { exposed, ...before } = directory ?? assert.fail();
  for (const [written, read] of [
    [before, false],
    [{ ...before, exposed: true }, true],
    [{ ...before, exposed: 'yes' }, false],
  ] as const) {
    assert.equal(changed({}, { directories: [written] })?.leases[0]?.directories[0]?.exposed, read);
  }
});

test('what is not an object is not a lease file', () => {
  for (const text of ['', 'null', '[]', '7', '"x"', '{', `[${encodeLease(USER)}]`]) {
    assert.equal(decodeLease(text), undefined, text);
  }
  assert.ok(encodeLease(USER).endsWith('}\n'));
});
