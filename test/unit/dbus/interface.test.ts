import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Variant } from '@jellybrick/dbus-next';
import { DynuserError, wireCodeOf } from '../../../src/core/errors.ts';
import { LIFETIMES } from '../../../src/core/lease.ts';
import { ACQUIRE_OPTIONS } from '../../../src/dbus/acquire-option-types.ts';
import { readAcquire } from '../../../src/dbus/acquire-options.ts';
import { systemBusSocket } from '../../../src/dbus/bus.ts';
import {
  CallRefused,
  introspect,
  isMethodName,
  METHODS,
  refuse,
  signatureOf,
  toRefusal,
} from '../../../src/dbus/interface.ts';
import { unitFullName } from '../../../src/dbus/systemd-manager.ts';

describe('io.dynuser.Allocator1', () => {
  it("has the signatures of the contract, and systemd's for the lookups", () => {
    const signatures = Object.entries(METHODS).map(
      ([name, method]) => `${name}(${signatureOf(method.in)}) → ${signatureOf(method.out)}`,
    );
    assert.deepEqual(signatures, [
      'Acquire(sa{sv}) → uusbs',
      'Release(s) → ',
      'LookupDynamicUserByName(s) → u',
      'LookupDynamicUserByUID(u) → s',
      'GetDynamicUsers() → a(us)',
    ]);
    assert.ok(isMethodName('Acquire') && !isMethodName('constructor') && !isMethodName('acquire'));
  });

  it('describes the way to its object', () => {
    assert.match(introspect('/') ?? '', /<node name="io"\/>/);
    assert.match(introspect('/io/dynuser') ?? '', /<node name="Allocator1"\/>/);
    assert.match(introspect('/io/dynuser/Allocator1') ?? '', /<arg name="options" type="a\{sv\}" direction="in"\/>/);
    for (const path of ['/i', '/io/dyn', '/io/dynuser/Allocator1/x', '/x']) {
      assert.equal(introspect(path), undefined, path);
    }
  });

  it('tells each error by the name that it has in varlink', () => {
    for (const code of ['InvalidName', 'RangeExhausted', 'HostFailed', 'InvalidConfiguration'] as const) {
      const name = toRefusal(new DynuserError(code, 'why'))?.errorName;
      assert.equal(name, `io.dynuser.Allocator1.${wireCodeOf(code)}`);
    }
    const refusal = refuse('InvalidArgs', 'why');
    assert.equal(toRefusal(refusal), refusal);
    assert.equal(toRefusal(new TypeError('a fault of ours')), undefined);
  });
});

it('describes each of its methods and signals, with the types of their arguments', () => {
  const description = introspect('/io/dynuser/Allocator1') ?? '';
  for (const [name, method] of Object.entries(METHODS)) {
    const args = (['in', 'out'] as const).flatMap(direction =>
      method[direction].map(([arg, type]) => `   <arg name="${arg}" type="${type}" direction="${direction}"/>\n`),
    );
    assert.ok(description.includes(`  <method name="${name}">\n${args.join('')}  </method>\n`), name);
  }
  const args = '   <arg name="uid" type="u"/>\n   <arg name="name" type="s"/>\n';
  for (const name of ['UserAllocated', 'UserReleased']) {
    assert.ok(description.includes(`  <signal name="${name}">\n${args}  </signal>\n`), name);
  }
  for (const name of ['io.dynuser.Allocator1', 'org.freedesktop.DBus.Introspectable', 'org.freedesktop.DBus.Peer']) {
    assert.ok(description.includes(` <interface name="${name}">\n`), name);
  }
  assert.match(description, /^<!DOCTYPE node .*<node>\n.*<\/node>\n$/s);
});

describe('the options of Acquire', () => {
  it('are taken as they are', () => {
    const options = {
      userName: new Variant('s', 'bar'),
      perInstance: new Variant('b', false),
      lifetime: new Variant('s', 'process'),
      pid: new Variant('u', 1),
      logsDirectory: new Variant('as', ['a', 'b']),
    };
    assert.deepEqual(readAcquire('foo.service', options), {
      unit: 'foo.service',
      userName: 'bar',
      perInstance: false,
      lifetime: 'process',
      pid: 1,
      logsDirectory: ['a', 'b'],
    });
  });

  it('are taken by their names, each of its type alone', () => {
    const values: Readonly<Record<string, unknown>> = { s: 'connection', b: true, u: 0o700, as: ['a'] };
    for (const [name, type] of Object.entries(ACQUIRE_OPTIONS)) {
      const more = name === 'pid' ? { lifetime: new Variant('s', 'process') } : {};
      const read = readAcquire('a', { ...more, [name]: new Variant(type, values[type]) });
      assert.deepEqual(read[name], values[type], name);
      for (const other of Object.keys(values).filter(each => each !== type)) {
        assert.throws(
          () => readAcquire('a', { ...more, [name]: new Variant(other, values[other]) }),
          new RegExp(`the option ${name} must be of type ${type}$`),
        );
      }
    }
  });

  it('have a lifetime that there is, and a process with the one that ends with it', () => {
    for (const lifetime of LIFETIMES) {
      const given = { lifetime: new Variant('s', lifetime) };
      assert.equal(readAcquire('a', given)['lifetime'], lifetime);
      const withPid = () => readAcquire('a', { ...given, pid: new Variant('u', 7) });
      if (lifetime === 'process') {
        assert.equal(withPid()['pid'], 7);
      } else {
        assert.throws(withPid, /^CallRefused: the option pid must be .*lifetime process$/);
      }
    }
    for (const options of [null, undefined, 'a', 7]) {
      assert.throws(() => readAcquire('a', options), /Acquire takes a unit name and a dictionary of options/);
    }
  });

  it('are refused where one is unknown, or of another type', () => {
    const invalid = (pattern: RegExp) => (error: unknown) =>
      error instanceof CallRefused && /InvalidArgs$/.test(error.errorName) && pattern.test(error.message);
    for (const name of ['username', 'unit', 'constructor', 'x'.repeat(10_000)]) {
      assert.throws(
        () => readAcquire('a', { [name]: new Variant('s', 'b') }),
        invalid(/^unknown option ".{1,64}"; there/),
      );
    }
    for (const value of [new Variant('i', 1), new Variant('v', new Variant('s', 'b')), 'b', undefined]) {
      assert.throws(() => readAcquire('a', { userName: value }), invalid(/^the option userName must be of type s$/));
    }
    const pid = new Variant('u', 1);
    assert.throws(
      () => readAcquire('a', { lifetime: new Variant('s', 'long') }),
      invalid(/^the option lifetime must be/),
    );
    assert.throws(() => readAcquire('a', { pid }), invalid(/^the option pid must be/));
    const process = new Variant('s', 'process');
    assert.throws(
      () => readAcquire('a', { lifetime: process, pid: new Variant('u', 0) }),
      invalid(/^the option pid must/),
    );
    assert.throws(() => readAcquire(1, {}), invalid(/takes a unit name/));
  });
});

describe('the address of the system bus', () => {
  it('is where it always is, or a path', () => {
    const path = '/run/dbus/system_bus_socket';
    assert.deepEqual([undefined, ''].map(systemBusSocket), [{ path }, { path }]);
    assert.deepEqual(systemBusSocket('unix:path=/tmp/b-1.x'), { path: '/tmp/b-1.x' });
    assert.deepEqual(systemBusSocket(`unix:path=/b,guid=${'0a'.repeat(16)}`), { path: '/b' });
  });

  it('runs no program, and reaches over no network', () => {
    for (const address of [
      'unixexec:path=/bin/sh',
      'tcp:host=a,port=1',
      'unix:path=/a;unix:path=/b',
      'unix:abstract=/a',
      'unix:path=a',
    ]) {
      assert.ok('reason' in systemBusSocket(address), address);
    }
  });
});

describe('the full name of a unit', () => {
  it('is what systemd knows it by', () => {
    assert.equal(unitFullName('foo'), 'foo.service');
    assert.equal(unitFullName('foo.bar'), 'foo.bar.service');
    assert.equal(unitFullName('foo.socket'), 'foo.socket');
    for (const suffix of ['mount', 'swap', 'slice', 'scope', 'timer', 'path', 'target', 'device', 'automount']) {
      assert.equal(unitFullName(`a.b.${suffix}`), `a.b.${suffix}`);
      assert.equal(unitFullName(`a@.${suffix}`), undefined, 'a template');
    }
    assert.equal(unitFullName('foo@a@b'), 'foo@a@b.service');
    assert.equal(unitFullName('a'.repeat(247)), `${'a'.repeat(247)}.service`);
  });

  it('is undefined if no unit can have it', () => {
    for (const name of ['foo@', 'foo@.service', '@a.service', '.service', 'a'.repeat(248)]) {
      assert.equal(unitFullName(name), undefined, name);
    }
  });
});
