import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { DynuserError } from '../../../src/core/errors.ts';
import { DEFAULTS, loadConfig, parseConfig } from '../../../src/daemon/config.ts';

function refused(text: string, pattern: RegExp): void {
  assert.throws(
    () => parseConfig(text, 'file.conf'),
    (error: unknown) => {
      assert.ok(error instanceof DynuserError);
      assert.equal(error.code, 'InvalidConfiguration');
      assert.match(error.message, pattern);
      return true;
    },
  );
}

test('every key is read, comments and blank lines are not', () => {
  const text = [
    '# comment',
    '; comment',
    '',
    'UidRange=61184-61186',
    ' ProbeTimeoutSec = 0.5 ',
    'AllowUsers=alice 1000',
    'AllowGroups=',
    'DirectoryUsers=root 1001',
    'MaxConnections=100',
    'MaxConnectionsPerUser=10',
    'IdleTimeoutSec=5',
    'ConnectionGraceSec=0.5',
    'ExitIdleSec=30',
    'LogLevel=debug',
  ].join('\n');
  assert.deepEqual(parseConfig(text, 'file.conf'), {
    range: { first: 61184, last: 61186 },
    probeTimeoutMs: 500,
    allowUsers: ['alice', '1000'],
    allowGroups: [],
    directoryUsers: ['root', '1001'],
    maxConnections: 100,
    maxConnectionsPerUser: 10,
    idleTimeoutMs: 5_000,
    connectionGraceMs: 500,
    exitIdleMs: 30_000,
    logLevel: 'debug',
  });
});

test('what cannot be is refused with file, line and key', () => {
  refused('\nUidRang=1-2', /^file\.conf:2: unknown key "UidRang"; there are UidRange,/);
  refused('toString=1', /unknown key/);
  refused('UidRange', /^file\.conf:1: "UidRange" is not a line/);
  refused('UidRange=1-2', /^file\.conf:1: UidRange=: it must lie within/);
  refused('LogLevel=info\nLogLevel=info', /^file\.conf:2: LogLevel= occurs twice/);
  refused('LogLevel=loud', /one of error, warn/);
  refused('MaxConnections=1e9', /whole number/);
  refused('ProbeTimeoutSec=0', /seconds from 0\.1/);
  refused('ProbeTimeoutSec=-1', /seconds/);
  refused('ExitIdleSec=0.5', /0 for never, or at least 1/);
  refused('ExitIdleSec=never', /seconds/);
});

test('a missing default file means the defaults, a missing named file is an error', () => {
  const directory = mkdtempSync(join(tmpdir(), 'dynuser-config-'));
  try {
    const file = join(directory, 'dynuserd.conf');
    assert.throws(() => loadConfig({ file, environment: {} }), /dynuserd.conf: it does not exist; create it, or start/);
    assert.throws(() => loadConfig({ file: directory, environment: {} }), /it is not a regular file; replace it/);
    writeFileSync(file, 'LogLevel=error\n');
    const config = loadConfig({ file, environment: { DYNUSER_RUNTIME_DIRECTORY: '/run/other' } });
    assert.equal(config.runtimeDirectory, '/run/other');
    assert.equal(config.logLevel, 'error');
    assert.equal(config.probeTimeoutMs, DEFAULTS.probeTimeoutMs);
    assert.ok(Object.isFrozen(config));
    writeFileSync(file, '#'.repeat(70_000));
    assert.throws(() => loadConfig({ file, environment: {} }), /larger than/);
    assert.throws(() => loadConfig({ file, environment: { DYNUSER_RUNTIME_DIRECTORY: 'run' } }), DynuserError);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
