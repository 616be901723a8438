import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UnitName } from '../../../src/core/ids.ts';
import { deriveUserName, isLookupName, parseUnitName, parseUserName } from '../../../src/core/name.ts';

function unit(text: string): UnitName {
  const parsed = parseUnitName(text);
  assert.ok('unit' in parsed, `${text} is a unit name`);
  return parsed.unit;
}

// What systemd 257 derives for DynamicUser= without User=.
const DERIVED = [
  ['foo.bar.service', '_du10649011993341eb'],
  ['foo\\x2dbar.service', '_du476ca488ada6dac1'],
  ['1234.service', '_du50db675be19086d6'],
  ['abcdefghijabcdefghijabcdefghija.service', 'abcdefghijabcdefghijabcdefghija'],
  ['abcdefghijabcdefghijabcdefghijab.service', '_du4bc6e16be1fe8c3b'],
  ['0123456789012345678901234567890123.service', '_dud93a58e1b7fbaa4d'],
  ['tmpl@inst.service', 'tmpl'],
  ['tmpl@inst2.service', 'tmpl'],
  ['tmpl@a@b.service', 'tmpl'],
  ['dynamic-user-test.service', 'dynamic-user-test'],
  ['dynamic-user-test', 'dynamic-user-test'],
  ['waldo.socket', 'waldo'],
] as const;

for (const [name, user] of DERIVED) {
  test(`${name} has the user ${user}`, () => assert.equal(deriveUserName(unit(name), false).name, user));
}

test('with an instance each, two instances of a template have users of their own', () => {
  const first = deriveUserName(unit('tmpl@inst.service'), true).name;
  const second = deriveUserName(unit('tmpl@inst2.service'), true).name;
  assert.match(first, /^_du[0-9a-f]{16}$/);
  assert.notEqual(first, second);
  assert.equal(deriveUserName(unit('plain.service'), true).name, 'plain');
});

for (const name of ['a', '_', '_apt', 'A-b_9', 'x'.repeat(31)]) {
  test(`${name} is a user name`, () => assert.deepEqual(parseUserName(name), { name }));
}

const NOT_USER_NAMES = [
  '',
  'x'.repeat(32),
  'x'.repeat(100_000),
  'a\0b',
  'a\nb',
  '..',
  '.',
  'a/b',
  'a:b',
  'ünïcode',
  '12345',
  '65535',
  '-1',
  '-a',
  'foo.bar',
  ' a',
];
for (const name of NOT_USER_NAMES) {
  test(`${JSON.stringify(name.slice(0, 40))} (${name.length}) is not a user name, and the reason is short and printable`, () => {
    const parsed = parseUserName(name);
    assert.ok('reason' in parsed);
    assert.ok(parsed.reason.length < 200);
    assert.match(parsed.reason, /^[\x20-\x7eü…ï]+$/);
  });
}

for (const name of ['', '.', '..', '@foo.service', 'a/b', 'a b', 'a\nb', 'ü.service', 'x'.repeat(256)]) {
  test(`${JSON.stringify(name.slice(0, 40))} is not a unit name`, () => assert.ok('reason' in parseUnitName(name)));
}

for (const name of ['a:b.service', 'x'.repeat(255), 'foo\\x2dbar.service', 'runit-service_1']) {
  test(`${name.slice(0, 40)} is a unit name`, () => assert.ok('unit' in parseUnitName(name)));
}

test('lookups accept relaxed names and refuse what no system can have', () => {
  for (const name of ['foo.bar', 'DOMAIN\\user', 'ü', 'a b', '-x', 'a\u0085b', 'x'.repeat(5_000)]) {
    assert.equal(isLookupName(name), true, name);
  }
  for (const name of ['', '.', '..', ' a', 'a ', 'a:b', 'a/b', 'a\nb', 'a\x1fb', '\x7f', '12', '-', '-12']) {
    assert.equal(isLookupName(name), false, JSON.stringify(name));
  }
});

test('what cannot be a user name is refused by what is wrong with it', () => {
  const why = (name: string): string => {
    const parsed = parseUserName(name);
    assert.ok('reason' in parsed);
    return parsed.reason;
  };
  const grammar = 'must start with a letter or "_" and hold only A-Z a-z 0-9 _ -';
  assert.equal(why(''), 'the user name is empty');
  assert.equal(why('x'.repeat(32)), `the user name "${'x'.repeat(32)}" has more than 31 bytes`);
  // 31 bytes are no more than 31, and these are sixteen characters of two bytes.
  assert.equal(why(`${'x'.repeat(30)}.`), `the user name "${'x'.repeat(30)}." ${grammar}`);
  assert.equal(why('ü'.repeat(16)), `the user name "${'ü'.repeat(16)}" has more than 31 bytes`);
  assert.equal(why('12'), 'the user name "12" is a number; a UID cannot be asked for by number');
  assert.equal(why('1a'), `the user name "1a" ${grammar}`);
  assert.equal(why('a\nb'), `the user name "a\\nb" ${grammar}`);
  // Of a long name the start is shown.
  assert.equal(why('x'.repeat(64)), `the user name "${'x'.repeat(64)}" has more than 31 bytes`);
  assert.equal(why('x'.repeat(65)), `the user name "${'x'.repeat(64)}…" has more than 31 bytes`);
});

test('what cannot be a unit name is refused by what is wrong with it', () => {
  const why = (name: string): string => {
    const parsed = parseUnitName(name);
    assert.ok('reason' in parsed);
    return parsed.reason;
  };
  assert.equal(why(''), 'the unit name is empty');
  assert.equal(why('x'.repeat(256)), `the unit name "${'x'.repeat(64)}…" has more than 255 bytes`);
  for (const name of ['.', '..', '@a', 'a b', 'a/b']) {
    assert.equal(
      why(name),
      `the unit name "${name}" must hold only A-Z a-z 0-9 : - _ . \\ and a prefix before any "@"`,
    );
  }
});

test('where a derived name comes from is said', () => {
  const origin = (name: string, perInstance = false): string => deriveUserName(unit(name), perInstance).origin;
  assert.equal(origin('web.service'), 'the name of the unit web.service');
  assert.equal(origin('web'), 'the name of the unit web');
  assert.equal(origin('web@a.service'), 'the template prefix of the unit web@a.service');
  assert.equal(origin('web.d.service'), 'a hash of "web.d", which is not a user name');
  assert.equal(origin('web@a.service', true), 'a hash of "web@a", which is not a user name');
  assert.equal(origin('web@.service', true), 'a hash of "web@", which is not a user name');
});
