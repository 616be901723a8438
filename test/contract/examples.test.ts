/** Each block of README.md and docs/ is of a kind that a test tries, or one of the few that no test can try. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { normalize } from 'node:path';
import { describe, it } from 'node:test';
import { CHECKOUT } from '../../src/tooling/checkout.ts';
import { type Block, blocksOf, documents } from '../support/examples.ts';
import { readSource } from '../support/sources.ts';

/** What changes the host that it is typed on, or needs one of another kind, by how it begins. */
const UNTRIED = [
  'npm run demo ',
  'npm run package\n',
  'passwd:  files dynuser\n',
  '#!/bin/sh\nexec dynuser-run -u web -p StateDirectory=web -- web-server 2>&1\n',
  'busctl call io.dynuser.Allocator1 ',
  'docker run ',
];

/** test/system/supervisors/ writes the files of these documents, and runs the supervisors with them; test/system/fleet/ and test/stress/fleet-supervisors those of a fleet. */
const SUPERVISED = new Set(['docs/supervisors.md', 'docs/containers.md', 'docs/fleet.md']);

/** @returns what is wrong with a block, undefined if nothing is */
function fault(document: string, { language, path, text }: Block, played: boolean): string | undefined {
  if (path !== undefined) {
    return played || SUPERVISED.has(document) ? undefined : 'no test writes this file';
  }
  switch (language) {
    case 'console':
      return text.startsWith('# ') ? undefined : "a session begins with root's prompt";
    case 'ts':
      return text === readSource('test/integration/client/service-manager.ts')
        ? undefined
        : 'a program that is not tried';
    default:
      return UNTRIED.some(beginning => text.startsWith(beginning)) ? undefined : 'no test tries this';
  }
}

describe('the examples of the documents', () => {
  for (const document of documents()) {
    it(`${document}: each is tried`, () => {
      const blocks = blocksOf(document);
      const played = blocks.some(({ language }) => language === 'console');
      const faults = blocks.map(block => [fault(document, block, played), block.text] as const);
      assert.deepEqual(
        faults.filter(([what]) => what !== undefined),
        [],
      );
    });
  }

  it('there are as many as there should be', () => {
    const blocks = documents().flatMap(blocksOf);
    const count = (language: string) => blocks.filter(block => block.language === language).length;
    assert.ok(count('console') >= 20, `${count('console')} sessions`);
    assert.ok(blocks.filter(({ path }) => path !== undefined).length >= 14);
    assert.equal(count('ts'), 1);
  });

  it('each that is not tried is still there', () => {
    const texts = documents()
      .flatMap(blocksOf)
      .map(({ text }) => text);
    assert.deepEqual(
      UNTRIED.filter(beginning => !texts.some(text => text.startsWith(beginning))),
      [],
    );
  });
});

describe('the links of the documents', () => {
  for (const document of [
    ...documents(),
    'ARCHITECTURE.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
    'benchmarks/README.md',
  ]) {
    it(`${document}: each leads somewhere`, () => {
      assert.deepEqual(brokenLinks(document), []);
      // SECURITY.md names tests as `npm test --` takes them: test/contract/security.test.ts.
      assert.deepEqual(document === 'SECURITY.md' ? [] : missingPaths(document), []);
    });
  }
});

/** @returns the paths of this repository that a document names and that do not exist; a word like TARGET stands for any name */
function missingPaths(document: string): string[] {
  const named = /`((?:src|native|test|benchmarks|systemd|docs|\.ci|\.github)\/[\w./-]*)`/g;
  return [...readSource(document).matchAll(named)]
    .map(([, path = '']) => path)
    .filter(path => !existsSync(CHECKOUT + path) && !/[A-Z]{2}$/.test(path));
}

/** @returns the links of a document to files or headings that do not exist */
function brokenLinks(document: string): string[] {
  const folder = document.includes('/') ? document.slice(0, document.lastIndexOf('/') + 1) : '';
  const targets = [...readSource(document).matchAll(/\]\((?!https?:)([^)]+)\)/g)].map(([, target = '']) => target);
  return targets.filter(target => {
    const [file = '', anchor] = target.split('#');
    const path = normalize(file === '' ? document : folder + file);
    if (!existsSync(CHECKOUT + path)) {
      return true;
    }
    return anchor !== undefined && !anchorsOf(path).includes(anchor);
  });
}

/** @returns the anchors that a document's headings get */
function anchorsOf(document: string): string[] {
  return [...readSource(document).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^a-z0-9 _-]/g, '')
      .replaceAll(' ', '-'),
  );
}
