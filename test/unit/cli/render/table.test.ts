import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type ColumnOf,
  chooseStyle,
  renderFields,
  renderRows,
  type TableLayout,
} from '../../../../src/cli/render/table.ts';

const plain = chooseStyle(false, {});
type Column = Omit<ColumnOf<unknown>, 'cell'>;

/** Rows that are their cells. */
function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[], layout: TableLayout): string {
  const withCells = columns.map((column, index) => ({ ...column, cell: (row: readonly string[]) => row[index] }));
  return renderRows(withCells, rows, layout);
}

const COLUMNS: readonly Column[] = [
  { title: 'UID', numeric: true },
  { title: 'NAME' },
  { title: 'DETAIL', detail: true },
];

test('columns are aligned, numbers to the right, without blanks at the end', () => {
  const rows = [
    ['0', 'root', '-'],
    ['64642', 'dynamic-user-test', 'a b'],
  ];
  assert.equal(
    renderTable(COLUMNS, rows, { legend: true, style: plain }),
    '  UID  NAME               DETAIL\n    0  root               -\n64642  dynamic-user-test  a b\n',
  );
});

test('without a legend the titles neither show nor widen their columns', () => {
  assert.equal(renderTable(COLUMNS, [['1', 'a', 'b']], { legend: false, style: plain }), '1  a  b\n');
  assert.equal(renderTable(COLUMNS, [], { legend: false, style: plain }), '');
});

test('a column of empty cells hides none behind it', () => {
  for (const columns of [undefined, 80]) {
    const layout = { legend: false, columns, style: plain };
    assert.equal(renderTable(COLUMNS, [['1', '', 'b']], layout), '1    b\n');
  }
});

test('alignment counts code points', () => {
  const rows = [
    ['1', '😀', 'x'],
    ['2', 'ab', 'y'],
  ];
  assert.equal(renderTable(COLUMNS, rows, { legend: false, style: plain }), '1  😀   x\n2  ab  y\n');
});

test('on a terminal the line fits: details give way first, then the widest cells, down to 8 columns', () => {
  const row = ['64642', 'n'.repeat(31), 'd'.repeat(100)];
  const line = (columns: number): string => renderTable(COLUMNS, [row], { legend: false, columns, style: plain });
  assert.equal(line(60), `64642  ${'n'.repeat(31)}  ${'d'.repeat(19)}…\n`);
  assert.equal(line(40), `64642  ${'n'.repeat(22)}…  ${'d'.repeat(7)}…\n`);
  assert.equal(line(60).length, 61);
});

test('a column that is to be whole gives nothing', () => {
  const columns: readonly Column[] = [{ title: 'LEASE', whole: true }, { title: 'UNIT' }];
  const layout = { legend: false, columns: 44, style: plain };
  assert.equal(
    renderTable(columns, [['f'.repeat(32), 'u'.repeat(30)]], layout),
    `${'f'.repeat(32)}  ${'u'.repeat(9)}…\n`,
  );
});

test('a number is whole even where it is the widest cell', () => {
  const rows = [['4294967294', 'name-name', 'details']];
  assert.equal(
    renderTable(COLUMNS, rows, { legend: false, columns: 29, style: plain }),
    '4294967294  name-na…  details\n',
  );
});

test('on a terminal that is too narrow for all columns the line ends with the terminal', () => {
  const rows = [['64642', 'name-of-user', 'detail-of-user']];
  assert.equal(renderTable(COLUMNS, rows, { legend: false, columns: 18, style: plain }), '64642  name-of…  …\n');
  assert.equal(renderTable(COLUMNS, rows, { legend: false, columns: 3, style: plain }), '64…\n');
});

test('without a terminal nothing is cut', () => {
  const rows = [['1', 'n'.repeat(500), 'd'.repeat(500)]];
  assert.equal(
    renderTable(COLUMNS, rows, { legend: false, style: plain }),
    `1  ${'n'.repeat(500)}  ${'d'.repeat(500)}\n`,
  );
});

test('colour: bold titles and faint details, on a terminal alone, and not against NO_COLOR or TERM=dumb', () => {
  const layout = { legend: true, style: chooseStyle(true, { TERM: 'xterm' }) };
  assert.equal(
    renderTable(COLUMNS, [['1', 'a', 'b']], layout),
    '\x1b[1mUID\x1b[0m  \x1b[1mNAME\x1b[0m  \x1b[1mDETAIL\x1b[0m\n  1  a     \x1b[2mb\x1b[0m\n',
  );
  for (const [terminal, environment] of [
    [false, { TERM: 'xterm' }],
    [true, { TERM: 'xterm', NO_COLOR: '1' }],
    [true, { TERM: 'xterm', NO_COLOR: '' }],
    [true, { TERM: 'dumb' }],
  ] as const) {
    assert.equal(chooseStyle(terminal, environment).strong('x'), 'x');
  }
});

test('fields have their labels aligned to the right', () => {
  assert.equal(
    renderFields(
      [
        ['Name', 'a'],
        ['Outcome', 'b'],
      ],
      plain,
    ),
    '   Name: a\nOutcome: b\n',
  );
});
