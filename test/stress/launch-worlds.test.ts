/**
 * One unit file, run by the real systemd and by dynuser-run: what differs in what a program sees is what dynuser-run(1) says,
 * and all of that. `npm test` compares some of the units (test/system/launch/worlds.test.ts).
 */
// time limit: 600 s
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compareAll } from '../system/launch/compared.ts';
import { type Documented, showDifference } from '../system/launch/differences.ts';
import { UNITS } from '../system/launch/units.ts';

const MACHINES = 2;

describe('the same unit file, run by systemd and by dynuser-run', () => {
  /** of each machine, the rows of the page that none of its units has shown */
  const unseen: (readonly Documented[])[] = [];

  describe('on machines at the same time', { concurrency: true }, () => {
    for (let machine = 0; machine < MACHINES; machine++) {
      const units = UNITS.filter((_, index) => index % MACHINES === machine);
      describe(`machine ${machine + 1}`, { concurrency: 1 }, () => compareAll(units, rows => unseen.push(rows)));
    }
  });

  it('the page tells of no difference that there is not', () => {
    assert.equal(unseen.length, MACHINES);
    // Rows can be the same but for their conditions.
    const names = unseen.map(rows => rows.map(row => `${showDifference(row)}: ${JSON.stringify(row.alternatives)}`));
    assert.equal(names[0]?.filter(name => names.every(others => others.includes(name))).join('\n'), '');
  });
});
