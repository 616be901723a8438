/** What the runner knows of a test file before it runs: what it declares, and what it needs of its host. */
import { existsSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import ts from 'typescript';
import { CHECKOUT } from '../../src/tooling/checkout.ts';
import { type Declared, parseDeclared } from './declared.ts';
import type { Need } from './host.ts';

export interface TestFile {
  /** compiled, below dist/test, such as unit/config.test.js */
  readonly path: string;
  readonly declared: Declared;
  readonly needs: readonly Need[];
}

/** What in the source of a test, or of what it imports below test/, shows a need. */
const SIGNS: readonly (readonly [Need, RegExp])[] = [
  // The demo and the machine of `npm run dev` are programs that a test starts.
  ['machines', /\bMachine\.boot\(|\bdist\/test\/(?:demo|dev)\//],
  ['machines with systemd', /\binit: 'systemd'/],
  ['id-mapped mounts', /\bvarLib: 'disk'/],
  ['etcd nodes', /\bEtcdCluster\.start\(/],
  ['cables', /\bFleet\.boot\(/],
];

/** @param path compiled, below dist/test @throws Error if the file declares something that is not understood */
export function readTestFile(path: string): TestFile {
  const source = `test/${path.replace(/\.js$/, '.ts')}`;
  const texts = sourcesFrom(source);
  return {
    path,
    declared: parseDeclared(texts.get(source) ?? '', source),
    needs: SIGNS.filter(([, sign]) => [...texts.values()].some(text => sign.test(text))).map(([need]) => need),
  };
}

/** @returns the texts of a test file and of all below test/ that it imports, by their paths */
function sourcesFrom(source: string): Map<string, string> {
  const texts = new Map<string, string>();
  const waiting = [source];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (path.startsWith('test/') && !texts.has(path) && existsSync(`${CHECKOUT}${path}`)) {
      const text = readFileSync(`${CHECKOUT}${path}`, 'utf8');
      texts.set(path, text);
      const imported = ts.preProcessFile(text).importedFiles.filter(({ fileName }) => fileName.startsWith('.'));
      waiting.push(...imported.map(({ fileName }) => posix.join(posix.dirname(path), fileName)));
    }
  }
  return texts;
}
