import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Variant } from '@jellybrick/dbus-next';
import { DynuserError, wireCodeOf } from '../../../src/core/errors.ts';
import { readAcquire } from '../../../src/dbus/acquire-options.ts';
import { systemBusSocket } from '../../../src/dbus/address.ts';
import { CallRefused, refuse, toRefusal } from '../../../src/dbus/call-errors.ts';
import { introspect, isMethodName, METHODS, signatureOf } from '../../../src/dbus/interface.ts';
import { unitFullName } from '../../../src/dbus/unit-state.ts';

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
    assert.equal(unitFullName('foo@a@b'), 'foo@a@b.service');
    assert.equal(unitFullName('a'.repeat(247)), `${'a'.repeat(247)}.service`);
  });

  it('is none where no unit can have it', () => {
    for (const name of ['foo@', 'foo@.service', '@a.service', '.service', 'a'.repeat(248)]) {
      assert.equal(unitFullName(name), undefined, name);
    }
  });
});
