/**
 * Unit files that nobody wrote: properties of the compared units and of the table below, drawn at random. Each is run by the
 * real systemd and by dynuser-run, and what is different must be in dynuser-run(1). The seed is printed: with it in
 * DYNUSER_WORLDS_SEED the same units come again.
 */
// time limit: 900 s
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Random } from '../fuzz/mutate.ts';
import { showDifference } from '../system/launch/differences.ts';
import { type ComparedUnit, UNITS } from '../system/launch/units.ts';
import { Worlds } from '../system/launch/worlds.ts';

const COUNT = Number(process.env['DYNUSER_WORLDS_COUNT'] ?? 500);
const SEED = Number(process.env['DYNUSER_WORLDS_SEED'] ?? Date.now() % 2 ** 32);
const PROPERTIES_MAX = 12;
const MACHINES = 2;
/** Drawn, they fail on both: each needs what another property of the same unit makes. */
const LEFT_OUT = new Set(['RootDirectory', 'WorkingDirectory']);
/**
 * Lines with differences that the page has for one value alone, or only with another line: a static user but games, and a
 * mount over /run, below which systemd's own root of the namespace is seen.
 */
const LEFT_OUT_LINES = /^(?:User=(?!games$|world-(?!homeless$)|%)|BindPaths=.* \/run$)/;
/** Without the second line the first one is an error with systemd, and without effect here; or there is nothing to compare. */
const COMPANIONS: ReadonlyMap<string, string> = new Map([
  ['CPUSchedulingPriority', 'CPUSchedulingPolicy=rr'],
  // systemd itself opens it for standard input.
  ['DevicePolicy', 'DeviceAllow=/dev/null rw'],
  // Where nothing is reached, what reports waits for an answer without end.
  ['IPAddressDeny', 'IPAddressAllow=localhost'],
]);

/** The values that each property has in the compared units: what can be combined follows what is compared. */
function valuesByName(): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, Set<string>>();
  const all = UNITS.filter(({ instance }) => instance === undefined).flatMap(({ lines }) => lines);
  for (const line of all.filter(text => !LEFT_OUT_LINES.test(text))) {
    const name = line.slice(0, line.indexOf('='));
    values.set(name, (values.get(name) ?? new Set()).add(line));
  }
  return new Map([...values].filter(([name]) => !LEFT_OUT.has(name)).map(([name, lines]) => [name, [...lines]]));
}

function drawn(index: number, random: Random): ComparedUnit {
  const values = valuesByName();
  const names = [...values.keys()];
  const chosen = new Set(Array.from({ length: 1 + random.below(PROPERTIES_MAX) }, () => random.of(names)));
  const lines = [...chosen].flatMap(name => {
    const companion = COMPANIONS.get(name);
    return [random.of(values.get(name) ?? []), ...(companion === undefined ? [] : [companion])];
  });
  // Packets are filtered in the host's network alone, as the page says.
  const isElsewhere = lines.some(line => line.startsWith('NetworkNamespacePath='));
  const kept = lines.filter(line => !(isElsewhere && /^(?:IPAddressDeny|RestrictNetworkInterfaces)=/.test(line)));
  const [kind, ...rest] = kept.some(line => line.startsWith('DynamicUser=')) ? kept : ['DynamicUser=yes', ...kept];
  return { name: `world-drawn-${index}`, lines: [kind ?? '', ...rest] };
}

describe(`${COUNT} unit files drawn with the seed ${SEED}, run by systemd and by dynuser-run`, {
  concurrency: true,
}, () => {
  const random = new Random(SEED);
  const units = Array.from({ length: COUNT }, (_, index) => drawn(index, random));

  for (let machine = 0; machine < MACHINES; machine++) {
    describe(`machine ${machine + 1}`, { concurrency: 1 }, () =>
      compareAll(units.filter((_, index) => index % MACHINES === machine)),
    );
  }
});

function compareAll(units: readonly ComparedUnit[]): void {
  let worlds: Worlds;
  let compared = 0;

  before(async () => {
    worlds = await Worlds.boot(units);
  });
  after(() => worlds.stop());

  for (const unit of units) {
    it(`${unit.name}: ${unit.lines.join(' ')}`, async () => {
      const { started, undocumented } = await worlds.compare(unit);
      compared += started ? 1 : 0;
      assert.equal(undocumented.map(showDifference).join('\n'), '');
    });
  }

  it('most of them can be started', () => {
    assert.ok(compared > units.length / 2, `only ${compared} of ${units.length}`);
  });
}
