/**
 * Defaults, configuration file and environment → one frozen Config. An unknown key, a key twice or a value out of its
 * bounds is an error with file and line: a daemon that hands out users must not guess.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { DynuserError, reasonOf } from '../core/errors.ts';
import { FLEET_MODES, FLEET_RANGE, type FleetMode, type SharedStorage } from '../core/fleet.ts';
import { SNAPSHOT_USERS_MAX } from '../core/fleet-snapshot.ts';
import { LEASES_CONFIGURED_MAX, LEASES_MAX, LEASES_PER_PEER_MAX } from '../core/limits.ts';
import { RUNTIME_DIRECTORY, RUNTIME_DIRECTORY_VARIABLE } from '../core/paths.ts';
import {
  DEFAULT_RANGE,
  intervalsOverlap,
  parseRange,
  patternProblem,
  rangeSize,
  type UidRange,
  UNIT_RANGES_MAX,
  type UnitRange,
} from '../core/range.ts';
import { hasCode } from '../files/pinned-directory.ts';
import type { HistoryLimits } from '../history/segment-files.ts';

export const CONFIG_FILE = '/etc/dynuser/dynuserd.conf';
const CONFIG_BYTES_MAX = 64 * 1024;
const SHARED_STORAGES_MAX = 64;

const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface Config {
  readonly runtimeDirectory: string;
  readonly range: UidRange;
  /** for the units whose names match a pattern, the first that fits */
  readonly unitRanges: readonly UnitRange[];
  /** how long one question to the host may take, in milliseconds */
  readonly probeTimeoutMs: number;
  /** names or UIDs of peers that may acquire, besides root */
  readonly allowUsers: readonly string[];
  readonly allowGroups: readonly string[];
  /** names or UIDs of peers that may request directories, besides root of this host */
  readonly directoryUsers: readonly string[];
  readonly maxConnections: number;
  readonly maxConnectionsPerUser: number;
  readonly maxLeases: number;
  /** of one UID other than root */
  readonly maxLeasesPerUser: number;
  /** how long a connection may stay open without a call, a lease or a watch, in milliseconds */
  readonly idleTimeoutMs: number;
  /** how long processes of a user that ends may take to end by themselves, in milliseconds */
  readonly killGraceMs: number;
  /** how long a freed UID is kept from other names while others are free, in milliseconds */
  readonly coolDownMs: number;
  /** how long a lease of a connection to a former daemon waits for its process, in milliseconds */
  readonly connectionGraceMs: number;
  /** after how long without users and connections a daemon with a passed socket exits, in milliseconds; 0 for never */
  readonly exitIdleMs: number;
  /** whether the host's programs that ask no NSS module are answered, at the socket of nscd(8) */
  readonly nscdSocket: boolean;
  readonly logLevel: LogLevel;
  /** how much stays of the history, in bytes and in milliseconds; undefined: none is kept */
  readonly historyLimits: HistoryLimits | undefined;
  /** whether names can have one UID on all hosts, and what becomes of one that the fleet cannot give a UID now */
  readonly fleet: FleetMode;
  /** patterns of the names that are the fleet's without being asked for it */
  readonly fleetNames: readonly string[];
  readonly fleetRange: UidRange;
  /** file systems that hosts share: a directory there is one name's on all of them */
  readonly sharedStorages: readonly SharedStorage[];
  /** how long a name of the fleet is not used here before this host forgets it, in milliseconds; 0 for never */
  readonly fleetForgetMs: number;
  /** what this host holds counts after a boot without a look at the store */
  readonly fleetTrustsBoot: boolean;
  /** auto: users are told to the kernel's audit if it takes that */
  readonly audit: 'auto' | 'no';
}

/** What the file can say. */
export type Settings = Omit<Config, 'runtimeDirectory'>;

const DAY_MS = 24 * 60 * 60 * 1_000;
/** The units of HistoryKeep=. */
const KEEP_UNITS: ReadonlyMap<string, readonly [what: 'bytes' | 'ms', size: number]> = new Map([
  ['M', ['bytes', 1024 ** 2]],
  ['G', ['bytes', 1024 ** 3]],
  ['d', ['ms', DAY_MS]],
  ['w', ['ms', 7 * DAY_MS]],
  ['y', ['ms', 365 * DAY_MS]],
]);
/** Two segments of the usual length. */
const HISTORY_BYTES_MIN = 4 * 1024 ** 2;

/** What a value becomes, or the reason why it cannot. */
type Parsed<Value> = { readonly value: Value } | { readonly reason: string };

interface SettingRow<Value> {
  /** its key in the file */
  readonly key: string;
  /** its value if the file does not say */
  readonly standard: Value;
  /**
   * @param key behind the dot, of one that ends in PATTERN
   * @param former of one that has several lines, what those before gave
   */
  readonly parse: (text: string, pattern: string, former: Value) => Parsed<Value>;
  /** it cannot change without a restart */
  readonly atNextStart?: true;
}

/** What stands behind the dot of a key that has a line for each pattern. */
const PATTERN = 'PATTERN';

const SETTINGS: { readonly [Name in keyof Settings]: SettingRow<Settings[Name]> } = {
  // Users live on with the UID that they have, wherever it lies.
  range: { key: 'UidRange', standard: DEFAULT_RANGE, parse: uidRange },
  unitRanges: {
    key: `UidRange.${PATTERN}`,
    standard: [],
    parse(text, pattern, former) {
      const problem = patternProblem(pattern);
      const range = problem === undefined ? uidRange(text) : { reason: problem };
      if ('reason' in range) {
        return range;
      }
      return former.length < UNIT_RANGES_MAX
        ? { value: [...former, { pattern, range: range.value }] }
        : { reason: `there must not be more than ${UNIT_RANGES_MAX} of these` };
    },
  },
  probeTimeoutMs: { key: 'ProbeTimeoutSec', standard: 5_000, parse: seconds(0.1, 60) },
  allowUsers: { key: 'AllowUsers', standard: [], parse: words },
  allowGroups: { key: 'AllowGroups', standard: [], parse: words },
  directoryUsers: { key: 'DirectoryUsers', standard: [], parse: words },
  // The descriptors of connections are planned at the start.
  maxConnections: { key: 'MaxConnections', standard: 4_096, parse: integer(64, 65_536), atNextStart: true },
  maxConnectionsPerUser: { key: 'MaxConnectionsPerUser', standard: 512, parse: integer(1, 65_536) },
  // So are those of leases.
  maxLeases: { key: 'MaxLeases', standard: LEASES_MAX, parse: integer(64, LEASES_CONFIGURED_MAX), atNextStart: true },
  maxLeasesPerUser: {
    key: 'MaxLeasesPerUser',
    standard: LEASES_PER_PEER_MAX,
    parse: integer(1, LEASES_CONFIGURED_MAX),
  },
  idleTimeoutMs: { key: 'IdleTimeoutSec', standard: 60_000, parse: seconds(1, 3_600) },
  killGraceMs: { key: 'KillGraceSec', standard: 5_000, parse: seconds(0, 600) },
  coolDownMs: { key: 'CoolDownSec', standard: 60_000, parse: seconds(0, 86_400) },
  // The grace time is granted once, at the start.
  connectionGraceMs: { key: 'ConnectionGraceSec', standard: 10_000, parse: seconds(0, 600), atNextStart: true },
  exitIdleMs: {
    key: 'ExitIdleSec',
    standard: 0,
    atNextStart: true,
    parse(text) {
      // systemd gives up a socket whose service ends 20 times in 2 s (systemd.socket(5), TriggerLimitBurst=).
      const tooShort = Number(text) > 0 && Number(text) < 1;
      return tooShort ? { reason: 'it must be 0 for never, or at least 1' } : seconds(0, 86_400)(text);
    },
  },
  nscdSocket: { key: 'NscdSocket', standard: false, parse: yesOrNo, atNextStart: true },
  logLevel: { key: 'LogLevel', standard: 'info', parse: oneOf(LOG_LEVELS) },
  audit: { key: 'Audit', standard: 'auto', parse: oneOf(['auto', 'no']) },
  // What is held is of this range, and so is what a mirror has.
  fleet: { key: 'Fleet', standard: 'off', atNextStart: true, parse: oneOf(FLEET_MODES) },
  fleetNames: { key: 'FleetNames', standard: [], parse: parseFleetNames },
  fleetRange: {
    key: 'FleetUidRange',
    standard: FLEET_RANGE,
    atNextStart: true,
    parse(text) {
      const range = uidRange(text);
      return 'value' in range && rangeSize(range.value) > SNAPSHOT_USERS_MAX
        ? { reason: `it must not have more than ${SNAPSHOT_USERS_MAX} UIDs` }
        : range;
    },
  },
  sharedStorages: { key: 'SharedStorage', standard: [], parse: parseStorages },
  fleetForgetMs: {
    key: 'FleetForgetSec',
    standard: 30 * DAY_MS,
    parse(text) {
      const parsed = integer(0, 315_360_000)(text);
      return 'reason' in parsed ? parsed : { value: parsed.value * 1_000 };
    },
  },
  fleetTrustsBoot: { key: 'FleetTrustBoot', standard: false, parse: yesOrNo },
  historyLimits: { key: 'HistoryKeep', standard: { bytes: 1024 ** 3, ms: 400 * DAY_MS }, parse: parseHistoryKeep },
};

const NAMES = Object.keys(SETTINGS) as readonly (keyof Settings)[];

export const DEFAULTS = Object.fromEntries(NAMES.map(name => [name, SETTINGS[name].standard])) as unknown as Settings;

/** The keys that a configuration file may have. */
export const CONFIG_KEYS: readonly string[] = NAMES.map(name => SETTINGS[name].key);

/** @returns the settings whose value is another than before; one that is deferred is in force only after the next start */
export function changedSettings(before: Settings, after: Settings) {
  return NAMES.filter(name => JSON.stringify(before[name]) !== JSON.stringify(after[name])).map(name => {
    const { key, atNextStart: isDeferred = false } = SETTINGS[name];
    return { name, key, isDeferred };
  });
}

/**
 * @param file the one that was asked for by name, which must be there; the default one may be missing
 * @throws DynuserError InvalidConfiguration, with file and line
 */
export function loadConfig(file: string | undefined, environment: NodeJS.ProcessEnv): Config {
  const path = file ?? CONFIG_FILE;
  const text = readConfig(path, file !== undefined);
  const settings = { ...DEFAULTS, ...parseConfig(text, path) };
  checkFleetRange(settings, path);
  return Object.freeze({
    ...settings,
    runtimeDirectory: runtimeDirectory(environment[RUNTIME_DIRECTORY_VARIABLE]),
  });
}

/** Of a UID in both ranges nobody could say whether it is the name's elsewhere. @throws DynuserError InvalidConfiguration */
function checkFleetRange({ fleet, fleetRange, range, unitRanges }: Settings, path: string): void {
  const others = [
    { key: 'UidRange', range },
    ...unitRanges.map(one => ({ key: `UidRange.${one.pattern}`, range: one.range })),
  ];
  const other = others.find(one => intervalsOverlap(one.range, fleetRange));
  if (fleet !== 'off' && other !== undefined) {
    throw invalid(
      `${path}: FleetUidRange= (${fleetRange.text}) and ${other.key}= (${other.range.text}) have UIDs in common; separate the two`,
    );
  }
}

/**
 * Reads the configuration, and uses it for nothing.
 * @returns which file it is, and whether it exists
 * @throws DynuserError as loadConfig() does
 */
export function checkConfig(
  file: string | undefined,
  environment: NodeJS.ProcessEnv,
): { readonly path: string; readonly isThere: boolean } {
  loadConfig(file, environment);
  const path = file ?? CONFIG_FILE;
  return { path, isThere: existsSync(path) };
}

/** @param path names the file in errors */
export function parseConfig(text: string, path: string): Partial<Settings> {
  const settings: Partial<Record<keyof Settings, unknown>> = {};
  const seen = new Set<string>();
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#') || line.startsWith(';')) {
      continue;
    }
    const fail = (reason: string) => invalid(`${path}:${index + 1}: ${reason}`);
    const equals = line.indexOf('=');
    if (equals < 0) {
      throw fail(`"${line.slice(0, 80)}" is not a line of the form Key=value`);
    }
    const key = line.slice(0, equals).trim();
    const dot = key.indexOf('.');
    const known = dot < 0 ? key : `${key.slice(0, dot)}.${PATTERN}`;
    const name = NAMES.find(candidate => SETTINGS[candidate].key === known);
    if (name === undefined) {
      throw fail(`unknown key "${key.slice(0, 80)}"; there are ${CONFIG_KEYS.join(', ')}`);
    }
    if (seen.has(key)) {
      throw fail(`${key}= occurs twice; remove one`);
    }
    seen.add(key);
    const row = SETTINGS[name] as SettingRow<unknown>;
    const parsed = row.parse(line.slice(equals + 1).trim(), key.slice(dot + 1), settings[name] ?? row.standard);
    if ('reason' in parsed) {
      throw fail(`${key}=: ${parsed.reason}`);
    }
    settings[name] = parsed.value;
  }
  // Each row has given the type of its setting.
  return settings as Partial<Settings>;
}

function readConfig(path: string, required: boolean): string {
  try {
    const status = statSync(path);
    // To read a FIFO or a device may wait for ever.
    if (!status.isFile()) {
      throw invalid(`${path}: it is not a regular file; replace it by one`);
    }
    if (status.size > CONFIG_BYTES_MAX) {
      throw invalid(`${path}: it is larger than ${CONFIG_BYTES_MAX} bytes; shorten it`);
    }
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof DynuserError) {
      throw error;
    }
    if (!hasCode(error, 'ENOENT')) {
      throw invalid(`${path}: it cannot be read (${reasonOf(error)}); check it and its file system`);
    }
    if (required) {
      throw invalid(`${path}: it does not exist; create it, or start without --config=`);
    }
    return '';
  }
}

function runtimeDirectory(configured: string | undefined): string {
  if (configured === undefined || configured === '') {
    return RUNTIME_DIRECTORY;
  }
  if (!configured.startsWith('/') || configured.includes('\0')) {
    throw invalid(`${RUNTIME_DIRECTORY_VARIABLE}: "${configured}" must be an absolute path`);
  }
  return configured;
}

function uidRange(text: string): Parsed<UidRange> {
  const range = parseRange(text);
  return typeof range === 'string' ? { reason: range } : { value: range };
}

function oneOf<Word extends string>(known: readonly Word[]): (text: string) => Parsed<Word> {
  const words = known.length === 2 ? known.join(' or ') : `one of ${known.join(', ')}`;
  return text => {
    const value = known.find(word => word === text);
    return value === undefined ? { reason: `it must be ${words}` } : { value };
  };
}

function words(text: string): { readonly value: string[] } {
  return { value: text.split(/\s+/).filter(word => word !== '') };
}

function parseFleetNames(text: string): Parsed<string[]> {
  const patterns = words(text);
  const problem = patterns.value.find(pattern => !/^[A-Za-z0-9_*?-]{1,31}$/.test(pattern));
  return problem === undefined
    ? patterns
    : {
        reason: `"${problem}" is not a pattern of user names: those have letters, digits, _ - and the wildcards * and ?`,
      };
}

/** @param text "PATH=ID" or "PATH" each; what hosts call it is the path, unless they have it at different ones */
function parseStorages(text: string): Parsed<SharedStorage[]> {
  const storages: SharedStorage[] = [];
  for (const word of words(text).value) {
    const [, path, name = ''] = /^(\/[^=]*?)\/*(?:=([^=]*))?$/.exec(word) ?? [];
    const id = name === '' ? path : name;
    if (path === undefined || id === undefined || !/^[\x21-\x7e]{1,128}$/.test(id) || /\/\.\.?(?:\/|$)/.test(path)) {
      return { reason: `"${word}" is not an absolute path, or one with a name of the storage behind "="` };
    }
    storages.push({ path, id });
  }
  return storages.length > SHARED_STORAGES_MAX
    ? { reason: `there must not be more than ${SHARED_STORAGES_MAX} of them` }
    : { value: storages };
}

function yesOrNo(text: string): Parsed<boolean> {
  return text === 'yes' || text === 'no' ? { value: text === 'yes' } : { reason: 'it must be yes or no' };
}

function integer(least: number, most: number): (text: string) => Parsed<number> {
  return text => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    return value >= least && value <= most
      ? { value }
      : { reason: `it must be a whole number from ${least} to ${most}` };
  };
}

/** @param text "no", or a size, a time, or both */
function parseHistoryKeep(text: string): Parsed<HistoryLimits | undefined> {
  if (text === 'no') {
    return { value: undefined };
  }
  const limits = { bytes: 0, ms: 0 };
  const parts = text.split(/\s+/);
  for (const part of parts) {
    const [, number, unit = ''] = /^(\d{1,6})([MGdwy])$/.exec(part) ?? [];
    const [what, size] = KEEP_UNITS.get(unit) ?? [];
    if (what === undefined || size === undefined || Number(number) === 0 || limits[what] !== 0) {
      return { reason: 'it must be "no", or a size (M, G), a time (d, w, y), or both, such as "1G 400d"' };
    }
    limits[what] = Number(number) * size;
  }
  return limits.bytes !== 0 && limits.bytes < HISTORY_BYTES_MIN
    ? { reason: `a history smaller than ${HISTORY_BYTES_MIN / 1024 ** 2}M cannot be kept; write "no" for none` }
    : { value: limits };
}

/** @returns what reads seconds and gives milliseconds */
function seconds(least: number, most: number): (text: string) => Parsed<number> {
  return text => {
    const value = /^\d{1,6}(?:\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
    return value >= least && value <= most
      ? { value: Math.round(value * 1_000) }
      : { reason: `it must be a number of seconds from ${least} to ${most}` };
  };
}

function invalid(reason: string): DynuserError {
  return new DynuserError('InvalidConfiguration', reason);
}
