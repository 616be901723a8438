/**
 * Defaults, configuration file and environment → one frozen Config. An unknown key, a key twice or a value out of its
 * bounds is an error with file and line: a daemon that hands out users must not guess.
 */
import { readFileSync, statSync } from 'node:fs';
import { DynuserError } from '../core/errors.ts';
import { RUNTIME_DIRECTORY, RUNTIME_DIRECTORY_VARIABLE } from '../core/paths.ts';
import { DEFAULT_RANGE, parseRange, type UidRange } from '../core/range.ts';
import { hasCode } from '../files/pinned-directory.ts';

export const CONFIG_FILE = '/etc/dynuser/dynuserd.conf';
const CONFIG_BYTES_MAX = 64 * 1024;

export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface Config {
  readonly runtimeDirectory: string;
  readonly range: UidRange;
  /** how long one question to the host may take, in milliseconds */
  readonly probeTimeoutMs: number;
  /** names or UIDs of peers that may acquire, besides root */
  readonly allowUsers: readonly string[];
  readonly allowGroups: readonly string[];
  /** names or UIDs of peers that may request directories, besides root of this host */
  readonly directoryUsers: readonly string[];
  readonly maxConnections: number;
  readonly maxConnectionsPerUser: number;
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
  readonly logLevel: LogLevel;
}

/** What the file can say. */
export type Settings = Omit<Config, 'runtimeDirectory'>;

/** What a value becomes, or the reason why it cannot. */
type Parsed<Value> = { readonly value: Value } | { readonly reason: string };

interface SettingRow<Value> {
  /** its key in the file */
  readonly key: string;
  /** its value if the file does not say */
  readonly standard: Value;
  readonly parse: (text: string) => Parsed<Value>;
  /** it cannot change without a restart */
  readonly atNextStart?: true;
}

const SETTINGS: { readonly [Name in keyof Settings]: SettingRow<Settings[Name]> } = {
  // Users live in the range that they were allocated from.
  range: {
    key: 'UidRange',
    standard: DEFAULT_RANGE,
    atNextStart: true,
    parse(text) {
      const range = parseRange(text);
      return typeof range === 'string' ? { reason: range } : { value: range };
    },
  },
  probeTimeoutMs: { key: 'ProbeTimeoutSec', standard: 5_000, parse: seconds(0.1, 60) },
  allowUsers: { key: 'AllowUsers', standard: [], parse: words },
  allowGroups: { key: 'AllowGroups', standard: [], parse: words },
  directoryUsers: { key: 'DirectoryUsers', standard: [], parse: words },
  // The descriptors of connections are planned at the start.
  maxConnections: { key: 'MaxConnections', standard: 4_096, parse: integer(64, 65_536), atNextStart: true },
  maxConnectionsPerUser: { key: 'MaxConnectionsPerUser', standard: 512, parse: integer(1, 65_536) },
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
  logLevel: {
    key: 'LogLevel',
    standard: 'info',
    parse(text) {
      const level = LOG_LEVELS.find(known => known === text);
      return level === undefined ? { reason: `it must be one of ${LOG_LEVELS.join(', ')}` } : { value: level };
    },
  },
};

const NAMES = Object.keys(SETTINGS) as readonly (keyof Settings)[];

export const DEFAULTS = Object.fromEntries(NAMES.map(name => [name, SETTINGS[name].standard])) as unknown as Settings;

/** The keys that a configuration file may have. */
export const CONFIG_KEYS: readonly string[] = NAMES.map(name => SETTINGS[name].key);

/** A setting whose value is another than before. */
export interface ChangedSetting {
  readonly name: keyof Settings;
  readonly key: string;
  /** it is in force only after the next start */
  readonly isDeferred: boolean;
}

export function changedSettings(before: Settings, after: Settings): readonly ChangedSetting[] {
  return NAMES.filter(name => JSON.stringify(before[name]) !== JSON.stringify(after[name])).map(name => {
    const { key, atNextStart = false } = SETTINGS[name];
    return { name, key, isDeferred: atNextStart };
  });
}

export interface ConfigSource {
  /** the file that was asked for by name, which must be there; the default one may be missing */
  readonly file?: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** @throws DynuserError InvalidConfiguration, with file and line */
export function loadConfig({ file, environment }: ConfigSource): Config {
  const path = file ?? CONFIG_FILE;
  const text = readConfig(path, file !== undefined);
  return Object.freeze({
    ...DEFAULTS,
    ...parseConfig(text, path),
    runtimeDirectory: runtimeDirectory(environment[RUNTIME_DIRECTORY_VARIABLE]),
  });
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
    const name = NAMES.find(known => SETTINGS[known].key === key);
    if (name === undefined) {
      throw fail(`unknown key "${key.slice(0, 80)}"; there are ${CONFIG_KEYS.join(', ')}`);
    }
    if (seen.has(key)) {
      throw fail(`${key}= occurs twice; remove one`);
    }
    seen.add(key);
    const parsed = SETTINGS[name].parse(line.slice(equals + 1).trim());
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
    const { size, isRegular } = fileAt(path);
    // To read a FIFO or a device may wait for ever.
    if (!isRegular) {
      throw invalid(`${path}: it is not a regular file; replace it by one`);
    }
    if (size > CONFIG_BYTES_MAX) {
      throw invalid(`${path}: it is larger than ${CONFIG_BYTES_MAX} bytes; shorten it`);
    }
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (!required && hasCode(error, 'ENOENT')) {
      return '';
    }
    if (hasCode(error, 'ENOENT')) {
      throw invalid(`${path}: it does not exist; create it, or start without --config=`);
    }
    throw error instanceof DynuserError
      ? error
      : invalid(`${path}: it cannot be read (${reasonOf(error)}); check it and its file system`);
  }
}

function fileAt(path: string): { readonly size: number; readonly isRegular: boolean } {
  const status = statSync(path);
  return { size: status.size, isRegular: status.isFile() };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
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

function words(text: string): Parsed<string[]> {
  return { value: text.split(/\s+/).filter(word => word !== '') };
}

function integer(least: number, most: number): (text: string) => Parsed<number> {
  return text => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    return value >= least && value <= most
      ? { value }
      : { reason: `it must be a whole number from ${least} to ${most}` };
  };
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
