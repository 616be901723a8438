/**
 * Three real etcd nodes that end with the test: on this host's loopback interface, or in a machine, where hosts of a fleet reach them.
 * They take client certificates alone.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import type { Machine } from '../machine.ts';
import { until } from '../until.ts';
import { type Certificate, CertificateAuthority } from './certificates.ts';
import type { KeyEvent } from './judge.ts';

const NODES = 3;
/** Where the nodes are in a machine; any address that its loopback interface has. */
const MACHINE_ADDRESSES = Array.from({ length: NODES }, (_, index) => `10.77.0.${11 + index}`);
const MACHINE_DIRECTORY = '/var/lib/etcd-nodes';
const CLIENT_PORT = 2379;
const PEER_PORT = 2380;
/** How much is kept of what a node says, for the error of a test. */
const LOG_MAX = 20_000;
const COMMAND_MS = 30_000;

/** Where the nodes run. */
interface Place {
  readonly directory: string;
  start(argv: readonly string[]): Promise<Running>;
  run(argv: readonly string[], env: Readonly<Record<string, string>>): Promise<string>;
  shell(script: string): Promise<string>;
  write(path: string, text: string): Promise<void>;
  remove(path: string): Promise<void>;
}

interface Running {
  readonly ended: Promise<unknown>;
  kill(signal: NodeJS.Signals): void;
  log(): string;
}

interface RawEvent {
  /** 1: it was removed */
  readonly type?: number;
  readonly kv: { readonly key: string; readonly value?: string; readonly mod_revision: number };
}

export interface EtcdOptions {
  /** the machine that the nodes run in; this host unless given */
  readonly machine?: Machine;
  readonly nodes?: number;
  /** how long certificates are valid, before now and after */
  readonly validDays?: number | undefined;
}

export class EtcdNode {
  readonly name: string;
  /** such as https://127.0.0.1:2379 */
  readonly endpoint: string;
  readonly peer: string;
  readonly #place: Place;
  readonly #argv: () => readonly string[];
  #running: Running | undefined;

  constructor(name: string, endpoint: string, peer: string, place: Place, argv: (node: EtcdNode) => readonly string[]) {
    this.name = name;
    this.endpoint = endpoint;
    this.peer = peer;
    this.#place = place;
    this.#argv = () => argv(this);
  }

  get data(): string {
    return `${this.#place.directory}/${this.name}`;
  }

  /** What it said last. */
  get log(): string {
    return this.#running?.log() ?? '';
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** Starts it, and does not wait until it answers. */
  async start(): Promise<void> {
    if (this.#running === undefined) {
      const running = await this.#place.start(this.#argv());
      this.#running = running;
      void running.ended.then(() => {
        if (this.#running === running) {
          this.#running = undefined;
        }
      });
    }
  }

  /** Ends it, SIGKILL unless another signal is given, and waits for that. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const running = this.#running;
    running?.kill(signal);
    await running?.ended;
  }

  /** It keeps its connections, and says nothing, until resume(). */
  pause(): void {
    this.#running?.kill('SIGSTOP');
  }

  resume(): void {
    this.#running?.kill('SIGCONT');
  }
}

export class EtcdCluster {
  readonly authority: CertificateAuthority;
  readonly nodes: readonly EtcdNode[];
  /** the certificate of root, as the tests use it */
  readonly #root: Certificate;
  readonly #place: Place & { close?(): void };
  /** Members with another token are another cluster. */
  #token = 1;

  private constructor(
    place: Place,
    addresses: readonly { address: string; client: number; peer: number }[],
    authority: CertificateAuthority,
  ) {
    this.#place = place;
    this.authority = authority;
    this.#root = this.authority.issue('root');
    this.nodes = addresses.map(({ address, client, peer }, index) => {
      const urls = [`https://${address}:${client}`, `http://${address}:${peer}`] as const;
      return new EtcdNode(`node${index + 1}`, ...urls, place, node => this.#argvOf(node));
    });
  }

  /** Starts the nodes and waits until they answer; the caller must stop() them. */
  static async start({ machine, nodes = NODES, validDays }: EtcdOptions = {}): Promise<EtcdCluster> {
    const addresses =
      machine === undefined
        ? await Promise.all(
            Array.from({ length: nodes }, async () => {
              const [client, peer] = await freePorts();
              return { address: '127.0.0.1', client, peer };
            }),
          )
        : MACHINE_ADDRESSES.slice(0, nodes).map(address => ({ address, client: CLIENT_PORT, peer: PEER_PORT }));
    if (machine !== undefined) {
      const added = MACHINE_ADDRESSES.map(address => `ip address add ${address}/32 dev lo`);
      await machine.sh(`ip link set lo up; ${added.join('; ')}`);
    }
    const cluster = new EtcdCluster(
      machine === undefined ? thisHost() : inMachine(machine),
      addresses,
      new CertificateAuthority(validDays),
    );
    try {
      const served = addresses.map(({ address }) => address);
      const server = cluster.authority.issue('etcd', { addresses: [...new Set(served)] });
      await cluster.#place.write(cluster.#file('ca.pem'), cluster.authority.certificate);
      await cluster.#place.write(cluster.#file('server.pem'), server.certificate);
      await cluster.#place.write(cluster.#file('server-key.pem'), server.key);
      await cluster.#place.write(cluster.#file('root.pem'), cluster.#root.certificate);
      await cluster.#place.write(cluster.#file('root-key.pem'), cluster.#root.key);
      await cluster.startAll();
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  get endpoints(): readonly string[] {
    return this.nodes.map(({ endpoint }) => endpoint);
  }

  /** A certificate that the nodes accept, unless it says that it is not valid now. */
  client(name: string, times: { readonly from?: Date; readonly until?: Date } = {}): Certificate {
    return this.authority.issue(name, times);
  }

  /** Starts the nodes that do not run, and waits until each answers with what all have agreed on. */
  async startAll(): Promise<void> {
    await Promise.all(this.nodes.map(node => node.start()));
    await this.untilAgreed();
  }

  /** Waits until every node that runs has a leader, and knows what is committed. */
  async untilAgreed(limitMs?: number): Promise<void> {
    const running = this.nodes.filter(node => node.isRunning);
    for (const node of running) {
      await until(
        () => `${node.name} answers; its log: ${node.log}`,
        async () => {
          try {
            await this.etcdctl(['get', 'any', '--command-timeout=2s'], [node]);
            return true;
          } catch {
            return false;
          }
        },
        limitMs,
      );
    }
  }

  /** Ends the nodes, and starts them again with what a snapshot has, as a new cluster if that is asked for. */
  async restore(snapshot: string, asNewCluster = false): Promise<void> {
    await Promise.all(this.nodes.map(node => node.kill()));
    this.#token += Number(asNewCluster);
    for (const node of this.nodes) {
      await this.#place.remove(node.data);
      const members = ['--name', node.name, '--initial-advertise-peer-urls', node.peer];
      const cluster = ['--initial-cluster', this.#members(), '--initial-cluster-token', this.#tokenName()];
      await this.#place.run(
        ['etcdutl', 'snapshot', 'restore', snapshot, ...members, ...cluster, '--data-dir', node.data],
        {},
      );
    }
    await this.startAll();
  }

  /** @returns where the snapshot is, for restore() */
  async save(): Promise<string> {
    const path = this.#file(`snapshot-${Date.now()}.db`);
    await this.etcdctl(['snapshot', 'save', path], this.nodes.slice(0, 1));
    return path;
  }

  /** Runs etcdctl(1) as root of the cluster. @returns its output @throws Error if it fails */
  etcdctl(argv: readonly string[], nodes: readonly EtcdNode[] = this.nodes): Promise<string> {
    return this.#place.run(['etcdctl', ...this.#secure(nodes), ...argv], { ETCDCTL_API: '3' });
  }

  #secure(nodes: readonly EtcdNode[]): readonly string[] {
    const [ca, cert, key] = ['ca.pem', 'root.pem', 'root-key.pem'].map(name => this.#file(name));
    const endpoints = `--endpoints=${nodes.map(({ endpoint }) => endpoint).join(',')}`;
    return [`--cacert=${ca}`, `--cert=${cert}`, `--key=${key}`, endpoints];
  }

  /** @returns all keys with a prefix, and their values, of one revision */
  async keys(prefix: string): Promise<ReadonlyMap<string, string>> {
    const { kvs = [] }: { kvs?: { key: string; value?: string }[] } = JSON.parse(
      await this.etcdctl(['get', '--prefix', '--write-out=json', prefix]),
    );
    const text = (base64 = ''): string => Buffer.from(base64, 'base64').toString('utf8');
    return new Map(kvs.map(({ key, value }) => [text(key), text(value)]));
  }

  /** @returns all that has happened to keys with a prefix since the first revision, in its order; keys are without the prefix */
  async history(prefix: string): Promise<readonly KeyEvent[]> {
    const last: { header: { revision: number } } = JSON.parse(
      await this.etcdctl(['get', '--write-out=json', '--limit=1', '--prefix', prefix]),
    );
    const watch = ['watch', '--rev=1', '--prefix', '--write-out=json', prefix];
    // It continues until it is ended: by then it has said what there was.
    const text = await this.#place.shell(
      `timeout 15 etcdctl ${this.#secure(this.nodes).join(' ')} ${watch.join(' ')} || :`,
    );
    const decode = (base64: string) => Buffer.from(base64, 'base64').toString('utf8');
    return text
      .split('\n')
      .filter(line => line !== '')
      .flatMap(line => (JSON.parse(line) as { Events: RawEvent[] | null }).Events ?? [])
      .filter(({ kv }) => kv.mod_revision <= last.header.revision)
      .map(({ type, kv }) => ({
        revision: kv.mod_revision,
        key: decode(kv.key).slice(prefix.length),
        value: type === 1 ? undefined : decode(kv.value ?? ''),
      }));
  }

  /** Time passes for the UIDs that cool down: each is free at once. */
  async coolDown(prefix: string): Promise<number> {
    const { kvs = [] }: { kvs?: { key: string; value?: string }[] } = JSON.parse(
      await this.etcdctl(['get', '--prefix', '--write-out=json', `${prefix}uid/`]),
    );
    const cooling = kvs.filter(({ value = '' }) => Buffer.from(value, 'base64').toString('latin1').startsWith('-'));
    for (const { key } of cooling) {
      await this.#deleteCooling(Buffer.from(key, 'base64').toString('utf8'));
    }
    return cooling.length;
  }

  /** Only as long as it cools down: it may be somebody's again meanwhile. */
  async #deleteCooling(key: string): Promise<void> {
    const { kvs = [] }: { kvs?: { value?: string; mod_revision: number }[] } = JSON.parse(
      await this.etcdctl(['get', '--write-out=json', key]),
    );
    const [kv] = kvs;
    if (
      Buffer.from(kv?.value ?? '', 'base64')
        .toString('latin1')
        .startsWith('-')
    ) {
      await this.#place.shell(
        `printf 'mod("${key}") = "${kv?.mod_revision}"\n\ndel ${key}\n\n\n' | etcdctl ${this.#secure(this.nodes).join(' ')} txn`,
      );
    }
  }

  /** @returns the node that leads, undefined without a leader */
  async leader(): Promise<EtcdNode | undefined> {
    const running = this.nodes.filter(node => node.isRunning);
    const answers = await Promise.all(
      running.map(async node => {
        try {
          // Numbers of 64 bits, which JSON.parse() would round.
          const text = await this.etcdctl(['endpoint', 'status', '--write-out=fields', '--command-timeout=2s'], [node]);
          const [leader, member] = ['Leader', 'MemberID'].map(
            name => new RegExp(`^"${name}" : (\\d+)$`, 'm').exec(text)?.[1],
          );
          return leader !== undefined && leader === member ? node : undefined;
        } catch {
          return undefined;
        }
      }),
    );
    return answers.find(node => node !== undefined);
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map(node => node.kill()));
    this.#place.close?.();
  }

  #file(name: string): string {
    return `${this.#place.directory}/${name}`;
  }

  #members(): string {
    return this.nodes.map(({ name, peer }) => `${name}=${peer}`).join(',');
  }

  #tokenName(): string {
    return `fleet-${this.#token}`;
  }

  #argvOf({ name, endpoint, peer, data }: EtcdNode): readonly string[] {
    return [
      // A node that gets no processor for a second loses its lead: on a busy machine there would be none for minutes.
      ...['nice', '-n', '-10', 'etcd'],
      `--name=${name}`,
      `--data-dir=${data}`,
      `--listen-client-urls=${endpoint}`,
      `--advertise-client-urls=${endpoint}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=${this.#members()}`,
      `--initial-cluster-token=${this.#tokenName()}`,
      '--client-cert-auth',
      `--trusted-ca-file=${this.#file('ca.pem')}`,
      `--cert-file=${this.#file('server.pem')}`,
      `--key-file=${this.#file('server-key.pem')}`,
      '--log-level=warn',
    ];
  }
}

/** @returns two ports of the loopback interface that nobody had a moment ago */
async function freePorts(): Promise<[client: number, peer: number]> {
  const servers = [createServer(), createServer()];
  const ports = await Promise.all(
    servers.map(async server => {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const address = server.address();
      return typeof address === 'object' && address !== null ? address.port : 0;
    }),
  );
  await Promise.all(servers.map(server => once(server.close(), 'close')));
  return [ports[0] ?? 0, ports[1] ?? 0];
}

/** Keeps the last that somebody says. */
function lastWords(stream: NodeJS.ReadableStream): () => string {
  let text = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    text = (text + chunk).slice(-LOG_MAX);
  });
  return () => text;
}

function thisHost(): Place & { close(): void } {
  const directory = mkdtempSync('/tmp/dynuser-etcd.');
  chmodSync(directory, 0o700);
  return {
    directory,
    async start(argv) {
      // It ends with the test, however that ends.
      const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...argv], { stdio: ['ignore', 'ignore', 'pipe'] });
      const ended = once(child, 'exit');
      return { ended, kill: signal => child.kill(signal), log: lastWords(child.stderr) };
    },
    async run([program = '', ...argv], env) {
      const options = { env: { PATH: process.env['PATH'], ...env }, timeout: COMMAND_MS, maxBuffer: 256 * 1024 * 1024 };
      return (await promisify(execFile)(program, argv, options)).stdout;
    },
    async shell(script) {
      return (await promisify(execFile)('sh', ['-c', script], { maxBuffer: 256 * 1024 * 1024 })).stdout;
    },
    async write(path, text) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text, { mode: 0o600 });
    },
    remove: async path => rmSync(path, { recursive: true, force: true }),
    close: () => rmSync(directory, { recursive: true, force: true }),
  };
}

function inMachine(machine: Machine): Place {
  return {
    directory: MACHINE_DIRECTORY,
    async start(argv) {
      const started = await machine.spawn(argv);
      started.stdout.resume();
      return { ended: started.ended, kill: signal => started.kill(signal), log: lastWords(started.stderr) };
    },
    run: (argv, env) => machine.output(argv, { env, timeoutMs: COMMAND_MS }),
    shell: script => machine.sh(script, { timeoutMs: COMMAND_MS }),
    write: (path, text) => machine.write(path, text, 0o600),
    remove: async path => void (await machine.output(['rm', '-rf', path])),
  };
}
