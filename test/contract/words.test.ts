/**
 * The words that the project gave up for those of docs/glossary.md, and phrases that plain English does not need: none of them comes
 * back, and what is left of some becomes less.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readSource, sourcesBelow } from '../support/sources.ts';

interface GivenUp {
  readonly pattern: RegExp;
  /** what to write for it */
  readonly instead: string;
  /** at most how many lines still have it; whoever rewords some of them lowers the number */
  readonly left: number;
}

/** Word by word: in code a name has its words in camelCase or with underscores, so a pattern is tried on those too. */
const GIVEN_UP: readonly GivenUp[] = [
  { pattern: /\battics?\b/, instead: 'scratch', left: 0 },
  { pattern: /\bknock(?:s|ed|ing)?\b/, instead: 'activate the successor', left: 0 },
  { pattern: /\bspared\b/, instead: 'exempt', left: 0 },
  { pattern: /\binquir(?:y|ies)\b/, instead: 'name lookup', left: 0 },
  { pattern: /\bconceal(?:s|ed)?\b/, instead: 'unpublish', left: 0 },
  { pattern: /\bwishes\b/, instead: 'options', left: 0 },
  { pattern: /\bheirs?\b/, instead: 'the next user', left: 0 },
  { pattern: /\bhalls?\b/, instead: 'composition root', left: 0 },
  { pattern: /\bhouses?\b/, instead: 'application, daemon', left: 0 },
  { pattern: /\btruth of the wire\b/, instead: 'what defines the wire', left: 1 },
  { pattern: /\bput away\b/, instead: 'clean up', left: 0 },
  { pattern: /\bclaimant\b/, instead: 'who may claim', left: 0 },
  { pattern: /\b(?:front|room s) doors?\b/, instead: 'entry point', left: 0 },
  { pattern: /\bout of breath\b/, instead: 'overloaded', left: 0 },
  { pattern: /\bbehind the boundary\b/, instead: 'private', left: 0 },
  { pattern: /\bcrews?\b/, instead: 'worker pool', left: 0 },
  { pattern: /\bamiss\b/, instead: 'wrong', left: 0 },
  { pattern: /\bmend(?:s|ed|ing)?\b/, instead: 'fix, repair', left: 0 },
  { pattern: /\bto be had\b/, instead: 'to get, available', left: 0 },
  { pattern: /\bas (?:it is|they are) to be\b/, instead: 'say what matches', left: 0 },
  { pattern: /\bchange(?:s)? hands\b/, instead: 'hand over, handover', left: 0 },
  { pattern: /\bendings\b/, instead: 'teardown', left: 0 },
  { pattern: /\brooms\b/, instead: 'modules, or space', left: 0 },
  { pattern: /\bsettled\b/, instead: 'wait for, reconcile, resolve, empty plan', left: 6 },
  { pattern: /(?<!\bthere )\b(?:is|are) none\b/, instead: 'is not one', left: 0 },
  { pattern: /(?<!\bthere )\b(?:is|are|was|were) no (?!longer|more|less|better)/, instead: 'is not a', left: 0 },
  { pattern: /\bof (?:its|their) own\b/, instead: 'a separate one, or nothing', left: 102 },
  { pattern: /\bbeside\b/, instead: 'next to, besides', left: 92 },
  { pattern: /\bgoes on\b/, instead: 'continues', left: 0 },
];

/** What a person reads; test/fuzz/corpus/ is what machines wrote. */
const FOLDERS = ['src', 'native', 'test', 'benchmarks', 'docs', 'systemd', 'packaging'];
const ENDINGS = /\.(?:ts|c|h|mk|md|sh|varlink|service|socket|conf|[158])$/;
const ROOT_DOCUMENTS = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'];
/** This file has to name them, and so do the rules. */
const EXEMPT = new Set(['test/contract/words.test.ts', 'CONTRIBUTING.md']);

interface Line {
  readonly place: string;
  readonly text: string;
  readonly words: string;
}

function readLines(): readonly Line[] {
  const paths = [...FOLDERS.flatMap(folder => sourcesBelow(folder, '')), ...ROOT_DOCUMENTS];
  return paths
    .filter(path => ENDINGS.test(path) && !path.includes('/corpus/') && !EXEMPT.has(path))
    .flatMap(path =>
      readSource(path)
        .split('\n')
        .map((text, index) => ({ place: `${path}:${index + 1}`, text, words: wordsOf(text) })),
    );
}

/** @returns the words of a line, those within names too, in lower case */
function wordsOf(line: string): string {
  return line
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll('_', ' ')
    .toLowerCase();
}

describe('words that the project gave up', () => {
  const lines = readLines();

  for (const { pattern, instead, left } of GIVEN_UP) {
    it(`${pattern.source}: ${instead}`, () => {
      const found = lines.filter(({ words }) => pattern.test(words));
      const list = found.map(({ place, text }) => `${place}: ${text.trim()}`).join('\n');
      assert.ok(found.length <= left, `${found.length} lines, and ${left} are allowed:\n${list}`);
    });
  }

  it('are seen within names, and within nothing else', () => {
    assert.match(wordsOf('const lookAtAttic = attic_take(hallways)'), /\battic\b.*\battic\b/);
    assert.doesNotMatch(wordsOf('static void latticework(void)'), /\battics?\b/);
  });

  it('are looked for in all that people read', () => {
    assert.ok(lines.length > 100_000, `${lines.length} lines are too few to be all`);
  });
});
