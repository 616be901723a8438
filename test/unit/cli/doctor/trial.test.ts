/** The trial of doctor --try, over a daemon and a host of tables: what each answer is taken for. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Daemon } from '../../../../src/cli/daemon.ts';
import { beginTrial, endTrial, trialName } from '../../../../src/cli/doctor/trial.ts';
import { CommandFailure } from '../../../../src/cli/failure.ts';
import { VarlinkError } from '../../../../src/varlink/errors.ts';
import type { JsonObject } from '../../../../src/varlink/json.ts';
import { sampleAcquired } from '../sample.ts';
import { type FakeHost, fakeHost } from './fake-host.ts';
import { CLOSED, expect } from './findings.ts';

const NAME = 'dynuser-doctor-0a1b2c3d';
const USER = { userName: NAME, uid: 64642, gid: 64642, lease: '0123456789abcdef0123456789abcdef' };
const ACQUIRED = sampleAcquired({ userName: NAME, unit: `${NAME}.service` });

/** A daemon that gives one answer, and remembers what it was asked. */
function daemonOf(answer: object | Error): Daemon & { readonly asked: [method: string, parameters?: JsonObject][] } {
  const asked: [string, JsonObject?][] = [];
  return {
    asked,
    call: async (method, parameters = {}) => {
      asked.push([method, parameters]);
      if (answer instanceof Error) {
        throw answer;
      }
      return JSON.parse(JSON.stringify(answer));
    },
    stream: () => assert.fail('the trial needs no stream'),
    close: () => {},
    closed: new Promise(() => {}),
  };
}

const failure = (error: string, words: string) =>
  new CommandFailure(words, 1, new VarlinkError(`io.dynuser.Allocator.${error}`, {}));

it('names are users’ names, and each another', () => {
  const names = Array.from({ length: 100 }, trialName);
  assert.equal(new Set(names).size, names.length);
  for (const name of names) {
    assert.match(name, /^[a-z_][a-z0-9_-]{0,30}$/);
  }
});

describe('the acquire', () => {
  it('asks for a lease that ends with the connection', async () => {
    const daemon = daemonOf(ACQUIRED);
    const { finding, user } = await beginTrial(daemon, NAME);
    expect([finding], /^ok dynuser-doctor-0a1b2c3d has got the UID 64642$/);
    assert.deepEqual(user, USER);
    const parameters = { unit: `${NAME}.service`, userName: NAME, lifetime: 'connection' };
    assert.deepEqual(daemon.asked, [['io.dynuser.Allocator.Acquire', parameters]]);
  });

  it('no right, no room, somebody else', async () => {
    const cases: readonly (readonly [answer: object, finding: RegExp])[] = [
      [failure('NotPermitted', 'only root may'), /^unknown only root may$/],
      [failure('RangeExhausted', 'no UID is free'), /^problem no UID is free$/],
      [new CommandFailure('lost dynuserd'), /^problem lost dynuserd$/],
      [{ ...ACQUIRED, userName: 'other' }, /^problem dynuserd gives something else/],
      [{ ...ACQUIRED, dynamic: false }, /^problem dynuserd gives something else/],
      [{}, /^problem /],
    ];
    for (const [answer, pattern] of cases) {
      const { finding, user } = await beginTrial(daemonOf(answer), NAME);
      expect([finding], pattern);
      assert.equal(user, undefined);
    }
  });
});

describe('the release', () => {
  const ASK = `getent passwd ${NAME}`;
  const release = async (answer: object, programs: FakeHost['programs'] = { [ASK]: { status: 2 } }) => [
    await endTrial(daemonOf(answer), fakeHost({ programs }), USER),
  ];

  it('of its own lease, after which the name is gone', async () => {
    const daemon = daemonOf({});
    expect(
      [await endTrial(daemon, fakeHost({ programs: { [ASK]: { status: 2 } } }), USER)],
      /^ok .* resolves no more$/,
    );
    assert.deepEqual(daemon.asked, [['io.dynuser.Allocator.Release', { lease: USER.lease }]]);
  });

  it('what stays, what fails, and what cannot be asked', async () => {
    expect(
      await release({ remains: 'a process (PID 7)' }),
      /^warning the UID of .* stays reserved: a process \(PID 7\)$/,
    );
    expect(await release(new CommandFailure('lost dynuserd')), /^problem lost dynuserd$/);
    expect(await release({}, { [ASK]: { output: `${NAME}:x:64642:` } }), /^problem .* still finds it$/);
    expect(await release({}, {}), /^unknown there is no getent/);
    expect(await release({}, { [ASK]: CLOSED }), /^unknown only root/);
  });
});
