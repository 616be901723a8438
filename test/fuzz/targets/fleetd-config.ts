/**
 * fleetd.conf. Whatever the text, there is a configuration that can be used, or one sentence with the file in it; and a configuration
 * that is written out in full is read as the same.
 */
import assert from 'node:assert/strict';
import { ConfigError, type FleetdConfig, KEYS, parseConfig } from '../../../src/fleetd/config.ts';
import { outcomeOf, type Target } from './types.ts';

const PATH = '/etc/dynuser/fleetd.conf';
const CREDENTIALS = '/run/credentials';

function parse(text: string): FleetdConfig | ConfigError {
  try {
    return parseConfig(text, PATH, CREDENTIALS);
  } catch (error) {
    if (error instanceof ConfigError) {
      return error;
    }
    throw error;
  }
}

function textOf({ fleet, store }: FleetdConfig): string {
  if (store.kind === 'directory') {
    // Slashes at its end are not of the path, and a blank before them is.
    return `Fleet=${fleet}\nStore=${store.path}/\n`;
  }
  const { endpoints, certificateFile, keyFile, caFile } = store;
  const files = { CertificateFile: certificateFile, KeyFile: keyFile, CaFile: caFile };
  const lines = Object.entries(files).flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${value}\n`]));
  return `Fleet=${fleet}\nEndpoints=${endpoints.join(' ')}\n${lines.join('')}`;
}

function checkUsable({ fleet, store }: FleetdConfig): void {
  // They become parts of keys and of paths.
  assert.match(fleet, /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/);
  if (store.kind === 'directory') {
    assert.ok(store.path.startsWith('/') && !/[\n\0]/.test(store.path), store.path);
    return;
  }
  assert.ok(store.endpoints.length >= 1 && store.endpoints.length <= 16);
  assert.ok(store.endpoints.every(endpoint => /^https?:$/.test(new URL(endpoint).protocol)));
  assert.equal(store.certificateFile === undefined, store.keyFile === undefined);
  for (const file of [store.certificateFile, store.keyFile, store.caFile]) {
    assert.ok(file === undefined || (file.startsWith('/') && !/[\n\0]/.test(file)), file);
  }
}

export const fleetdConfig: Target = {
  name: 'fleetd-config',
  pieces: [
    ...KEYS.map(key => `${key}=`),
    'etcd',
    'https://etcd1:2379',
    '/srv/x',
    '\n',
    '#',
    ' ',
    ',',
    '..',
    '\0',
    '\r',
  ],
  bytesMax: 4_096,
  start: () => ({
    run(input) {
      const config = parse(input.toString('utf8'));
      if (config instanceof ConfigError) {
        assert.match(config.message, /^\/etc\/dynuser\/fleetd\.conf(?::\d+)?: /);
        assert.ok(config.message.length <= 5_000 && !config.message.includes('\n'), config.message);
        return outcomeOf(new Error(config.message.replace(/".*"/s, '"')));
      }
      checkUsable(config);
      assert.deepEqual(parse(textOf(config)), config);
      const { store } = config;
      return store.kind === 'etcd' ? `etcd ${store.endpoints.length} ${store.keyFile === undefined}` : store.kind;
    },
  }),
};
