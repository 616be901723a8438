import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExpectedHandover } from '../../../../src/api/generated/io-dynuser-allocator.ts';
import { LEFT_PATHS_SHOWN_MAX } from '../../../../src/cli/limits.ts';
import { renderExpectedHandovers, renderHandovers, renderLeftAlone } from '../../../../src/cli/render/handovers.ts';
import { chooseStyle } from '../../../../src/cli/render/table.ts';
import { sampleDirectory } from '../sample.ts';

const layout = { legend: true, style: chooseStyle(false, {}) };

test('each directory with how it was handed over', () => {
  const directories = [
    sampleDirectory(),
    sampleDirectory({ changed: 1 }),
    sampleDirectory({ publicPath: '/run/b\n', handover: 'chown', changed: 12 }),
    sampleDirectory({ publicPath: '/run/c', handover: 'map', diskUid: 65534, diskGid: 65534 }),
  ];
  assert.equal(
    renderHandovers(directories, layout.style),
    [
      "/var/lib/a: none, it was the user's already",
      '/var/lib/a: none, but 1 inode below it repaired',
      '  /run/b\\n: chown, 12 inodes changed',
      '    /run/c: map, it needs a mount that shows 65534:65534 as the user',
      '',
    ].join('\n'),
  );
  assert.equal(renderHandovers([], layout.style), '');
});

test('what was left alone is a warning for each directory and reason, and none where nothing was', () => {
  assert.equal(renderLeftAlone([sampleDirectory(), sampleDirectory()]), '');
  const [first = '', second = '', ...rest] = renderLeftAlone([
    sampleDirectory({ leftPaths: ['b', 'c\x1b'], mountPaths: ['m'] }),
  ]).split('\n');
  assert.match(first, /^dynuserctl: left alone: \/var\/lib\/a\/b, \/var\/lib\/a\/c\\x1b: it has other names too/);
  assert.match(second, /^dynuserctl: left alone: \/var\/lib\/a\/m: something is mounted there$/);
  assert.deepEqual(rest, ['']);
});

test('a warning names no more paths than fit', () => {
  const leftPaths = Array.from({ length: LEFT_PATHS_SHOWN_MAX }, (_, index) => `p${index}.`);
  const all = renderLeftAlone([sampleDirectory({ leftPaths })]);
  assert.equal(all.match(/\/p\d+\./g)?.length, LEFT_PATHS_SHOWN_MAX);
  assert.doesNotMatch(all, /more/);
  const some = renderLeftAlone([sampleDirectory({ leftPaths: [...leftPaths, 'x', 'y'] })]);
  assert.equal(some.match(/\/p\d+\./g)?.length, LEFT_PATHS_SHOWN_MAX);
  assert.match(some, /p7\. and at least 2 more: /);
});

const expected: ExpectedHandover = {
  kind: 'state',
  publicPath: '/var/lib/a',
  handover: 'chown',
  owner: 61185,
  inodes: 120,
  changes: 7,
  counted: 'all',
};

test('what would become of directories is a table; a count that is not whole says so', () => {
  const { owner, ...fresh } = expected;
  assert.equal(
    renderExpectedHandovers(
      [
        expected,
        { ...expected, publicPath: '/var/cache/b\n', counted: 'some' },
        { ...fresh, publicPath: '/run/c', handover: 'none', inodes: 0, changes: 1 },
      ],
      layout,
    ),
    [
      'DIRECTORY       HANDOVER  OWNER        INODES     CHANGES',
      '/var/lib/a      chown     61185           120           7',
      '/var/cache/b\\n  chown     61185  at least 120  at least 7',
      '/run/c          none          -             0           1',
      '',
    ].join('\n'),
  );
  assert.equal(owner, 61185);
});

test('on a narrow terminal a path is shortened, and numbers never are', () => {
  const long = { ...expected, publicPath: `/var/lib/${'x'.repeat(200)}` };
  const row = renderExpectedHandovers([long], { ...layout, columns: 60 }).split('\n')[1] ?? '';
  assert.equal(row.length, 60);
  assert.match(row, /^\/var\/lib\/x+… {2}chown {5}61185 {5}120 {8}7$/);
});

test('no directories: not even titles', () => {
  assert.equal(renderExpectedHandovers([], layout), '');
});
