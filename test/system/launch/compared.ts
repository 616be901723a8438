/** The tests of a machine in which each of some unit files is run by systemd and by dynuser-run. */
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { type Documented, showDifference } from './differences.ts';
import type { ComparedUnit } from './units.ts';
import { Worlds } from './worlds.ts';

/** @param done is told which rows of dynuser-run(1) none of the units has shown */
export function compareAll(
  units: readonly ComparedUnit[],
  done: (unseen: readonly Documented[]) => void = () => undefined,
): void {
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
