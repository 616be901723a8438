/** What an operator is told if dynuser-fleetd refuses. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeFleetError } from '../../../../src/cli/fleet/companion.ts';
import { VarlinkError } from '../../../../src/varlink/errors.ts';
import type { JsonObject } from '../../../../src/varlink/json.ts';

const said = (error: string, parameters: JsonObject): string =>
  describeFleetError(new VarlinkError(`io.dynuser.Fleet.${error}`, parameters), '/run/socket');

test('a fleet that is not restored yet lacks hosts, has conflicts, or both, and each is said with what to do', () => {
  const lacking = /^not all hosts have put their bindings again: a, b\\n \(.*\); start dynuserd .*forget-host'\)$/;
  const otherwise = /^the store and hosts differ about names: a\/web; .*gc'\), and restart dynuserd there$/;
  const hosts = ['a', 'b\n'];
  const conflicts = ['a/web'];
  assert.match(said('NotRestored', { hosts, conflicts: [] }), lacking);
  assert.match(said('NotRestored', { hosts: [], conflicts }), otherwise);
  const [first = '', second = '', ...others] = said('NotRestored', { hosts, conflicts }).split('. Also, ');
  assert.match(first, lacking);
  assert.match(second, otherwise);
  assert.deepEqual(others, []);
});
