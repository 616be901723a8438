/**
 * One unit file, run by the real systemd and by dynuser-run: what differs in what a program sees is what dynuser-run(1) says,
 * and all of that.
 */
// time limit: 600 s
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Documented, showDifference } from './differences.ts';
import { type ComparedUnit, UNITS } from './units.ts';
import { Worlds } from './worlds.ts';

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

function compareAll(units: readonly ComparedUnit[], done: (unseen: readonly Documented[]) => void): void {
  let worlds: Worlds;

  before(async () => {
    worlds = await Worlds.boot(units);
  });
  after(async () => {
    done(worlds.unseen());
    await worlds.stop();
  });

  for (const unit of units) {
    it(`${unit.name}: ${unit.lines.join(' ')}`, async () => {
      const { started, undocumented } = await worlds.compare(unit);
      assert.ok(started, 'neither starts it');
      assert.equal(undocumented.map(showDifference).join('\n'), '');
    });
  }
}
