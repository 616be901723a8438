/** systemd's own list of what a unit file can say: a launch carries each out, leaves it to others, or refuses it by name. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, it } from 'node:test';
import { PROPERTY_NAMES } from '../../../src/launch/properties/table.ts';
import { selectSupported } from '../../../src/launch/properties/unsupported-properties.ts';

const SYSTEMD = '/usr/lib/systemd/systemd';
/** The version that is followed: a later one has more. */
const VERSION = 257;
/** Carried out, and of version 258. */
const LATER = ['State', 'Cache', 'Logs'].flatMap(kind => [`${kind}DirectoryQuota`, `${kind}DirectoryAccounting`]);

/** @returns the names that a section of a service's file can have; undefined if this host has another systemd */
function namesOfSystemd(): ReadonlyMap<string, readonly string[]> | undefined {
  if (!existsSync(SYSTEMD)) {
    return undefined;
  }
  const ask = (option: string): string => execFileSync(SYSTEMD, [option], { encoding: 'utf8' });
  if (Number(/^systemd (\d+)/.exec(ask('--version'))?.[1]) !== VERSION) {
    return undefined;
  }
  const sections = ask('--dump-configuration-items')
    .split(/^\[(\w+)\]\n/m)
    .slice(1);
  const names = (text: string): string[] => [...text.matchAll(/^(\w+)=/gm)].map(([, name = '']) => name);
  return new Map(
    sections.flatMap((section, index) => (index % 2 === 0 ? [[section, names(sections[index + 1] ?? '')]] : [])),
  );
}

/** What a unit file is told of a property with a value that is not nothing. */
function judged(name: string): string {
  const warnings: string[] = [];
  const options = { ignoreUnknown: false, isJudged: true, warn: (text: string) => void warnings.push(text) };
  const { carriedOut, left, refused } = selectSupported([{ name, value: 'x', origin: 'unit file' }], options);
  return [
    ...carriedOut.map(() => 'carried out'),
    ...left.map(() => 'left'),
    ...refused.map(() => 'refused'),
    ...warnings.map(text => (/it is unknown/.test(text) ? 'unknown' : 'warned of')),
  ].join(', ');
}

describe('the properties of systemd', { skip: namesOfSystemd() === undefined && `no systemd ${VERSION}` }, () => {
  const names = namesOfSystemd() ?? new Map<string, readonly string[]>();

  it('are all known here, by a section of their own', () => {
    const ofService = names.get('Service') ?? [];
    assert.ok(ofService.length > 250, `only ${ofService.length}`);
    assert.deepEqual(
      ofService.filter(name => ['', 'unknown'].includes(judged(name))),
      [],
    );
  });

  it('are all that is carried out', () => {
    assert.deepEqual(
      PROPERTY_NAMES.filter(name => names.get('Service')?.includes(name) !== true),
      LATER,
    );
  });

  it('are told apart from those of other sections', () => {
    const ofService = names.get('Service') ?? [];
    const others = [...(names.get('Unit') ?? []), ...(names.get('Install') ?? [])];
    const alone = others.filter(name => !ofService.includes(name));
    assert.ok(alone.length > 90, `only ${alone.length}`);
    // Some of a manager are often in the wrong section, and systemd-run takes them.
    assert.deepEqual(
      alone.filter(name => !['warned of', 'left'].includes(judged(name))),
      [],
    );
  });
});
