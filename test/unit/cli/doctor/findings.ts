/** Findings as lines, which tests compare. */
import assert from 'node:assert/strict';
import type { Finding } from '../../../../src/cli/doctor/finding.ts';
import { Unreadable } from '../../../../src/cli/host.ts';

export const CLOSED = new Unreadable('only root can see it');

/** "level words" of each finding, and of those that are not ok whether there is something to do. */
export function linesOf(findings: readonly Finding[]): string[] {
  for (const { level, finding, advice } of findings) {
    assert.equal(advice !== undefined, level === 'problem' || level === 'warning', finding);
  }
  return findings.map(({ level, finding }) => `${level} ${finding}`);
}

/** Exactly these, in their order. */
export function expect(findings: readonly Finding[], ...patterns: readonly RegExp[]): void {
  const lines = linesOf(findings);
  assert.equal(lines.length, patterns.length, lines.join('\n'));
  for (const [index, pattern] of patterns.entries()) {
    assert.match(lines[index] ?? '', pattern);
  }
}
