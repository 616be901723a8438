/**
 * The model of the fleet protocol, test/model/fleet.pml, in small worlds: every state of each is searched. The others, and the mutants, are
 * in test/stress/fleet-model.test.ts.
 */
// time limit: 120 s
import { describe, it } from 'node:test';
import { assertHolds } from '../support/fleet-model.ts';

describe('the protocol of a fleet holds in every state', () => {
  it('of hosts that boot', () => assertHolds(['WITH_BOOTS']));
  it('of a host that is fenced, and returns', () => assertHolds(['WITH_FENCING']));
  it('of a shared directory', () => assertHolds(['WITH_DIRECTORY']));
  it('of a daemon that is at two things at a time', () => assertHolds(['WITH_TASKS']));
});
