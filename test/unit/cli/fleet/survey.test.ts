/** What the store of a fleet has: as it is gathered, and what in it cannot be right. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Binding, Change, Host } from '../../../../src/api/generated/io-dynuser-fleet.ts';
import { CommandFailure } from '../../../../src/cli/failure.ts';
import type { Companion } from '../../../../src/cli/fleet/companion.ts';
import { faultsOf, findHost, namesOf, type Survey, surveyOf } from '../../../../src/cli/fleet/survey.ts';
import { renderHosts, renderNames } from '../../../../src/cli/render/fleet.ts';
import { chooseStyle } from '../../../../src/cli/render/table.ts';

const LAYOUT = { legend: true, style: chooseStyle(false, {}) };

function host(id: string, more: Partial<Host> = {}): Host {
  return { host: id, hostName: `${id}.example`, alive: true, fenced: false, incarnation: '1.x', holds: 1, ...more };
}

const bound = (name: string, uid: number): Change => ({ name, uid, state: 'bound' });

function survey(more: Partial<Survey> = {}): Survey {
  return {
    status: {
      fleet: 'test',
      store: 'etcd',
      location: 'here',
      reachable: true,
      ranges: '65536-65539',
      restoring: false,
    },
    hosts: [host('a'), host('b')],
    bindings: [bound('db', 65_536), bound('web', 65_537)],
    holds: new Map<string, Binding[]>([
      ['a', [{ name: 'web', uid: 65_537 }]],
      [
        'b',
        [
          { name: 'db', uid: 65_536 },
          { name: 'web', uid: 65_537 },
        ],
      ],
    ]),
    ...more,
  };
}

describe('a fleet', () => {
  it('is gathered from replies, in which bindings come and go', async () => {
    const replies: Readonly<Record<string, unknown[]>> = {
      Hosts: [{ host: host('b') }, { hosts: [host('a')] }, {}],
      Bindings: [
        { reset: true, complete: false, changes: [bound('gone', 65_538)] },
        { reset: true, complete: false, changes: [bound('web', 65_537), bound('db', 65_536)] },
        { reset: false, complete: true, changes: [{ name: 'db', uid: 65_536, state: 'free' }] },
      ],
      HoldsOf: [{ holds: [{ name: 'web', uid: 65_537 }] }, { holds: [] }],
    };
    const companion: Companion = {
      call: async <Reply>() => survey().status as Reply,
      list: async <Reply>(method: string) => (replies[method] ?? []) as Reply[],
    };
    const found = await surveyOf(companion);
    assert.deepEqual(
      found.hosts.map(each => each.host),
      ['a', 'b'],
    );
    assert.deepEqual(namesOf(found), [{ name: 'web', uid: 65_537, state: 'bound', hosts: ['a.example', 'b.example'] }]);
  });

  it('is shown as tables, with nothing that drives a terminal', () => {
    assert.equal(
      renderNames(namesOf(survey()), LAYOUT),
      'NAME    UID  STATE  HOSTS\n' +
        'db    65536  bound  b.example\n' +
        'web   65537  bound  a.example b.example\n' +
        '\n2 names.\n',
    );
    const hosts = [host('a', { version: '1.0' }), host('b', { hostName: 'x\x1b[2J', alive: false, restored: true })];
    assert.equal(
      renderHosts(hosts, true, LAYOUT),
      'NAME       HOST  STATE                NAMES  VERSION\n' +
        'a.example  a     alive, not restored      1  1.0\n' +
        'x\\x1b[2J   b     away, restored           1  -\n' +
        '\n2 hosts.\n',
    );
  });

  it('says of a host whether it has put its bindings again after a restore alone, and of none that was given up', () => {
    const states = (isRestoring: boolean) =>
      renderHosts([host('a'), host('b', { fenced: true })], isRestoring, { ...LAYOUT, legend: false })
        .split('\n')
        .slice(0, 2)
        .map(line => /\S+ +\S+ +(.*?) +1 /.exec(line)?.[1]);
    assert.deepEqual(states(false), ['alive', 'given up']);
    assert.deepEqual(states(true), ['alive, not restored', 'given up']);
  });

  it('has no faults if each hold is a binding, and each binding the only one', () => {
    assert.deepEqual(faultsOf(survey()), []);
    const cooling: Change = { name: 'web', uid: 65_538, state: 'cooling' };
    assert.deepEqual(faultsOf(survey({ bindings: [...survey().bindings, cooling] })), []);
  });

  it('has faults: a UID of two names, a name of two UIDs, a UID of no range, holds of what is not bound, a restore', () => {
    const bindings = [bound('db', 65_536), bound('web', 65_536), bound('db', 65_538), bound('far', 70_000)];
    const faults = faultsOf(
      survey({
        bindings,
        hosts: [host('a'), host('b', { fenced: true })],
        status: { ...survey().status, restoring: true },
      }),
    );
    assert.deepEqual(
      faults.map(fault => fault.replace(/, and names are not.*/, '')),
      [
        'the store was restored from a backup',
        'web has the UID 65536, and so has db',
        'db has the UID 65538, and the UID 65536',
        'far has the UID 70000, which does not belong to the fleet',
        'a.example holds web with the UID 65537, which has the UID 65536',
        'b.example was given up, and still holds 2 names',
      ],
    );
    const left = new Map([['a', [{ name: 'old', uid: 65_539 }]]]);
    assert.deepEqual(faultsOf(survey({ holds: left })), [
      'a.example holds old with the UID 65539, which is bound to none',
    ]);
  });

  it('has hosts by their ids, and by names that only one has', () => {
    const hosts = [host('a'), host('b'), host('c', { hostName: 'b.example' })];
    assert.equal(findHost(hosts, 'b').host, 'b');
    assert.equal(findHost(hosts, 'a.example').host, 'a');
    assert.throws(() => findHost(hosts, 'b.example'), /several hosts: b, c/);
    assert.throws(() => findHost(hosts, 'd'), CommandFailure);
  });
});
