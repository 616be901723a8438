/**
 * Peers of different versions: during an upgrade the launcher, dynuserctl and programs of one version talk to the daemon of another.
 * What a release had stays as it was, and what is new may be absent. `releases/` has the wire of each (test/support/wire.ts).
 */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, it } from 'node:test';
import { CHECKOUT } from '../../src/tooling/checkout.ts';
import { parseInterface } from '../../src/varlink/idl/parse.ts';
import { readSource } from '../support/sources.ts';
import { breaches, wireOf } from '../support/wire.ts';

const RELEASES = 'test/contract/releases';
const INTERFACE = 'src/api/interfaces/io.dynuser.Allocator.varlink';

describe('the wire of each release', () => {
  const now = wireOf(parseInterface(readSource(INTERFACE)));
  for (const file of readdirSync(CHECKOUT + RELEASES).filter(name => name.endsWith('.wire'))) {
    it(`${file} is spoken still`, () => {
      assert.deepEqual(breaches(readSource(`${RELEASES}/${file}`).trim().split('\n'), now), []);
    });
  }
});

it('what an older peer would miss is found', () => {
  const of = (text: string) => wireOf(parseInterface(`interface a.b\n${text}`));
  const before = of('type T (x: int, y: ?string)\nmethod M(t: T) -> (z: (on, off))\nerror E(reason: string)');
  const after = (text: string) => breaches(before, of(text));
  assert.deepEqual(
    after(
      'type T (x: int, y: ?string, new: ?[]int)\nmethod M(t: T, o: ?bool) -> (z: (on, off, other))\nmethod N(a: int) -> ()\ntype U (b: int)\nmethod O(u: U) -> ()\nerror E(reason: string)',
    ),
    [],
  );
  assert.deepEqual(
    after('type T (x: ?int)\nmethod M(t: T, must: int) -> (z: (on), also: string)\nerror E(reason: string)').sort(),
    ['gone: M -> z = off', 'gone: T.x: int', 'gone: T.y: ?string', 'new: M -> also: string', 'new: M <- must: int'],
  );
});
