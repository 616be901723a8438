import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Finding } from '../../../../src/cli/doctor/finding.ts';
import { renderFindings } from '../../../../src/cli/render/doctor.ts';
import { chooseStyle } from '../../../../src/cli/render/table.ts';

const style = chooseStyle(false, {});
const layout = { legend: false, style };

const FINDINGS: readonly Finding[] = [
  { check: 'Daemon', level: 'ok', finding: 'dynuserd 1.0.0 answers' },
  { check: 'Clock', level: 'warning', finding: 'a lease is from tomorrow', advice: 'set the clock' },
  { check: 'nsswitch.conf', level: 'problem', finding: 'it lacks dynuser', advice: 'add it' },
  { check: 'Rights', level: 'unknown', finding: 'only root can see it' },
];

test('a finding is a line: level, check and words in columns, with what to do below the words', () => {
  assert.equal(
    renderFindings(FINDINGS, layout),
    [
      'ok       Daemon         dynuserd 1.0.0 answers',
      'warning  Clock          a lease is from tomorrow',
      '                        To do: set the clock',
      'problem  nsswitch.conf  it lacks dynuser',
      '                        To do: add it',
      'unknown  Rights         only root can see it',
      '',
    ].join('\n'),
  );
});

test('the legend counts what is wrong, and what could not be seen if there is something', () => {
  const verdict = (findings: readonly Finding[]): string => {
    const text = renderFindings(findings, { ...layout, legend: true });
    const plain = renderFindings(findings, layout);
    assert.ok(text.startsWith(plain));
    return text.slice(plain.length);
  };
  const [ok, warning, problem, unknown] = FINDINGS as [Finding, Finding, Finding, Finding];
  assert.equal(verdict([]), '\n0 problems, 0 warnings.\n');
  assert.equal(verdict([ok, ok]), '\n0 problems, 0 warnings.\n');
  assert.equal(verdict([ok, problem, warning, warning]), '\n1 problem, 2 warnings.\n');
  assert.equal(verdict([problem, problem, warning, unknown, ok]), '\n2 problems, 1 warning; 1 unknown.\n');
});

test('without findings nothing is shown', () => {
  assert.equal(renderFindings([], layout), '');
});

/** How wide the columns of a warning about the clock are, up to its words. */
const INDENT = 'warning  Clock  '.length;

test('words are wrapped to the terminal, to 100 columns without one, and to no less than 40 behind the columns', () => {
  for (const [columns, width] of [
    [80, 80 - INDENT],
    [INDENT + 41, 41],
    [undefined, 100 - INDENT],
    [INDENT + 39, 40],
    [10, 40],
  ] as const) {
    const fits = `${'x'.repeat(width - 2)} y`;
    const isOver = `${'x'.repeat(width - 1)} y`;
    const linesOf = (finding: string, advice: string): string[] =>
      renderFindings([{ check: 'Clock', level: 'warning', finding, advice }], { ...layout, columns })
        .split('\n')
        .map(line => line.slice(INDENT));
    assert.deepEqual(linesOf(`${fits} z`, 'go'), [fits, 'z', 'To do: go', '']);
    assert.deepEqual(linesOf(isOver, isOver), ['x'.repeat(width - 1), 'y', 'To do:', 'x'.repeat(width - 1), 'y', '']);
  }
});

test('all lines below the first begin where its words do', () => {
  const finding = { check: 'Clock', level: 'warning', finding: 'a '.repeat(90), advice: 'b '.repeat(90) } as const;
  const [first = '', ...rest] = renderFindings([finding], { ...layout, columns: 80 })
    .trimEnd()
    .split('\n');
  assert.match(first, /^warning {2}Clock {2}a a/);
  assert.ok(rest.length > 3);
  for (const line of rest) {
    assert.equal(line.search(/\S/), INDENT, line);
  }
});

test('widths are those of what is shown, and a text from outside drives no terminal', () => {
  const text = renderFindings(
    [
      { check: 'Müller', level: 'problem', finding: 'a\x1b[2J', advice: 'b\nc' },
      { check: 'x', level: 'ok', finding: 'fine' },
    ],
    layout,
  );
  assert.equal(
    text,
    ['problem  Müller  a\\x1b[2J', '                 To do: b\\nc', 'ok       x       fine', ''].join('\n'),
  );
});

test('the level of what is wrong is strong, that of all else is faint, and neither takes part in the width', () => {
  const marked = { strong: (text: string) => `<b>${text}</b>`, dim: (text: string) => `<i>${text}</i>` };
  const text = renderFindings(FINDINGS, { ...layout, style: marked });
  assert.deepEqual(text.match(/^<.*> {2}\w+/gm), [
    '<i>ok     </i>  Daemon',
    '<b>warning</b>  Clock',
    '<b>problem</b>  nsswitch',
    '<i>unknown</i>  Rights',
  ]);
});
