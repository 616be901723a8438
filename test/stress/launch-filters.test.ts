/** Lists of system calls that nobody would write: the filters of systemd and of dynuser-run do the same with every call. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { knownCalls } from '../../src/launch/filter/abi.ts';
import { CALL_GROUPS } from '../../src/launch/filter/call-groups.ts';
import { type BothFilters, bootForFilters, differencesOf, readBoth } from '../support/compared-filters.ts';
import type { Machine } from '../support/machine.ts';

const SEED = 20_261_128;
const RANDOM_UNITS = 24;

function randomUnits(): string[][] {
  let state = SEED;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
  const pick = <Value>(values: readonly Value[]): Value => values[random(values.length)] as Value;
  const names = [...knownCalls('x86-64'), ...Object.keys(CALL_GROUPS), ...Object.keys(CALL_GROUPS)];
  const errors = ['', '', ':EPERM', ':kill', ':77'];
  const listOf = (suffixes: readonly string[]): string =>
    Array.from({ length: 1 + random(6) }, () => pick(names) + pick(suffixes)).join(' ');
  const needed = ['@default', '@basic-io'];
  return Array.from({ length: RANDOM_UNITS }, () => {
    const isOfAllowed = random(2) === 0;
    const filter = [isOfAllowed ? `SystemCallFilter=${needed.join(' ')}` : `SystemCallFilter=~${listOf(errors)}`];
    for (let count = random(4); count > 0; count--) {
      filter.push(random(2) === 0 ? `SystemCallFilter=${listOf([''])}` : `SystemCallFilter=~${listOf(errors)}`);
    }
    const others = [
      'RestrictSUIDSGID=yes',
      'RestrictRealtime=yes',
      'LockPersonality=yes',
      'PrivateDevices=yes',
      'ProtectClock=yes',
      'ProtectKernelLogs=yes',
      `RestrictNamespaces=${pick(['yes', '~user mnt', 'net uts'])}`,
      `RestrictAddressFamilies=${pick(['none', 'AF_UNIX AF_VSOCK', '~AF_ALG AF_MCTP'])}`,
      `SystemCallErrorNumber=${pick(['kill', 'EPERM', 'ENOSYS', '1000'])}`,
      `SystemCallLog=${listOf([''])}`,
      `SystemCallArchitectures=${pick(['native', 'native x86', 'native x86 x32'])}`,
    ].filter(() => random(3) === 0);
    // Whatever the lists say, the program has to come up.
    return [...filter, `SystemCallFilter=${needed.join(' ')}`, ...others];
  });
}

describe('filters that were drawn, by systemd and by dynuser-run', () => {
  const units = randomUnits();
  let machine: Machine;
  let read: readonly BothFilters[];
  before(async () => {
    machine = await bootForFilters();
    read = await readBoth(machine, units);
  });
  after(() => machine?.stop());

  it('are started by systemd, most of them', () => {
    assert.ok(2 * read.filter(({ theirs }) => theirs !== undefined).length > RANDOM_UNITS);
  });

  for (const [index, lines] of units.entries()) {
    it(lines.join(' '), t => {
      const { theirs, ours } = read[index] ?? assert.fail();
      if (theirs === undefined) {
        t.skip('systemd cannot start it');
        return;
      }
      assert.deepEqual(differencesOf(theirs, ours), []);
    });
  }
});
