import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseUnitFile } from '../../../../src/launch/syntax/unit-file.ts';
import { refuses } from '../launches.ts';

function read(text: string): { pairs: string[]; warnings: string[] } {
  const warnings: string[] = [];
  const found = parseUnitFile(text, '/x.service', warning => warnings.push(warning));
  return { pairs: found.map(({ name, value, origin }) => `${origin?.split(':')[1]} ${name}=${value}`), warnings };
}

test('only [Service] is read, with comments and empty lines passed over', () => {
  const text =
    '# c\n; c\n[Unit]\nDescription=x\n\n[Service]\n  User = wuff \n#User=no\nGroup=\n[Install]\nWantedBy=y\n';
  assert.deepEqual(read(text), { pairs: ['7 User=wuff', '9 Group='], warnings: [] });
});

test('a section may be there twice, and unknown ones are said, but for those of others', () => {
  const { pairs, warnings } = read('[Service]\nA=1\n[Socket]\nB=2\n[X-Mine]\nC=3\n[Service]\nD=4\n');
  assert.deepEqual(pairs, ['2 A=1', '8 D=4']);
  assert.deepEqual(warnings, ['/x.service:3: the section [Socket] is not one of a service; it is ignored']);
});

test('lines go on after a backslash, which becomes a space, also across comments', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['A=1 \\\n 2', ['2 A=1   2']],
    ['A=1\\\n# comment\n; another\n2\nB=3', ['2 A=1 2', '6 B=3']],
    ['A=1 \\\n# comment \\\n2', ['2 A=1  2']],
    ['A=1\\\\\nB=2', ['2 A=1\\\\', '3 B=2']],
    ['A=1\\\\\\\n2', ['2 A=1\\\\ 2']],
    ['A=1 \\\n\nB=2', ['2 A=1', '4 B=2']],
    ['A=1 \\', ['2 A=1']],
    ['A=1\r\nB=2\r', ['2 A=1', '3 B=2']],
    ['A=b=c', ['2 A=b=c']],
  ];
  for (const [text, expected] of cases) {
    assert.deepEqual(read(`[Service]\n${text}`).pairs, expected, JSON.stringify(text));
  }
  assert.deepEqual(read('\ufeff[Service]\nA=1').pairs, ['2 A=1']);
});

test('what is no unit file is refused, with its line', () => {
  refuses(() => read('[Service]\nUser'), '/x.service:2', /NAME=VALUE/);
  refuses(() => read('[Service]\n=x'), '/x.service:2', /NAME=VALUE/);
  refuses(() => read('User=x'), '/x.service:1', /before the first section/);
  refuses(() => read('[Service\nUser=x'), '/x.service:1', /"\]"/);
  refuses(() => read('[Service]\nUser=x\0y'), '/x.service:2', /NUL/);
  refuses(() => read('[Service]\n.include /x.service\nUser=x'), '/x.service:2', /drop-in/);
});
