// runs alone: it measures how long root waits
// time limit: 900 s
/** Root is served while one user attacks: see support/under-fire.ts. */
import { after, before, describe, it } from 'node:test';
import { FLOODS, UnderFire } from '../support/under-fire.ts';

describe('root is not kept waiting by one user', () => {
  let fire: UnderFire;
  before(async () => {
    fire = await UnderFire.start(1);
  });
  after(() => fire.stop());

  for (const flood of FLOODS) {
    it(flood, async t => {
      t.diagnostic(await fire.during(flood));
    });
  }
});
