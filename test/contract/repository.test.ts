/** What holds for the repository as a whole: dependencies, the version, and no trace of where it was made. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { VERSION } from '../../src/core/version.ts';
import { readSource, sourcesBelow } from '../support/sources.ts';

/** A JSON object whose shape the tests below check as they go. */
function readJson(path: string): Record<string, unknown> {
  const value: unknown = JSON.parse(readSource(path));
  return record(value);
}

function record(value: unknown): Record<string, unknown> {
  assert.ok(typeof value === 'object' && value !== null);
  return Object.fromEntries(Object.entries(value));
}

function ownSources(): string[] {
  return [
    ...['src', 'test', 'benchmarks'].flatMap(directory => sourcesBelow(directory, '.ts')),
    ...['native', 'test', 'benchmarks'].flatMap(directory => sourcesBelow(directory, '.c')),
    ...sourcesBelow('native', '.h'),
    ...sourcesBelow('test', '.sh'),
    '.ci/download-packages',
    '.ci/prepare',
    '.ci/fresh-root',
    '.ci/run',
  ].filter(path => !path.startsWith('src/api/generated/'));
}

it('nothing is left for later, and no test is skipped', () => {
  const marks = /\b(?:TODO|FIXME|XXX|HACK)\b|\b(?:it|test|describe)\.(?:skip|todo|only)\b|\b(?:skip|todo|only): true/;
  const sources = ownSources();
  assert.ok(sources.length > 50);
  assert.deepEqual(
    sources.filter(path => path !== 'test/contract/repository.test.ts' && marks.test(readSource(path))),
    [],
  );
});

it('every dependency has its reason in CONTRIBUTING.md, and every reason its dependency', () => {
  const manifest = readJson('package.json');
  const used = Object.keys(record(manifest['devDependencies']));
  assert.equal(manifest['dependencies'], undefined, 'what is published and what is staged carry what they need');
  const reasons = [...readSource('CONTRIBUTING.md').matchAll(/^\| `([^`]+)` \|/gm)].map(([, name]) => name);
  assert.deepEqual(reasons.sort(), used.sort());
});

it('package-lock.json names no server, and holds what any server gives to its hash', () => {
  const packages = Object.entries(record(readJson('package-lock.json')['packages'])).filter(([path]) => path !== '');
  assert.ok(packages.length > 20);
  for (const [path, entry] of packages) {
    const { integrity, resolved } = record(entry);
    assert.match(String(integrity), /^sha512-/, path);
    assert.equal(resolved, undefined, path);
  }
});

it('the version is the same in package.json, package-lock.json and src/core/version.ts', () => {
  const { version } = readJson('package.json');
  assert.equal(version, VERSION);
  assert.equal(readJson('package-lock.json')['version'], VERSION);
});
