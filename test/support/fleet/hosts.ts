/**
 * A fleet for a test: three etcd nodes in one machine, and hosts, each a machine with its own machine-id, that reach the nodes
 * over a network cable (veth(4)), and have storage in common at /srv/shared.
 */
import { execFile } from 'node:child_process';
import { createHash, createHmac, randomUUID } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { promisify } from 'node:util';
import type { FleetStatusReply } from '../../../src/api/generated/io-dynuser-allocator.ts';
import { DYNUSER_NSSWITCH, Installed, replyOf } from '../installed.ts';
import type { MachineProcess, RunResult } from '../machine/process.ts';
import { Machine } from '../machine.ts';
import { until } from '../until.ts';
import type { Certificate } from './certificates.ts';
import { EtcdCluster } from './etcd.ts';

/** The fleet's range in tests unless they say otherwise. */
export const FLEET_RANGE = '65536-79999 90000-99999';
export const FLEET_NAME = 'test';
/** As docs/fleet.md sets it up. */
const REGISTRY = '/srv/shared/.dynuser';
const REGISTRY_UID = 970;
const DROP_INS = '/etc/systemd/system/dynuser-companion.service.d';
const CREDENTIALS = '/etc/credstore';
const COMPANION = ['/usr/bin/dynuser-run', '--unit-file=/usr/lib/dynuser/dynuser-companion.service'];
/** Tests run while others do. */
const MEMBER_DEADLINE_MS = 60_000;

export interface FleetOptions {
  readonly hosts: number;
  /** further lines of dynuserd.conf on every host */
  readonly config?: string;
  /** what each host does before its daemon starts */
  readonly prepare?: string;
  /** how long certificates are valid, before now and after */
  readonly validDays?: number;
  /** the files of the shared storage are the registry, instead of etcd */
  readonly store?: 'etcd' | 'directory';
}

export class Fleet {
  /** undefined if the registry is a directory */
  readonly cluster: EtcdCluster | undefined;
  readonly hosts: FleetHost[] = [];
  /** the directory of the test's host that is /srv/shared in each */
  readonly shared: string;
  readonly #options: FleetOptions;
  readonly #hub: Machine | undefined;

  private constructor(
    options: FleetOptions,
    shared: string,
    hub: Machine | undefined,
    cluster: EtcdCluster | undefined,
  ) {
    this.#options = options;
    this.shared = shared;
    this.#hub = hub;
    this.cluster = cluster;
  }

  /** Boots the nodes and the hosts, on which nothing of dynuser runs yet; the caller must stop() it. */
  static async boot(options: FleetOptions): Promise<Fleet> {
    const shared = mkdtempSync('/var/tmp/dynuser-shared.');
    chmodSync(shared, 0o755);
    let hub: Machine | undefined;
    let fleet: Fleet | undefined;
    try {
      hub = options.store === 'directory' ? undefined : await Machine.boot({ init: 'plain' });
      const cluster =
        hub === undefined ? undefined : await EtcdCluster.start({ machine: hub, validDays: options.validDays });
      fleet = new Fleet(options, shared, hub, cluster);
      await Promise.all(Array.from({ length: options.hosts }, () => fleet?.addHost()));
      return fleet;
    } catch (error) {
      await (fleet?.stop() ?? hub?.stop());
      rmSync(shared, { recursive: true, force: true });
      throw error;
    }
  }

  /** Boots one more host. */
  async addHost(): Promise<FleetHost> {
    // Named before it is booted: several boot at a time.
    const number = this.hosts.length + 1;
    const host = new FleetHost(this, number, this.#hub?.pid);
    this.hosts.push(host);
    await host.boot(this.#options);
    return host;
  }

  host(index: number): FleetHost {
    const host = this.hosts[index];
    if (host === undefined) {
      throw new Error(`the fleet has no host ${index}`);
    }
    return host;
  }

  /** Starts daemon and companion of every host, creates the fleet, and waits until each is a member. */
  async start(): Promise<void> {
    await Promise.all(this.hosts.map(host => host.start()));
    const [first] = this.hosts;
    let said = '';
    await until(
      () => `the fleet is created: ${said}`,
      async () => {
        const { status, stderr } = (await first?.fleet(['create'])) ?? { status: 1, stderr: 'no hosts' };
        said = stderr;
        return status === 0 || /is there already/.test(stderr);
      },
    );
    await Promise.all(this.hosts.map(host => host.untilMember()));
  }

  /** Has the store see now that a host is not heard of any more, for which it waits a minute otherwise. */
  async expire({ id }: FleetHost): Promise<void> {
    await this.cluster?.etcdctl(['del', `/dynuser/v1/${FLEET_NAME}/host/${id}`]);
  }

  async stop(): Promise<void> {
    await Promise.all(this.hosts.map(host => host.machine?.stop()));
    await this.#hub?.stop();
    rmSync(this.shared, { recursive: true, force: true });
  }
}

export class FleetHost {
  readonly name: string;
  readonly machineId: string;
  readonly #fleet: Fleet;
  readonly #number: number;
  /** process 1 of the machine with the nodes */
  readonly #hub: number | undefined;
  #installed: Installed | undefined;
  daemon: MachineProcess | undefined;
  companion: MachineProcess | undefined;
  /** what the companion has said, and what the daemon has since it answers */
  log = '';
  daemonLog = '';

  constructor(fleet: Fleet, number: number, hub: number | undefined) {
    this.#fleet = fleet;
    this.#number = number;
    this.#hub = hub;
    this.name = `host${number}`;
    this.machineId = createHash('md5').update(this.name).digest('hex');
  }

  /** What the fleet calls it. */
  get id(): string {
    return createHmac('sha256', this.machineId).update('dynuser fleet').digest('hex').slice(0, 16);
  }

  get installed(): Installed {
    if (this.#installed === undefined) {
      throw new Error(`${this.name} is not booted`);
    }
    return this.#installed;
  }

  get machine(): Machine {
    return this.installed.machine;
  }

  async boot({ config = '', store = 'etcd', prepare = '' }: FleetOptions): Promise<void> {
    const machine = await Machine.boot({
      init: 'plain',
      stage: true,
      nsswitch: DYNUSER_NSSWITCH,
      shared: this.#fleet.shared,
    });
    this.#installed = new Installed(machine);
    await machine.sh(`hostname ${this.name}`);
    await this.setMachineId(this.machineId);
    await this.setBootId();
    await this.configure(config);
    await machine.sh(prepare === '' ? ':' : prepare);
    const { cluster } = this.#fleet;
    if (cluster === undefined || store === 'directory') {
      await machine.sh(`useradd --system --uid ${REGISTRY_UID} dynuser-fleetd`);
      await machine.sh(`install -d -m 0700 -o dynuser-fleetd ${REGISTRY}`);
      await machine.write('/etc/dynuser/fleetd.conf', `Fleet=${FLEET_NAME}\nStore=${REGISTRY}\n`);
      await machine.write(`${DROP_INS}/store.conf`, `[Service]\nReadWritePaths=${REGISTRY}\n`);
      return;
    }
    await this.#connect();
    await this.setCertificate(cluster.client(this.name));
    await machine.write(`${CREDENTIALS}/dynuser-fleetd.ca`, cluster.authority.certificate);
    const files = 'CertificateFile=dynuser-fleetd.certificate\nKeyFile=dynuser-fleetd.key\nCaFile=dynuser-fleetd.ca\n';
    await machine.write(
      '/etc/dynuser/fleetd.conf',
      `Fleet=${FLEET_NAME}\nStore=etcd\nEndpoints=${cluster.endpoints.join(' ')}\n${files}`,
    );
  }

  /** @param lines of dynuserd.conf, which win over the usual ones; they are read at the next start */
  async configure(lines: string): Promise<void> {
    const usual = { Fleet: 'required', FleetNames: 'f-* web db', FleetUidRange: FLEET_RANGE };
    const own = Object.entries(usual).filter(([key]) => !new RegExp(`^${key}=`, 'm').test(lines));
    const text = `${own.map(([key, value]) => `${key}=${value}\n`).join('')}${lines}\n`;
    await this.machine.write('/etc/dynuser/dynuserd.conf', text);
  }

  async setCertificate({ certificate, key }: Certificate): Promise<void> {
    await this.machine.write(`${CREDENTIALS}/dynuser-fleetd.certificate`, certificate, 0o600);
    await this.machine.write(`${CREDENTIALS}/dynuser-fleetd.key`, key, 0o600);
  }

  async setMachineId(id: string): Promise<void> {
    await this.machine.write('/etc/machine-id', `${id}\n`, 0o444);
  }

  /** Programs see another boot of the host from now on. */
  async setBootId(): Promise<void> {
    const file = '/run/boot-id';
    const at = '/proc/sys/kernel/random/boot_id';
    await this.machine.sh(
      `umount ${at} 2>/dev/null; echo ${randomUUID()} >${file}.new && mv ${file}.new ${file} && mount --bind ${file} ${at}`,
    );
  }

  /** Starts the daemon and the companion, and does not wait for the fleet. */
  async start(): Promise<void> {
    await this.startDaemon();
    await this.startCompanion();
  }

  async startDaemon(): Promise<void> {
    this.daemon = await this.installed.startDaemon();
    this.daemon.stderr.on('data', (text: string) => {
      this.daemonLog += text;
    });
  }

  /** Ends daemon and companion in order, and starts them again. */
  async restart(): Promise<void> {
    for (const program of [this.companion, this.daemon]) {
      program?.kill('SIGTERM');
      await program?.ended;
    }
    await this.start();
  }

  async restartCompanion(): Promise<void> {
    this.companion?.kill('SIGTERM');
    await this.companion?.ended;
    await this.startCompanion();
  }

  async startCompanion(): Promise<void> {
    const companion = await this.machine.spawn(COMPANION);
    for (const stream of [companion.stdout, companion.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.log += text;
      });
    }
    this.companion = companion;
  }

  /** Waits until the host is a member of the fleet. */
  async untilMember(limitMs = MEMBER_DEADLINE_MS): Promise<void> {
    let status: unknown;
    await until(
      () => `${this.name} is a member: ${JSON.stringify(status)}; its companion says: ${this.log}`,
      async () => {
        const { state } = await this.status();
        status = state;
        return state === 'member';
      },
      limitMs,
    );
  }

  /** What its daemon says of the fleet. */
  async status(): Promise<FleetStatusReply> {
    const [result] = await this.installed.calls([['io.dynuser.Allocator.FleetStatus', {}]]);
    return replyOf(result) as FleetStatusReply;
  }

  fleet(argv: readonly string[]): Promise<RunResult> {
    return this.ctl(['fleet', ...argv]);
  }

  ctl(argv: readonly string[]): Promise<RunResult> {
    return this.installed.ctl(argv);
  }

  /** Acquires a user until it is released. @returns its UID @throws Error with what dynuserctl says */
  async acquire(name: string, ...argv: readonly string[]): Promise<number> {
    const { status, stdout, stderr } = await this.ctl(['acquire', `--user=${name}`, ...argv, `${name}.service`]);
    if (status !== 0) {
      throw new Error(stderr.trim());
    }
    return Number(stdout.trim());
  }

  async release(name: string): Promise<void> {
    await this.machine.output(['dynuserctl', 'release', '--all', name]);
  }

  /** Pulls the cable: what is sent is lost, and nobody is told. */
  async cutOff(): Promise<void> {
    await this.#hubRun('ip', 'link', 'set', this.#cable, 'down');
  }

  async reconnect(): Promise<void> {
    await this.#hubRun('ip', 'link', 'set', this.#cable, 'up');
  }

  /** Power fails and comes back: all processes are killed, and what is not on disk is gone. Nothing of dynuser runs afterwards. */
  async reboot(): Promise<void> {
    await this.kill();
    await this.machine.sh('rm -rf /run/dynuser /run/dynuser-fleetd /run/systemd/dynamic-uid');
    await this.setBootId();
  }

  /** Kills every process of the host but its first. */
  async kill(): Promise<void> {
    const { daemon, companion } = this;
    await this.machine.sh('kill -KILL -1');
    await Promise.all([daemon?.ended, companion?.ended]);
  }

  get #network(): string {
    return `10.77.${this.#number}`;
  }

  get #cable(): string {
    return `host${this.#number}`;
  }

  async #connect(): Promise<void> {
    await this.#hubRun(
      'ip',
      'link',
      'add',
      'name',
      this.#cable,
      'type',
      'veth',
      'peer',
      'name',
      'eth0',
      'netns',
      String(this.machine.pid),
    );
    await this.#hubRun('ip', 'address', 'add', `${this.#network}.1/24`, 'dev', this.#cable);
    await this.#hubRun('ip', 'link', 'set', this.#cable, 'up');
    const own = [
      'ip link set lo up',
      `ip address add ${this.#network}.2/24 dev eth0`,
      'ip link set eth0 up',
      `ip route add 10.77.0.0/24 via ${this.#network}.1`,
    ];
    await this.machine.sh(own.join(' && '));
  }

  /** Runs a program in the network of the nodes, and else on this host: it can name processes of both. */
  async #hubRun(...argv: readonly string[]): Promise<void> {
    if (this.#hub === undefined) {
      throw new Error('this fleet has no network');
    }
    await promisify(execFile)('nsenter', ['--target', String(this.#hub), '--net', '--', ...argv]);
  }
}
