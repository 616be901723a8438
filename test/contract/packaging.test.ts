/** What is in packaging/ says the same as the documents and the program. */
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { it } from 'node:test';
import { CONFIG_KEYS, DEFAULTS, parseConfig } from '../../src/daemon/config.ts';
import { CHECKOUT } from '../../src/tooling/checkout.ts';
import { exampleFiles } from '../support/examples.ts';
import { readSource, sourcesBelow } from '../support/sources.ts';

const EXAMPLES = 'packaging/examples';

it('the daemon and the companion under other supervisors are what docs/supervisors.md has, which is tried', () => {
  for (const [folder, heading, prefix] of [
    ['openrc', 'OpenRC', '/etc/init.d/'],
    ['runit', 'runit', '/etc/sv/'],
    ['s6', 's6', ''],
  ] as const) {
    const documented = [heading, `The companion under ${heading}`]
      .flatMap(each => exampleFiles('docs/supervisors.md', each))
      .filter(({ path }) => /^dynuser(?:d|-fleetd)\b/.test(path.slice(prefix.length)))
      .map(({ path, text }) => [`${EXAMPLES}/${folder}/${path.slice(prefix.length)}`, text] as const);
    assert.ok(documented.length > 0, heading);
    assert.deepEqual(
      sourcesBelow(`${EXAMPLES}/${folder}`, '')
        .filter(path => statSync(CHECKOUT + path).isFile())
        .map(path => [path, readSource(path)] as const)
        .sort(),
      documented.toSorted(),
    );
  }
});

it('the example configuration has every key once, with its default, and changes nothing as it is', () => {
  const text = readSource(`${EXAMPLES}/dynuserd.conf`);
  assert.deepEqual(parseConfig(text, 'example'), {});
  const lines = [...text.matchAll(/^#(\w+)=.*$/gm)];
  assert.deepEqual(lines.map(([, key]) => key).sort(), CONFIG_KEYS.filter(key => !key.includes('.')).sort());
  const said = parseConfig(lines.map(([line]) => line.slice(1)).join('\n'), 'example');
  assert.deepEqual({ unitRanges: [], ...said }, DEFAULTS);
});
