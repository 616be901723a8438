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
  test(`${JSON.stringify(name.slice(0, 40))} (${name.length}) is no user name, and the reason is short and printable`, () => {
    const parsed = parseUserName(name);
    assert.ok('reason' in parsed);
    assert.ok(parsed.reason.length < 200);
    assert.match(parsed.reason, /^[\x20-\x7eü…ï]+$/);
  });
}

for (const name of ['', '.', '..', '@foo.service', 'a/b', 'a b', 'a\nb', 'ü.service', 'x'.repeat(256)]) {
  test(`${JSON.stringify(name.slice(0, 40))} is no unit name`, () => assert.ok('reason' in parseUnitName(name)));
}

for (const name of ['a:b.service', 'x'.repeat(255), 'foo\\x2dbar.service', 'runit-service_1']) {
  test(`${name.slice(0, 40)} is a unit name`, () => assert.ok('unit' in parseUnitName(name)));
}

test('lookups accept relaxed names and refuse what no system can have', () => {
  for (const name of ['foo.bar', 'DOMAIN\\user', 'ü', 'a b', '-x', 'x'.repeat(5_000)]) {
    assert.equal(isLookupName(name), true, name);
  }
  for (const name of ['', '.', '..', ' a', 'a ', 'a:b', 'a/b', 'a\nb', '\x7f', '12', '-', '-12']) {
    assert.equal(isLookupName(name), false, JSON.stringify(name));
  }
});
