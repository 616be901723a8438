/** The configuration that is read again: what takes effect at once, what at the next start, and that a wrong file changes nothing. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { DynuserError } from '../../../src/core/errors.ts';
import { CONFIG_KEYS, type Config, changedSettings, DEFAULTS, type Settings } from '../../../src/daemon/config.ts';
import { LiveConfig } from '../../../src/daemon/live-config.ts';
import type { Logger } from '../../../src/daemon/logger.ts';
import type { Notification } from '../../../src/host/systemd/notify.ts';

/** Each setting with another value than the default one, and whether it changes at once. */
const OTHERS: { readonly [Name in keyof Settings]: readonly [value: Settings[Name], isAtOnce: boolean] } = {
  range: [{ ...DEFAULTS.range, text: '61184-61186' }, true],
  unitRanges: [[{ pattern: 'ci-*', range: DEFAULTS.range }], true],
  probeTimeoutMs: [1, true],
  allowUsers: [['bob'], true],
  allowGroups: [['adm'], true],
  directoryUsers: [['bob'], true],
  maxConnections: [100, false],
  maxConnectionsPerUser: [7, true],
  maxLeases: [100, false],
  maxLeasesPerUser: [7, true],
  idleTimeoutMs: [1, true],
  killGraceMs: [1, true],
  coolDownMs: [1, true],
  connectionGraceMs: [1, false],
  exitIdleMs: [1, false],
  nscdSocket: [true, false],
  logLevel: ['debug', true],
  audit: ['no', true],
  fleet: ['required', false],
  fleetNames: [['web'], true],
  fleetRange: [{ ...DEFAULTS.fleetRange, text: '70000-70001' }, false],
  sharedStorages: [[{ path: '/srv', id: 'nas' }], true],
  fleetForgetMs: [1, true],
  fleetTrustsBoot: [true, true],
  historyLimits: [undefined, true],
};
const NAMES = Object.keys(OTHERS) as (keyof Settings)[];

let wanted: Config | Error;
let live: LiveConfig;
let log: unknown[][];
let told: Notification[];
const logger = Object.fromEntries(
  ['info', 'warn', 'error'].map(level => [level, (...words: unknown[]) => log.push([level, ...words])]),
) as unknown as Logger;
const reload = () => live.reload(logger, notification => told.push(notification));

beforeEach(() => {
  [log, told] = [[], []];
  wanted = Object.freeze({ ...DEFAULTS, runtimeDirectory: '/run/dynuser' });
  live = new LiveConfig(() => {
    if (wanted instanceof Error) {
      throw wanted;
    }
    return wanted;
  });
});

describe('a configuration', () => {
  it('is that of the start until it is read again, and is exchanged as a whole', () => {
    const before = live.current;
    assert.equal(before, wanted);
    wanted = { ...before, killGraceMs: 1, allowUsers: ['bob'] };
    assert.equal(live.current, before);
    const heard: Config[] = [];
    live.onChange(config => heard.push(config));
    live.onChange(config => heard.push(config));
    reload();
    assert.deepEqual(live.current, wanted);
    assert.ok(Object.isFrozen(live.current));
    assert.deepEqual(heard, [live.current, live.current]);
    assert.equal(before.killGraceMs, DEFAULTS.killGraceMs, 'who has the former one keeps it');
    assert.deepEqual(log, [['info', { applied: ['AllowUsers', 'KillGraceSec'] }, 'configuration reloaded']]);
  });

  for (const name of NAMES) {
    const [value, isAtOnce] = OTHERS[name];
    it(`${isAtOnce ? 'has at once' : 'keeps until the next start'}: ${name}`, () => {
      wanted = { ...live.current, [name]: value };
      const key = CONFIG_KEYS[NAMES.indexOf(name)];
      assert.deepEqual(changedSettings(DEFAULTS, wanted), [{ name, key, isDeferred: !isAtOnce }]);
      assert.deepEqual(reload(), isAtOnce ? { applied: [key], deferred: [] } : { applied: [], deferred: [key] });
      assert.deepEqual(live.current[name], isAtOnce ? value : DEFAULTS[name]);
      const warning = ['warn', `${key}= changes at the next start; restart dynuserd for it`];
      const applied = isAtOnce ? [key] : [];
      assert.deepEqual(log, [['info', { applied }, 'configuration reloaded'], ...(isAtOnce ? [] : [warning])]);
    });
  }

  it('that says what it said before changes nothing', () => {
    wanted = { ...live.current, range: { ...live.current.range } };
    assert.deepEqual(changedSettings(live.current, wanted), []);
    reload();
    assert.deepEqual(log, [['info', { applied: [] }, 'configuration reloaded']]);
  });

  it('that is wrong changes nothing, and is said', () => {
    const before = live.current;
    live.onChange(() => assert.fail('nothing has changed'));
    wanted = new DynuserError('InvalidConfiguration', 'file.conf:1: no');
    assert.throws(reload, wanted);
    assert.equal(live.current, before);
    assert.deepEqual(log, [['error', 'the configuration stays as it was: file.conf:1: no']]);
    assert.throws(() => new LiveConfig(() => assert.fail('at the start')), /at the start/);
  });
});

describe('the service manager', () => {
  it('is told when a reload begins and when it ends, however it ends', () => {
    reload();
    wanted = new Error('no');
    assert.throws(reload, wanted);
    const states = ['reloading', 'reloaded', 'reloading', 'reloaded'];
    assert.deepEqual(
      told,
      states.map(state => ({ state })),
    );
  });

  it('that cannot be told is said, and stops nobody', () => {
    const outcome = live.reload(logger, () => {
      throw new Error('full');
    });
    assert.deepEqual(outcome, { applied: [], deferred: [] });
    assert.deepEqual(
      log.map(([level, , words]) => [level, words]),
      [
        ['error', 'cannot tell the service manager of a reload'],
        ['info', 'configuration reloaded'],
        ['error', 'cannot tell the service manager of a reload'],
      ],
    );
  });
});
