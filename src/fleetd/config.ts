/** fleetd.conf → which fleet, and where its store is. An unknown key, a key that is set twice and a value that is not valid are errors with file and line. */
import { readFileSync } from 'node:fs';
import { reasonOf } from '../core/errors.ts';

export const CONFIG_FILE = '/etc/dynuser/fleetd.conf';
/** The service manager's directory of credentials, where files are looked for that the configuration names without a "/". */
const CREDENTIALS_VARIABLE = 'CREDENTIALS_DIRECTORY';
const ENDPOINTS_MAX = 16;
/** A control character other than tab: neither a path nor a URL has one. */
const CONTROL = /[^\t\P{Cc}]/u;
/** A name in keys and in paths. */
const FLEET_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

export interface FleetdConfig {
  readonly fleet: string;
  readonly store:
    | { readonly kind: 'directory'; readonly path: string }
    | {
        readonly kind: 'etcd';
        readonly endpoints: readonly string[];
        readonly certificateFile: string | undefined;
        readonly keyFile: string | undefined;
        readonly caFile: string | undefined;
      };
}

/** What is wrong with the configuration, in a sentence with file and line. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Settings that only a store in etcd has. */
const ETCD_KEYS = ['Endpoints', 'CertificateFile', 'KeyFile', 'CaFile'] as const;
export const KEYS = ['Fleet', 'Store', ...ETCD_KEYS] as const;
type Key = (typeof KEYS)[number];

/** @throws ConfigError */
export function loadConfig(path: string, environment: NodeJS.ProcessEnv): FleetdConfig {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError(`${path}: it cannot be read (${reasonOf(error)}); write it, with Fleet= and Store=`);
  }
  return parseConfig(text, path, environment[CREDENTIALS_VARIABLE]);
}

/** @param path names the file in errors. @throws ConfigError */
export function parseConfig(text: string, path: string, credentials: string | undefined): FleetdConfig {
  const values = readLines(text, path);
  const fail = (key: Key, reason: string) => {
    const line = values.get(key)?.line;
    return new ConfigError(`${path}${line === undefined ? '' : `:${line}`}: ${key}=: ${reason}`);
  };
  const fleet = values.get('Fleet')?.text;
  if (fleet === undefined || !FLEET_NAME.test(fleet)) {
    throw fail('Fleet', 'it must be the name of the fleet: letters, digits, "_" and "-"');
  }
  const store = values.get('Store')?.text ?? 'etcd';
  if (store.startsWith('/')) {
    const extra = ETCD_KEYS.find(key => values.has(key));
    if (extra !== undefined) {
      throw fail(extra, 'a directory has none; remove it, or set Store=etcd');
    }
    return { fleet, store: { kind: 'directory', path: store.replace(/\/+$/, '') || '/' } };
  }
  if (store !== 'etcd') {
    throw fail('Store', 'it must be etcd, or the absolute path of a directory on the shared storage');
  }
  const endpoints = (values.get('Endpoints')?.text ?? '').split(/[\s,]+/).filter(word => word !== '');
  const wrong = endpoints.find(endpoint => !isEndpoint(endpoint));
  if (wrong !== undefined || endpoints.length === 0 || endpoints.length > ENDPOINTS_MAX) {
    throw fail(
      'Endpoints',
      `${wrong === undefined ? 'it' : `"${wrong}"`} must be a URL, such as https://etcd1:2379, and there must be 1 to ${ENDPOINTS_MAX}`,
    );
  }
  const file = (key: Key) => {
    const name = values.get(key)?.text;
    if (name === undefined || name.startsWith('/')) {
      return name;
    }
    if (name === '' || name.includes('/') || credentials === undefined) {
      throw fail(key, 'it must be an absolute path, or the name of a credential of the service');
    }
    return `${credentials}/${name}`;
  };
  const [certificateFile, keyFile, caFile] = [file('CertificateFile'), file('KeyFile'), file('CaFile')];
  if ((certificateFile === undefined) !== (keyFile === undefined)) {
    throw fail(
      certificateFile === undefined ? 'KeyFile' : 'CertificateFile',
      'a certificate and its key belong together; set both',
    );
  }
  return { fleet, store: { kind: 'etcd', endpoints, certificateFile, keyFile, caFile } };
}

function readLines(text: string, path: string): ReadonlyMap<Key, { readonly text: string; readonly line: number }> {
  const values = new Map<Key, { readonly text: string; readonly line: number }>();
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#') || line.startsWith(';')) {
      continue;
    }
    const place = `${path}:${index + 1}`;
    const [, name, value] = /^([A-Za-z]+)[ \t]*=[ \t]*(.*)$/.exec(line) ?? [];
    const key = KEYS.find(known => known === name);
    if (key === undefined || value === undefined) {
      throw new ConfigError(
        `${place}: "${line.slice(0, 64)}" is not a setting; there are ${KEYS.map(each => `${each}=`).join(', ')}`,
      );
    }
    if (CONTROL.test(value)) {
      throw new ConfigError(`${place}: ${key}= has a control character; remove it`);
    }
    if (values.has(key)) {
      throw new ConfigError(`${place}: ${key}= is set twice; remove one of them`);
    }
    values.set(key, { text: value, line: index + 1 });
  }
  return values;
}

function isEndpoint(text: string): boolean {
  try {
    const { protocol, pathname, search, username } = new URL(text);
    return (protocol === 'https:' || protocol === 'http:') && pathname === '/' && search === '' && username === '';
  } catch {
    return false;
  }
}
