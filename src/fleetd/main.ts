/** Builds the companion: its store, the mirror of the bindings, and the socket on which root asks. */
import { readFileSync, statSync } from 'node:fs';
import { reasonOf } from '../core/errors.ts';
import { versionWords } from '../core/version.ts';
import { EtcdClient } from '../etcd/client.ts';
import { bootId } from '../host/clock-and-randomness.ts';
import { fleetHostId } from '../host/fleet-host.ts';
import type { PeerReader } from '../host/processes/peer.ts';
import { VarlinkServer } from '../varlink/server.ts';
import { ConfigError, type FleetdConfig } from './config.ts';
import { DirectoryKeys } from './directory-keys.ts';
import { EtcdKeys } from './etcd-keys.ts';
import { Fleet } from './fleet.ts';
import type { KeyStore } from './key-store.ts';
import { META } from './keys.ts';
import { Mirror } from './mirror.ts';
import { Presence } from './presence.ts';
import { type FleetPeer, fleetInterface } from './service.ts';

const OTHERS_MAY_WRITE = 0o002;
const CONNECTIONS_MAX = 64;
const GRACE_MS = 2_000;
/** How often it is looked whether the store has gone or is back, for the log, in milliseconds. */
const LOOK_MS = 1_000;

export interface FleetdOptions {
  readonly config: FleetdConfig;
  readonly socket: string;
  readonly peers: Pick<PeerReader, 'read'>;
  /** one line for people */
  log(line: string): void;
}

export interface Fleetd {
  /** Says that this host is away, and ends. */
  stop(): Promise<void>;
}

/** @throws Error if the socket cannot be had, ConfigError if a file of the configuration cannot be used */
export async function startFleetd({ config, socket, peers, log }: FleetdOptions): Promise<Fleetd> {
  const keys = openStore(config);
  const mirror = new Mirror(keys);
  const fleet = new Fleet(keys, mirror);
  const fail = (error: unknown) => log(stackOf(error));
  const presence = new Presence(fleet, keys, fail);
  const server = new VarlinkServer<FleetPeer>({
    info: { vendor: 'dynuser', product: 'dynuser-fleetd', version: versionWords(), url: 'man:dynuser-fleetd(8)' },
    interfaces: [
      fleetInterface({ fleet, keys, mirror, presence, fleetName: config.fleet, location: locationOf(config) }),
    ],
    identify: descriptor => ({ uid: peers.read(descriptor).uid }),
    quotaKey: peer => peer.uid,
    privileged: peer => peer.uid === 0,
    onFailure: ({ what, cause, fault }) => {
      if (fault === 'service') {
        log(`${what}: ${stackOf(cause)}`);
      }
    },
    limits: {
      maxConnections: CONNECTIONS_MAX,
      reservedConnections: CONNECTIONS_MAX / 2,
      maxNewConnections: CONNECTIONS_MAX,
    },
  });
  await server.listen({ path: socket, mode: 0o600 });
  const running = mirror.run().catch(fail);
  let told: string | undefined;
  const looking = setInterval(() => {
    if ((mirror.trouble === undefined) !== (told === undefined)) {
      log(mirror.trouble ?? 'the store answers again');
    }
    told = mirror.trouble;
  }, LOOK_MS);
  return {
    async stop() {
      clearInterval(looking);
      mirror.stop();
      await presence.stop();
      await server.close(GRACE_MS);
      keys.close();
      await running;
    },
  };
}

/** @throws ConfigError */
export function openStore({ fleet, store }: FleetdConfig): KeyStore {
  if (store.kind === 'directory') {
    const status = statSync(store.path, { throwIfNoEntry: false });
    if (status !== undefined && (status.mode & OTHERS_MAY_WRITE) !== 0) {
      throw new ConfigError(`${store.path}: everybody may write to it; take that right away (chmod o-w)`);
    }
    return new DirectoryKeys({ path: `${store.path}/${fleet}`, host: fleetHostId(), boot: bootId() });
  }
  const { endpoints, certificateFile, keyFile, caFile } = store;
  const read = (path: string | undefined) => (path === undefined ? undefined : readFileSync(path));
  const prefix = `/dynuser/v1/${fleet}/`;
  const client = new EtcdClient({
    endpoints,
    readableKey: prefix + META,
    credentials() {
      const [ca, certificate, key] = [read(caFile), read(certificateFile), read(keyFile)];
      return {
        ...(ca === undefined ? {} : { ca }),
        ...(certificate === undefined ? {} : { certificate }),
        ...(key === undefined ? {} : { key }),
      };
    },
  });
  return new EtcdKeys(client, prefix);
}

function stackOf(error: unknown): string {
  return (error instanceof Error ? error.stack : undefined) ?? reasonOf(error);
}

function locationOf({ store }: FleetdConfig): string {
  return store.kind === 'directory' ? store.path : store.endpoints.join(' ');
}
