import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failFor } from '../../../../src/launch/errors.ts';
import {
  asBoolean,
  isWithin,
  readAccount,
  readBoolean,
  readMode,
  readPath,
  readWord,
  type ValueContext,
} from '../../../../src/launch/syntax/values.ts';
import { refuses } from '../launches.ts';

const fail = failFor('Test');
const context: ValueContext = {
  fail,
  field: 'Test',
  expand: text => text,
  entry: read => read(),
  get strict() {
    return context;
  },
};

test('booleans are those of systemd.syntax(7), in any case', () => {
  const words = { true: ['1', 'yes', 'y', 'true', 't', 'on'], false: ['0', 'no', 'n', 'false', 'f', 'off'] };
  for (const [value, texts] of Object.entries(words)) {
    for (const text of [...texts, ...texts.map(word => word.toUpperCase())]) {
      assert.equal(asBoolean(text), value === 'true', text);
      assert.equal(readBoolean(text, context), value === 'true', text);
    }
  }
  for (const text of ['', '2', 'o', 'yess', ' yes', 'enable']) {
    assert.equal(asBoolean(text), undefined);
    refuses(() => readBoolean(text, context), 'Test', /^not a boolean: ".*"; use yes or no$/);
  }
  refuses(() => readBoolean('x', context, ['a', 'b']), 'Test', /; use yes, no, a or b$/);
});

test('a word is one of those that there are, as they are written', () => {
  assert.equal(readWord('b', ['a', 'b'], context), 'b');
  refuses(() => readWord('B', ['a', 'b'], context), 'Test', /^unknown value: "B"; use one of a, b$/);
});

test('modes are octal numbers up to 07777', () => {
  for (const [text, mode] of [
    ['0', 0],
    ['7777', 0o7777],
    ['0o755', 0o755],
    ['0000000000000755', 0o755],
  ] as const) {
    assert.equal(readMode(text, context), mode, text);
  }
  for (const text of ['', '10000', '8', '0x1', '-1', '+1', ' 7', '0o', '00000000000000755']) {
    refuses(() => readMode(text, context), 'Test', /not a mode/);
  }
});

test('an account is a name, or a number that somebody can have', () => {
  for (const text of ['0', '1', '65534', '65536', '4294967294', 'web', '_a-b.c', 'Web', 'a1', 'é']) {
    assert.equal(readAccount(text, fail), text);
  }
  // 65535 and 4294967295 are neither a user's nor a group's (systemd.exec(5), setgroups(2)).
  for (const text of [
    '',
    '65535',
    '4294967295',
    '4294967296',
    '99999999999',
    '01',
    '-1',
    '.',
    '..',
    'a:b',
    'a/b',
    ' a',
  ]) {
    refuses(() => readAccount(text, fail), 'Test', /not the name of a user or group/);
  }
});

test('paths lose what means nothing in them, and are refused with ".." and NUL', () => {
  for (const [text, path] of [
    ['/', '/'],
    ['//a/./b//', '/a/b'],
    ['/.', '/'],
    ['/...', '/...'],
    ['/a..', '/a..'],
  ] as const) {
    assert.equal(readPath(text, fail), path);
  }
  refuses(() => readPath('a', fail), 'Test', /not an absolute path/);
  refuses(() => readPath('', fail), 'Test', /not an absolute path/);
  for (const text of ['..', 'a/..', '../a', 'a/../b']) {
    refuses(() => readPath(`/${text}`, fail), 'Test', /"\.\."/);
  }
  refuses(() => readPath('/a\0', fail), 'Test', /no NUL/);
});

test('a path is within another if it is that one or below it', () => {
  for (const [path, other, within] of [
    ['/a', '/a', true],
    ['/a/b', '/a', true],
    ['/a', '/', true],
    ['/', '/', true],
    ['/ab', '/a', false],
    ['/a', '/a/b', false],
    ['/', '/a', false],
  ] as const) {
    assert.equal(isWithin(path, other), within, `${path} ${other}`);
  }
});
