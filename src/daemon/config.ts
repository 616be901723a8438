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

export const DEFAULTS: Settings = {
  range: DEFAULT_RANGE,
  probeTimeoutMs: 5_000,
  allowUsers: [],
  allowGroups: [],
  directoryUsers: [],
  maxConnections: 4_096,
  maxConnectionsPerUser: 512,
  idleTimeoutMs: 60_000,
  killGraceMs: 5_000,
  coolDownMs: 60_000,
  connectionGraceMs: 10_000,
  exitIdleMs: 0,
  logLevel: 'info',
};

/** What a key's value becomes, or the reason why it cannot. */
type Parsed = Partial<Settings> | string;

const KEYS: Readonly<Record<string, (value: string) => Parsed>> = {
  UidRange: value => {
    const range = parseRange(value);
    return typeof range === 'string' ? range : { range };
  },
  ProbeTimeoutSec: value => seconds(value, 0.1, 60, milliseconds => ({ probeTimeoutMs: milliseconds })),
  AllowUsers: value => ({ allowUsers: words(value) }),
  AllowGroups: value => ({ allowGroups: words(value) }),
  DirectoryUsers: value => ({ directoryUsers: words(value) }),
  MaxConnections: value => integer(value, 64, 65_536, count => ({ maxConnections: count })),
  MaxConnectionsPerUser: value => integer(value, 1, 65_536, count => ({ maxConnectionsPerUser: count })),
  IdleTimeoutSec: value => seconds(value, 1, 3_600, milliseconds => ({ idleTimeoutMs: milliseconds })),
  KillGraceSec: value => seconds(value, 0, 600, milliseconds => ({ killGraceMs: milliseconds })),
  CoolDownSec: value => seconds(value, 0, 86_400, milliseconds => ({ coolDownMs: milliseconds })),
  ConnectionGraceSec: value => seconds(value, 0, 600, milliseconds => ({ connectionGraceMs: milliseconds })),
  ExitIdleSec: value => {
    const parsed = seconds(value, 0, 86_400, milliseconds => ({ exitIdleMs: milliseconds }));
    // systemd gives up a socket whose service ends 20 times in 2 s (systemd.socket(5), TriggerLimitBurst=).
    return Number(value) > 0 && Number(value) < 1 ? 'it must be 0 for never, or at least 1' : parsed;
  },
  LogLevel: value => {
    const level = LOG_LEVELS.find(known => known === value);
    return level === undefined ? `it must be one of ${LOG_LEVELS.join(', ')}` : { logLevel: level };
  },
};

/** The keys that a configuration file may have. */
export const CONFIG_KEYS: readonly string[] = Object.keys(KEYS);

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
  let settings: Partial<Settings> = {};
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
    const parse = Object.hasOwn(KEYS, key) ? KEYS[key] : undefined;
    if (parse === undefined) {
      throw fail(`unknown key "${key.slice(0, 80)}"; there are ${CONFIG_KEYS.join(', ')}`);
    }
    if (seen.has(key)) {
      throw fail(`${key}= occurs twice; remove one`);
    }
    seen.add(key);
    const parsed = parse(line.slice(equals + 1).trim());
    if (typeof parsed === 'string') {
      throw fail(`${key}=: ${parsed}`);
    }
    settings = { ...settings, ...parsed };
  }
  return settings;
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

function words(value: string): string[] {
  return value.split(/\s+/).filter(word => word !== '');
}

function integer(value: string, least: number, most: number, use: (count: number) => Parsed): Parsed {
  const count = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
  return count >= least && count <= most ? use(count) : `it must be a whole number from ${least} to ${most}`;
}

function seconds(value: string, least: number, most: number, use: (milliseconds: number) => Parsed): Parsed {
  const count = /^\d{1,6}(?:\.\d{1,3})?$/.test(value) ? Number(value) : Number.NaN;
  return count >= least && count <= most
    ? use(Math.round(count * 1_000))
    : `it must be a number of seconds from ${least} to ${most}`;
}

function invalid(reason: string): DynuserError {
  return new DynuserError('InvalidConfiguration', reason);
}
