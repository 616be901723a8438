/** Both stores of a fleet, for tests that hold for either: three real etcd nodes, and a directory. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EtcdClient } from '../../../src/etcd/client.ts';
import { DirectoryKeys } from '../../../src/fleetd/directory-keys.ts';
import { EtcdKeys } from '../../../src/fleetd/etcd-keys.ts';
import type { KeyStore } from '../../../src/fleetd/key-store.ts';
import { EtcdCluster } from './etcd.ts';

export interface TestStore {
  readonly name: string;
  /** @returns a connection to a fleet of that name, as a host has it */
  open(fleet: string, host?: string): KeyStore;
  stop(): Promise<void>;
}

export async function etcdStore(cluster?: EtcdCluster): Promise<TestStore & { readonly cluster: EtcdCluster }> {
  const nodes = cluster ?? (await EtcdCluster.start());
  const opened: KeyStore[] = [];
  return {
    name: 'etcd',
    cluster: nodes,
    open(fleet) {
      const keys = new EtcdKeys(etcdClient(nodes), `/dynuser/v1/${fleet}/`);
      opened.push(keys);
      return keys;
    },
    async stop() {
      for (const keys of opened) {
        keys.close();
      }
      await nodes.stop();
    },
  };
}

/** @param name of the certificate's subject */
export function etcdClient(
  cluster: EtcdCluster,
  options: { readonly callMs?: number; readonly attemptMs?: number } = {},
) {
  const { certificate, key } = cluster.client('dynuser');
  return new EtcdClient({
    endpoints: cluster.endpoints,
    readableKey: '/dynuser/v1/test',
    credentials: () => ({
      ca: Buffer.from(cluster.authority.certificate),
      certificate: Buffer.from(certificate),
      key: Buffer.from(key),
    }),
    ...options,
  });
}

export async function directoryStore(): Promise<TestStore> {
  const directory = mkdtempSync(join(tmpdir(), 'dynuser-registry-'));
  const opened: KeyStore[] = [];
  return {
    name: 'directory',
    open(fleet, host = '00000000000000a1') {
      const keys = new DirectoryKeys({ path: `${directory}/${fleet}`, host, boot: 'this-boot', pollMs: 20 });
      opened.push(keys);
      return keys;
    },
    async stop() {
      for (const keys of opened) {
        keys.close();
      }
      rmSync(directory, { recursive: true });
    },
  };
}
