/** All checks together: which there are, in which order, and what each gets to know. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { examine } from '../../../../src/cli/doctor/examine.ts';
import type { Finding } from '../../../../src/cli/doctor/finding.ts';
import { findingsOf, shorten } from '../../../../src/cli/doctor/finding.ts';
import { VERSION } from '../../../../src/core/version.ts';
import { NOW, sampleLease } from '../sample.ts';
import { fakeHost } from './fake-host.ts';

const SOCKET = '/run/dynuser/io.dynuser.DynamicUser';
const away = { reachable: false, problem: 'no such file' } as const;
const service = { vendor: 'dynuser', product: 'dynuserd', version: VERSION };

const checksOf = (findings: readonly Finding[]): string[] => [...new Set(findings.map(({ check }) => check))];

it('the checks come in one order: the daemon, lookups, then what is around it', async () => {
  const findings = await examine({ host: fakeHost({}), socket: SOCKET, daemon: away, now: NOW });
  assert.deepEqual(checksOf(findings), [
    'Daemon',
    'Rights of the daemon',
    'Runtime directory',
    'nsswitch.conf',
    'NSS module',
    'Lookups',
    'User database',
    'UID range',
    'Private directories',
    'File systems',
    'Locks with systemd',
    'Fleet',
    'Ended users',
    'Registry',
    'D-Bus',
    'nscd',
    'Audit records',
  ]);
});

it('leases are known if the daemon answers, and only then', async () => {
  const lease = sampleLease({ since: (NOW + 120_000) * 1_000 });
  const input = { host: fakeHost({}), socket: SOCKET, now: NOW };
  const answers = await examine({ ...input, daemon: { reachable: true, service, leases: [lease] } });
  const levelOf = (check: string) => answers.find(finding => finding.check === check)?.level;
  assert.deepEqual(['Daemon', 'Ended users', 'Clock', 'Lost users', 'Locks'].map(levelOf), [
    'ok',
    'ok',
    'warning',
    'ok',
    'problem',
  ]);
});

it('the user of a trial is looked up', async () => {
  const trial = { userName: 'tried', uid: 61_300, gid: 61_300 };
  const record = { output: 'tried:x:61300:\n' };
  const questions = ['passwd tried', 'passwd 61300', 'group tried', 'group 61300'];
  const programs = Object.fromEntries(questions.map(question => [`getent ${question}`, record]));
  const findings = await examine({ host: fakeHost({ programs }), socket: SOCKET, daemon: away, now: NOW, trial });
  assert.equal(findings.find(({ check }) => check === 'Lookups')?.finding, 'tried and 61300 resolve to each other');
});

it('of more than eight findings of a kind the first ones are shown, and how many more there are', () => {
  const { ok, warning, orOk } = findingsOf('Check');
  const some = (count: number) => Array.from({ length: count }, (_, index) => warning(`w${index}`, 'a'));
  const more = (count: number) => warning(`${count} more`, 'look');
  assert.deepEqual(shorten(some(8), more), some(8));
  assert.deepEqual(shorten(some(9), more), [...some(8), more(1)]);
  assert.deepEqual(shorten(some(20), more), [...some(8), more(12)]);
  assert.deepEqual(orOk([], 'well'), [ok('well')]);
  assert.deepEqual(orOk(some(1), 'well'), some(1));
});
