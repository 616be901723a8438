import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failFor } from '../../../../src/launch/errors.ts';
import {
  dropInDirectories,
  splitUnitName,
  unescapeUnitName,
  unitOfFile,
} from '../../../../src/launch/syntax/unit-name.ts';
import { refuses } from '../launches.ts';

const fail = failFor('Test');
const failInstance = failFor('Instance');

test('a unit name has a prefix and perhaps an instance', () => {
  assert.deepEqual(splitUnitName('wuff', fail), { name: 'wuff.service', prefix: 'wuff' });
  assert.deepEqual(splitUnitName('a@b@c.service', fail), { name: 'a@b@c.service', prefix: 'a', instance: 'b@c' });
  assert.deepEqual(splitUnitName('a@.service', fail), { name: 'a@.service', prefix: 'a', instance: '' });
  for (const name of ['', '.service', '@x.service', 'a/b', 'x.socket', 'a b.service', 'a\0']) {
    refuses(() => splitUnitName(name, fail), 'Test');
  }
});

test('the unit of a file is its instance, where it is a template', () => {
  assert.equal(unitOfFile('a.service', undefined, fail, failInstance).name, 'a.service');
  assert.equal(unitOfFile('a@.service', 'x\\x2dy', fail, failInstance).name, 'a@x\\x2dy.service');
  assert.equal(unitOfFile('a@x.service', undefined, fail, failInstance).name, 'a@x.service');
  assert.equal(unitOfFile('a@x.service', 'x', fail, failInstance).name, 'a@x.service');
  const refused: readonly (readonly [string, string | undefined, RegExp])[] = [
    ['a.service', 'x', /not a template/],
    ['a@.service', undefined, /--instance=/],
    ['a@.service', '', /--instance=/],
    ['a@x.service', 'y', /already/],
    ['a@.service', 'x/y', /systemd-escape/],
    ['a@.service', '../x', /systemd-escape/],
  ];
  for (const [file, instance, words] of refused) {
    refuses(() => unitOfFile(file, instance, fail, failInstance), 'Instance', words);
  }
  refuses(() => unitOfFile('a.conf', undefined, fail, failInstance), 'Test', /"\.service"/);
});

test('escapes of unit names are those of systemd-escape(1)', () => {
  assert.equal(unescapeUnitName('foo-bar\\x2dbaz'), 'foo/bar-baz');
  assert.equal(unescapeUnitName('\\xc3\\xbcber'), 'über');
  assert.equal(unescapeUnitName('a\\xzz\\'), 'a\\xzz\\');
});

test('drop-in directories come from the name to its prefixes, in each place, and last those of all services', () => {
  const beside = dropInDirectories(splitUnitName('a-b@i.service', fail), '/srv');
  assert.deepEqual(beside.slice(0, 6), [
    '/srv/a-b@i.service.d',
    '/srv/a-b@.service.d',
    '/srv/a-@.service.d',
    '/etc/systemd/system/a-b@i.service.d',
    '/etc/systemd/system/a-b@.service.d',
    '/etc/systemd/system/a-@.service.d',
  ]);
  assert.deepEqual(beside.slice(-5), [
    '/srv/service.d',
    '/etc/systemd/system/service.d',
    '/run/systemd/system/service.d',
    '/usr/local/lib/systemd/system/service.d',
    '/usr/lib/systemd/system/service.d',
  ]);
  assert.deepEqual(dropInDirectories(splitUnitName('a--b', fail), '/etc/systemd/system').slice(0, 3), [
    '/etc/systemd/system/a--b.service.d',
    '/etc/systemd/system/a--.service.d',
    '/etc/systemd/system/a-.service.d',
  ]);
  assert.equal(dropInDirectories(splitUnitName('a', fail), '/')[0], '/a.service.d');
});

test('only services are launched, and the message says what is wrong', () => {
  for (const type of 'socket mount swap slice scope timer path target device automount'.split(' ')) {
    refuses(() => splitUnitName(`a.${type}`, fail), 'Test', /^not a service: .*; only services can be launched$/);
  }
  assert.equal(splitUnitName('a.conf', fail).name, 'a.conf.service');
  assert.equal(splitUnitName('a.socket.service', fail).name, 'a.socket.service');
  for (const name of ['.service', '@a.service']) {
    refuses(() => splitUnitName(name, fail), 'Test', name.startsWith('@') ? /unit name/ : /^nothing before the suffix/);
  }
});

test('drop-in directories of each prefix, longest first, without an empty one', () => {
  const names = (unit: string): string[] =>
    dropInDirectories(splitUnitName(unit, fail), '/srv')
      .filter(path => path.startsWith('/srv/'))
      .map(path => path.slice('/srv/'.length));
  assert.deepEqual(names('a-b-c'), ['a-b-c.service.d', 'a-b-.service.d', 'a-.service.d', 'service.d']);
  assert.deepEqual(names('-a'), ['-a.service.d', 'service.d']);
  assert.deepEqual(names('a-'), ['a-.service.d', 'service.d']);
  assert.deepEqual(names('ab-@x-y'), ['ab-@x-y.service.d', 'ab-@.service.d', 'service.d']);
  assert.deepEqual(names('a@'), ['a@.service.d', 'service.d']);
  for (const path of [
    '/etc/systemd/system',
    '/run/systemd/system',
    '/usr/local/lib/systemd/system',
    '/usr/lib/systemd/system',
  ]) {
    const all = dropInDirectories(splitUnitName('a', fail), path);
    assert.equal(all.length, 8, path);
    assert.equal(new Set(all).size, 8);
  }
});
