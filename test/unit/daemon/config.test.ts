import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { DynuserError } from '../../../src/core/errors.ts';
import { parseRange } from '../../../src/core/range.ts';
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
    'UidRange=61184-61186 !61185',
    'UidRange.ci-* = 80000-89999',
    'UidRange.web.service=90000-90001',
    ' ProbeTimeoutSec = 0.5 ',
    'AllowUsers=alice 1000',
    'AllowGroups=',
    'DirectoryUsers=root 1001',
    'MaxConnections=100',
    'MaxConnectionsPerUser=10',
    'MaxLeases=100000',
    'MaxLeasesPerUser=64',
    'IdleTimeoutSec=5',
    'ConnectionGraceSec=0.5',
    'ExitIdleSec=30',
    'LogLevel=debug',
  ].join('\n');
  assert.deepEqual(parseConfig(text, 'file.conf'), {
    range: parseRange('61184-61186 !61185'),
    unitRanges: [
      { pattern: 'ci-*', range: parseRange('80000-89999') },
      { pattern: 'web.service', range: parseRange('90000-90001') },
    ],
    probeTimeoutMs: 500,
    allowUsers: ['alice', '1000'],
    allowGroups: [],
    directoryUsers: ['root', '1001'],
    maxConnections: 100,
    maxConnectionsPerUser: 10,
    maxLeases: 100_000,
    maxLeasesPerUser: 64,
    idleTimeoutMs: 5_000,
    connectionGraceMs: 500,
    exitIdleMs: 30_000,
    logLevel: 'debug',
  });
});

test('the least and the greatest number of a key are accepted, and nothing beyond', () => {
  const bounds = {
    ProbeTimeoutSec: ['0.1', '60', '0.099', '60.001'],
    MaxConnections: ['64', '65536', '63', '65537'],
    MaxConnectionsPerUser: ['1', '65536', '0', '65537'],
    IdleTimeoutSec: ['1', '3600', '0.999', '3600.001'],
    KillGraceSec: ['0', '600', '-1', '600.001'],
    CoolDownSec: ['0', '86400', '-1', '86400.001'],
    ConnectionGraceSec: ['0', '600', '-1', '600.001'],
  };
  for (const [key, [least, most, less, more]] of Object.entries(bounds)) {
    parseConfig(`${key}=${least}`, 'file.conf');
    parseConfig(`${key}=${most}`, 'file.conf');
    refused(`${key}=${less}`, /it must be a (?:whole )?number/);
    refused(`${key}=${more}`, /it must be a (?:whole )?number/);
  }
});

test('what cannot be is refused with file, line and key', () => {
  refused('\nUidRang=1-2', /^file\.conf:2: unknown key "UidRang"; there are UidRange,/);
  refused('toString=1', /unknown key/);
  refused('UidRange', /^file\.conf:1: "UidRange" is not a line/);
  refused('UidRange.=61184-65519', /^file\.conf:1: UidRange\.=: a pattern of unit names has/);
  refused('UidRange.a=1-2', /^file\.conf:1: UidRange\.a=: it must lie within/);
  refused('UidRange.a=61184-65519\nUidRange.a=70000-70001', /^file\.conf:2: UidRange\.a= occurs twice/);
  refused('LogLevel.a=debug', /^file\.conf:1: unknown key "LogLevel\.a"/);
  const many = Array.from({ length: 65 }, (_, index) => `UidRange.u${index}=61184-65519\n`).join('');
  refused(many, /^file\.conf:65: UidRange\.u64=: there must not be more than 64/);
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
    assert.throws(() => loadConfig(file, {}), /dynuserd.conf: it does not exist; create it, or start/);
    assert.throws(() => loadConfig(directory, {}), /it is not a regular file; replace it/);
    writeFileSync(file, 'LogLevel=error\n');
    const config = loadConfig(file, { DYNUSER_RUNTIME_DIRECTORY: '/run/other' });
    assert.equal(config.runtimeDirectory, '/run/other');
    assert.equal(config.logLevel, 'error');
    assert.equal(config.probeTimeoutMs, DEFAULTS.probeTimeoutMs);
    assert.ok(Object.isFrozen(config));
    writeFileSync(file, '#'.repeat(70_000));
    assert.throws(() => loadConfig(file, {}), /larger than/);
    assert.throws(() => loadConfig(file, { DYNUSER_RUNTIME_DIRECTORY: 'run' }), DynuserError);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('a daemon is configured as the manual says unless its file says otherwise', () => {
  assert.deepEqual(DEFAULTS, {
    ...{ range: parseRange('61184-65519'), unitRanges: [], probeTimeoutMs: 5_000, allowUsers: [], allowGroups: [] },
    ...{
      directoryUsers: [],
      maxConnections: 4_096,
      maxConnectionsPerUser: 512,
      maxLeases: 16_384,
      maxLeasesPerUser: 1_024,
      idleTimeoutMs: 60_000,
    },
    ...{ killGraceMs: 5_000, coolDownMs: 60_000, connectionGraceMs: 10_000, exitIdleMs: 0, logLevel: 'info' },
    nscdSocket: false,
    audit: 'auto',
    ...{ fleet: 'off', fleetNames: [], fleetRange: parseRange('65536-79999 90000-99999'), sharedStorages: [] },
    ...{ fleetForgetMs: 30 * 86_400_000, fleetTrustsBoot: false },
    historyLimits: { bytes: 1024 ** 3, ms: 400 * 86_400_000 },
  });
});

test('the names and UIDs of a fleet are patterns and a separate range, and storage is what all hosts call it', () => {
  assert.deepEqual(parseConfig('Fleet=required\nFleetNames=web f-* d?\nFleetForgetSec=0', 'f'), {
    ...{ fleet: 'required', fleetNames: ['web', 'f-*', 'd?'], fleetForgetMs: 0 },
  });
  assert.deepEqual(parseConfig('SharedStorage=/srv/ /var/lib/private=nas:/export /=all', 'f').sharedStorages, [
    { path: '/srv', id: '/srv' },
    { path: '/var/lib/private', id: 'nas:/export' },
    { path: '/', id: 'all' },
  ]);
  refused('Fleet=yes', /one of off, preferred, required/);
  refused('FleetNames=a b/c', /"b\/c" is not a pattern of user names/);
  refused('FleetUidRange=1-2', /it must lie within/);
  refused('FleetUidRange=100000-400000', /not have more than 131072/);
  refused('FleetForgetSec=1.5', /whole number/);
  for (const wrong of ['srv', '/srv/../x', '/srv=a=b']) {
    refused(`SharedStorage=${wrong}`, /is not an absolute path/);
  }
  const directory = mkdtempSync(join(tmpdir(), 'dynuser-config-'));
  try {
    const file = join(directory, 'dynuserd.conf');
    writeFileSync(file, 'UidRange.ci-*=79999-80010\n');
    loadConfig(file, {});
    writeFileSync(file, 'UidRange.ci-*=79999-80010\nFleet=preferred\n');
    assert.throws(
      () => loadConfig(file, {}),
      /FleetUidRange= \(.*UidRange\.ci-\*= \(79999-80010\) have UIDs in common/,
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('a history is bounded by a size, a time or both, or switched off', () => {
  const day = 86_400_000;
  for (const [text, limits] of [
    ['no', undefined],
    ['4M', { bytes: 4 * 1024 ** 2, ms: 0 }],
    ['2w', { bytes: 0, ms: 14 * day }],
    ['1y 20G', { bytes: 20 * 1024 ** 3, ms: 365 * day }],
  ] as const) {
    assert.deepEqual(parseConfig(`HistoryKeep=${text}`, 'f').historyLimits, limits, text);
  }
  for (const wrong of ['', 'yes', '1', '1T', '0M', '1G 1G', '1d 2w', '-1d', '1G,400d', '1G 400d no', '1 G']) {
    refused(`HistoryKeep=${wrong}`, /it must be "no", or a size/);
  }
  refused('HistoryKeep=3M', /smaller than 4M cannot be kept; write "no" for none/);
});

test('an idle daemon exits after at least a second and at most a day, or never', () => {
  for (const [text, milliseconds] of [
    ['0', 0],
    ['0.0', 0],
    ['1', 1_000],
    ['1.5', 1_500],
    ['86400', 86_400_000],
  ] as const) {
    assert.equal(parseConfig(`ExitIdleSec=${text}`, 'f').exitIdleMs, milliseconds);
  }
  refused('ExitIdleSec=0.999', /^file\.conf:1: ExitIdleSec=: it must be 0 for never, or at least 1$/);
  refused('ExitIdleSec=0.001', /at least 1/);
  refused('ExitIdleSec=86400.001', /a number of seconds from 0 to 86400/);
  refused('ExitIdleSec=-1', /a number of seconds/);
});

test('numbers are written plainly, and rounded to milliseconds', () => {
  assert.equal(parseConfig('KillGraceSec=0.001', 'f').killGraceMs, 1);
  assert.equal(parseConfig('KillGraceSec=1.005', 'f').killGraceMs, 1_005);
  for (const value of ['', ' ', '+1', '1.', '.5', '1.0001', '1e2', '0x1', '1 s', '0000001']) {
    refused(`KillGraceSec=${value}`, /a number of seconds from 0 to 600/);
  }
  for (const value of ['', '64.0', '+64', '-64', '0x40', '64 ', '0000000064'].filter(text => text.trim() === text)) {
    refused(`MaxConnections=${value}`, /a whole number from 64 to 65536/);
  }
});

test('lists are words, whatever is between them, and a value may hold an equals sign', () => {
  assert.deepEqual(parseConfig('AllowUsers =\t a  b\tc ', 'f').allowUsers, ['a', 'b', 'c']);
  assert.deepEqual(parseConfig('AllowGroups=a=b', 'f').allowGroups, ['a=b']);
  assert.deepEqual(parseConfig('AllowGroups=a\r\nLogLevel=warn\r\n', 'f'), { allowGroups: ['a'], logLevel: 'warn' });
  for (const level of ['error', 'warn', 'info', 'debug'] as const) {
    assert.equal(parseConfig(`LogLevel=${level}`, 'f').logLevel, level);
  }
});

test('the line of an error is the one that is wrong, and shows no more than a part of it', () => {
  refused('# a\n\n; b\nLogLevel=info\nx', /^file\.conf:5: "x" is not a line of the form Key=value$/);
  refused('=a', /^file\.conf:1: unknown key ""/);
  const long = 'x'.repeat(10_000);
  for (const text of [long, `${long}=1`]) {
    refused(text, /"x{80}"/);
  }
});

test('the runtime directory is an absolute path, or the usual one', () => {
  const directory = mkdtempSync(join(tmpdir(), 'dynuser-config-'));
  try {
    const file = join(directory, 'dynuserd.conf');
    writeFileSync(file, '#'.repeat(64 * 1024));
    const of = (configured?: string) => loadConfig(file, { DYNUSER_RUNTIME_DIRECTORY: configured }).runtimeDirectory;
    assert.deepEqual([undefined, '', '/a'].map(of), ['/run/dynuser', '/run/dynuser', '/a']);
    for (const wrong of ['a', './a', '/a\0b', '~']) {
      assert.throws(() => of(wrong), /^DynuserError: DYNUSER_RUNTIME_DIRECTORY: ".*" must be an absolute path$/s);
    }
    writeFileSync(file, '#'.repeat(64 * 1024 + 1));
    assert.throws(() => of(), /it is larger than 65536 bytes; shorten it$/);
    assert.throws(() => loadConfig(`${file}/x`, {}), /it cannot be read \(.*ENOTDIR.*\); check it/);
    assert.throws(() => loadConfig(`${directory}/none`, {}), /it does not exist/);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
