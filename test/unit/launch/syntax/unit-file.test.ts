import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldOf, parseUnitFile } from '../../../../src/launch/syntax/unit-file.ts';
import { refuses } from '../launches.ts';

function read(text: string): { pairs: string[]; warnings: string[] } {
  const warnings: string[] = [];
  const { service: found } = parseUnitFile(text, '/x.service', warning => warnings.push(warning));
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

test('what is not a unit file is refused, with its line', () => {
  refuses(() => read('[Service\nUser=x'), '/x.service:1', /"\]"/);
  refuses(() => read('[Service]\nUser=x\0y'), '/x.service:2', /NUL/);
});

test('lines that are nothing are ignored, with a warning that says which, also one that began above', () => {
  const { pairs, warnings } = read(
    'A=1\n[Service]\n# c\nB\\\n\\\nC\n=x\n.include /x.service\nB=2\n[Unit]\nA\n[X-Y]\nA',
  );
  assert.deepEqual(pairs, ['9 B=2']);
  assert.deepEqual(warnings, [
    '/x.service:1: a line before the first section is ignored: "A=1"; put it below [Service]',
    '/x.service:4: a line that is not an assignment is ignored: "B  C"; use NAME=VALUE',
    '/x.service:7: a line that is not an assignment is ignored: "=x"; use NAME=VALUE',
    '/x.service:8: a line that is not an assignment is ignored: ".include /x.service"; use NAME=VALUE',
    '/x.service:11: a line that is not an assignment is ignored: "A"; use NAME=VALUE',
  ]);
  refuses(() => read('[Service]\nA=1\n[X'), '/x.service:3', /^not a section: "\[X"; end it with "\]"$/);
});

test('sections of others are passed over in silence if they are meant for others', () => {
  const { pairs, warnings } = read('[Unit]\nA=1\n[Install]\nB=2\n[X-]\nC=3\n[x-y]\nD=4\n[service]\nE=5\n');
  assert.deepEqual(pairs, []);
  assert.deepEqual(warnings, [
    '/x.service:7: the section [x-y] is not one of a service; it is ignored',
    '/x.service:9: the section [service] is not one of a service; it is ignored',
  ]);
});

test('lines end with LF, CR LF or CR, and are counted so', () => {
  assert.deepEqual(read('[Service]\r\rA=1\n\r\nB=2').pairs, ['3 A=1', '5 B=2']);
  assert.deepEqual(read('[Service]\nA=1\\\r\nB=2\\').pairs, ['2 A=1 B=2']);
});

test('an error about an assignment is about its name, with its place in a file', () => {
  assert.equal(fieldOf({ name: 'A', value: '' }), 'A');
  assert.equal(fieldOf({ name: 'A', value: '', origin: '/x:1' }), '/x:1: A');
});
