/** The trial of doctor --try, over a daemon and a host of tables: what each answer is taken for. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { beginTrial, endTrial, type TrialClient, trialName } from '../../../../src/cli/doctor/trial.ts';
import { DynuserError, type DynuserErrorCode } from '../../../../src/client/errors.ts';
import { type FakeHost, fakeHost } from './fake-host.ts';
import { CLOSED, expect } from './findings.ts';

const NAME = 'dynuser-doctor-0a1b2c3d';

type TrialLease = Awaited<ReturnType<TrialClient['acquire']>>;
const leaseOf = (changes: Partial<TrialLease> = {}): TrialLease => ({
  ...{ userName: NAME, uid: 64642, gid: 64642, dynamic: true },
  release: async () => ({}),
  ...changes,
});

/** A client that gives one answer, and remembers what it was asked. */
function clientOf(answer: TrialLease | Error): TrialClient & { readonly asked: object[] } {
  const asked: object[] = [];
  return {
    asked,
    acquire: async parameters => {
      asked.push(parameters);
      if (answer instanceof Error) {
        throw answer;
      }
      return answer;
    },
  };
}

const failure = (code: DynuserErrorCode, reason: string) => new DynuserError(code, reason);

it('names are users’ names, and each another', () => {
  const names = Array.from({ length: 100 }, trialName);
  assert.equal(new Set(names).size, names.length);
  for (const name of names) {
    assert.match(name, /^[a-z_][a-z0-9_-]{0,30}$/);
  }
});

describe('the acquire', () => {
  it('asks for a lease that ends with the connection', async () => {
    const client = clientOf(leaseOf());
    const { finding, lease } = await beginTrial(client, NAME);
    expect([finding], /^ok dynuser-doctor-0a1b2c3d has got the UID 64642$/);
    assert.equal(lease?.uid, 64642);
    assert.deepEqual(client.asked, [{ unit: `${NAME}.service`, userName: NAME, lifetime: 'connection' }]);
  });

  it('no right, no UID, somebody else', async () => {
    const cases: readonly (readonly [answer: TrialLease | Error, finding: RegExp])[] = [
      [failure('NotPermitted', 'only root may'), /^unknown only root may$/],
      [failure('RangeExhausted', 'no UID is free'), /^problem no UID is free$/],
      [failure('ConnectionFailed', 'lost dynuserd'), /^problem lost dynuserd$/],
      [leaseOf({ userName: 'other' }), /^problem dynuserd gave another user/],
      [leaseOf({ dynamic: false }), /^problem dynuserd gave another user/],
    ];
    for (const [answer, pattern] of cases) {
      const { finding, lease } = await beginTrial(clientOf(answer), NAME);
      expect([finding], pattern);
      assert.equal(lease, undefined);
    }
  });
});

describe('the release', () => {
  const ASK = `getent passwd ${NAME}`;
  const GONE = { [ASK]: { status: 2 } };
  const end = async (release: TrialLease['release'], programs: FakeHost['programs'] = GONE) => [
    await endTrial(leaseOf({ release }), fakeHost({ programs })),
  ];

  it('of its own lease, after which the name is gone', async () => {
    let released = 0;
    const release = async () => {
      released++;
      return {};
    };
    expect(await end(release), /^ok .* no longer resolves$/);
    assert.equal(released, 1);
  });

  it('what stays, what fails, and what cannot be asked', async () => {
    const done = async () => ({});
    expect(
      await end(async () => ({ remains: 'a process (PID 7)' })),
      /^warning the UID of .* stays reserved: a process \(PID 7\)$/,
    );
    expect(await end(() => Promise.reject(failure('ConnectionFailed', 'lost dynuserd'))), /^problem lost dynuserd$/);
    expect(await end(done, { [ASK]: { output: `${NAME}:x:64642:` } }), /^problem .* still finds it$/);
    expect(await end(done, {}), /^unknown there is no getent/);
    expect(await end(done, { [ASK]: CLOSED }), /^unknown only root/);
  });
});

it('what is not an error of ours is not a finding', async () => {
  const bug = new TypeError('bug');
  await assert.rejects(beginTrial(clientOf(bug), NAME), bug);
  await assert.rejects(endTrial(leaseOf({ release: () => Promise.reject(bug) }), fakeHost({})), bug);
});

it('a host that still answers is asked by the name alone, whatever its status', async () => {
  const release = async () => ({});
  const ask = `getent passwd ${NAME}`;
  for (const status of [0, 1, 3]) {
    const found = await endTrial(leaseOf({ release }), fakeHost({ programs: { [ask]: { status } } }));
    expect([found], /^problem .* still finds it$/);
  }
});
