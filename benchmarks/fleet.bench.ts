/**
 * What a fleet costs: a name's first use and its later ones through dynuser-fleetd, next to the least that etcd takes for one key; and what
 * 1,000 hosts are to three etcd nodes, all of them on this machine. A host is a connection with a watch, a lease and a mirror, as a companion has them.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { EtcdClient } from '../src/etcd/client.ts';
import { EtcdKeys } from '../src/fleetd/etcd-keys.ts';
import { Fleet } from '../src/fleetd/fleet.ts';
import { Mirror } from '../src/fleetd/mirror.ts';
import { CHECKOUT } from '../src/tooling/checkout.ts';
import { connect, type VarlinkClient } from '../src/varlink/client.ts';
import type { JsonObject } from '../src/varlink/json.ts';
import { EtcdCluster } from '../test/support/fleet/etcd.ts';
import { withInstalled } from '../test/support/installed.ts';
import { until } from '../test/support/until.ts';
import type { AcquireFigures } from './programs/fleet-load.ts';
import { printTable, printTargets } from './support/report.ts';
import { mean, median } from './support/statistics.ts';

const NAMES = 400;
/** Names that a daemon acquires. */
const ACQUIRED = 200;
const HOSTS = 1_000;
/** Hosts that join at a time; the others wait. */
const JOINING = 64;
/** Bindings that each host reads when it joins. */
const BOUND = 2_000;
const EVENTS = 50;
const IDLE_SECONDS = 60;
const QUIET_SECONDS = 10;
const RENEW_SECONDS = 20;
const RANGES = '65536-79999 90000-99999';
const TICKS_PER_SECOND = 100;
const INTERFACE = 'io.dynuser.Fleet';

const milliseconds = (value: number): string => `${Number(value.toPrecision(3))} ms`;
const hostOf = (index: number): string => index.toString(16).padStart(16, '0');

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

interface Usage {
  readonly megabytes: number;
  readonly cpuMs: number;
}

/** @returns what the three nodes use together */
function usageOf(cluster: EtcdCluster): Usage {
  const used = readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .filter(pid => cluster.nodes.some(({ data }) => commandLine(pid).includes(`--data-dir=${data}`)))
    .map(pid => usage(pid));
  return {
    megabytes: used.reduce((sum, { megabytes }) => sum + megabytes, 0),
    cpuMs: used.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
  };
}

function commandLine(pid: string): string {
  try {
    const text = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    return text.startsWith('etcd\0') ? text : '';
  } catch {
    return '';
  }
}

function usage(pid: string | number): Usage {
  const resident = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /s, '')
    .split(' ');
  return {
    megabytes: Number(resident) / 1024,
    cpuMs: ((Number(fields[11]) + Number(fields[12])) * 1_000) / TICKS_PER_SECOND,
  };
}

class Companion {
  readonly client: VarlinkClient;
  readonly pid: number;
  readonly end: () => Promise<void>;

  constructor(client: VarlinkClient, pid: number, end: () => Promise<void>) {
    this.client = client;
    this.pid = pid;
    this.end = end;
  }

  call(method: string, parameters: JsonObject = {}): Promise<JsonObject> {
    return this.client.call(`${INTERFACE}.${method}`, parameters);
  }
}

async function startCompanion(directory: string, store: string): Promise<Companion> {
  const [file, socket] = [`${directory}/fleetd.conf`, `${directory}/socket`];
  writeFileSync(file, `Fleet=bench\n${store}`);
  const program = `${CHECKOUT}dist/lib/dynuser-fleetd.js`;
  const child = spawn(process.execPath, [program, `--config=${file}`, `--socket=${socket}`], { stdio: 'inherit' });
  let client: VarlinkClient | undefined;
  await until('dynuser-fleetd listens', async () => {
    client = await connect(socket).catch(() => undefined);
    return client !== undefined;
  });
  if (client === undefined || child.pid === undefined) {
    throw new Error('dynuser-fleetd does not run');
  }
  const found = client;
  return new Companion(found, child.pid, async () => {
    found.close();
    child.kill();
    await once(child, 'exit');
  });
}

/** As the daemon does it. */
async function forget(companion: Companion, who: JsonObject): Promise<void> {
  const { position } = await companion.call('Status');
  await companion.call('Forget', { ...who, seen: position ?? {} });
}

interface Uses {
  readonly first: number[];
  readonly known: number[];
  readonly again: number[];
  readonly forgotten: number[];
  readonly megabytes: number;
}

/** A name's uses through the companion, from the call to the answer. */
async function measureUses(companion: Companion): Promise<Uses> {
  await companion.call('Create', { ranges: RANGES });
  const who = { host: hostOf(0), incarnation: 'one' };
  await companion.call('Join', {
    ...{ host: who.host, hostName: 'h0', version: '1', next: 'one', renew: false, ranges: RANGES },
  });
  const uses: Omit<Uses, 'megabytes'> = { first: [], known: [], again: [], forgotten: [] };
  for (let index = 0; index < NAMES; index++) {
    const binding = { name: `name-${index}`, uid: 65_536 + index };
    const hold = { ...who, name: binding.name, candidates: [binding.uid] };
    uses.first.push(await timed(() => companion.call('Hold', hold)));
    uses.known.push(await timed(() => companion.call('Hold', hold)));
    uses.again.push(await timed(() => companion.call('HoldAgain', { ...who, ...binding })));
    if (index % 2 === 0) {
      uses.forgotten.push(await timed(() => forget(companion, { ...who, name: binding.name })));
    }
  }
  return { ...uses, megabytes: usage(companion.pid).megabytes };
}

/** One key that is put, and one that is read, by the client of the companion, with the node that leads and with another one. */
interface Floor {
  readonly leader: number[];
  readonly follower: number[];
  readonly read: number[];
}

async function measureFloor(cluster: EtcdCluster, open: (endpoint: string) => EtcdClient): Promise<Floor> {
  const leader = await cluster.leader();
  const follower = cluster.nodes.find(node => node !== leader);
  if (leader === undefined || follower === undefined) {
    throw new Error('no node leads');
  }
  const [leading, following] = [open(leader.endpoint), open(follower.endpoint)];
  const key = Buffer.from('/dynuser/v1/bench/floor');
  const put = { success: [{ put: { key, value: Buffer.from('1') } }] };
  const floor: Floor = { leader: [], follower: [], read: [] };
  for (let index = 0; index < NAMES; index++) {
    floor.leader.push(await timed(() => leading.txn(put)));
    floor.follower.push(await timed(() => following.txn(put)));
    floor.read.push(await timed(() => leading.range({ key, serializable: true })));
  }
  leading.close();
  following.close();
  return floor;
}

interface Crowd {
  readonly joinSeconds: number;
  readonly perHostKilobytes: number;
  readonly joinCpuMs: number;
  /** of all nodes, for a second: what the hosts add, and what the nodes take without any */
  readonly idleCpuMs: number;
  readonly quietCpuMs: number;
  readonly eventMs: number;
  readonly eventCpuUs: number;
}

async function measureCrowd(cluster: EtcdCluster, open: () => EtcdKeys): Promise<Crowd> {
  const keys = open();
  const admin = new Fleet(keys, { uidOf: () => undefined, nameOf: () => undefined });
  const before = { host: hostOf(0), incarnation: 'one' };
  const missing = BOUND - NAMES;
  for (let index = 0; index < missing; index += JOINING) {
    const batch = Array.from({ length: Math.min(JOINING, missing - index) }, (_, offset) => index + offset);
    await Promise.all(batch.map(each => admin.hold(before, `bound-${each}`, [67_000 + each])));
  }
  const quietFrom = usageOf(cluster);
  await sleep(QUIET_SECONDS * 1_000);
  const start = usageOf(cluster);
  const quietCpuMs = (start.cpuMs - quietFrom.cpuMs) / QUIET_SECONDS;
  let heard = 0;
  let allHeard = () => {};
  const crowd = Array.from({ length: HOSTS }, (_, index) => {
    const own = open();
    const mirror = new Mirror(own);
    return { host: hostOf(index + 1), keys: own, mirror, fleet: new Fleet(own, mirror), running: Promise.resolve() };
  });
  const joinMs = await timed(async () => {
    const waiting = [...crowd];
    await Promise.all(
      Array.from({ length: JOINING }, async () => {
        for (let each = waiting.pop(); each !== undefined; each = waiting.pop()) {
          const { host, mirror } = each;
          const request = { host, hostName: host, version: '1', ranges: RANGES, recorded: undefined, seen: undefined };
          await each.fleet.join({ ...request, next: 'one', renew: false }, await each.keys.expiry(60));
          const isThere = new Promise<void>(resolve => {
            const unlisten = mirror.listen({
              changed() {
                unlisten();
                resolve();
              },
            });
          });
          each.running = mirror.run();
          await isThere;
          mirror.listen({
            changed() {
              heard += 1;
              if (heard === HOSTS) {
                allHeard();
              }
            },
          });
        }
      }),
    );
  });
  const joined = usageOf(cluster);
  // Leases are renewed as companions do, for a time in which nothing else happens.
  const idleFrom = usageOf(cluster);
  const expiries = await Promise.all(crowd.map(each => each.keys.expiry(60)));
  const rounds = IDLE_SECONDS / RENEW_SECONDS;
  for (let round = 0; round < rounds; round++) {
    const pause = (RENEW_SECONDS * 1_000) / HOSTS;
    for (const expiry of expiries) {
      void expiry.renew();
      await sleep(pause);
    }
  }
  const idle = usageOf(cluster);
  const eventFrom = usageOf(cluster);
  const times: number[] = [];
  for (let index = 0; index < EVENTS; index++) {
    heard = 0;
    times.push(
      await timed(async () => {
        const isHeard = new Promise<void>(resolve => {
          allHeard = resolve;
        });
        await admin.hold(before, `event-${index}`, [90_000 + index]);
        await isHeard;
      }),
    );
  }
  const events = usageOf(cluster);
  for (const { mirror, running } of crowd) {
    mirror.stop();
    await running;
  }
  return {
    joinSeconds: joinMs / 1_000,
    perHostKilobytes: ((joined.megabytes - start.megabytes) * 1_024) / HOSTS,
    joinCpuMs: (joined.cpuMs - start.cpuMs) / HOSTS,
    idleCpuMs: Math.max(0, (idle.cpuMs - idleFrom.cpuMs) / IDLE_SECONDS - quietCpuMs),
    quietCpuMs,
    eventMs: median(times),
    eventCpuUs: ((events.cpuMs - eventFrom.cpuMs) * 1_000) / (EVENTS * HOSTS),
  };
}

/** Acquisitions of a daemon that is a member, in a machine with three nodes and the companion. */
async function measureAcquire(): Promise<AcquireFigures> {
  let figures: AcquireFigures | undefined;
  await withInstalled({ config: 'Fleet=required\nFleetNames=fleet-*\n' }, async host => {
    const { machine } = host;
    const nodes = await EtcdCluster.start({ machine });
    const { certificate, key } = nodes.client('bench');
    const files = { ca: nodes.authority.certificate, certificate, key };
    for (const [name, text] of Object.entries(files)) {
      await machine.write(`/etc/dynuser/${name}.pem`, text, 0o600);
    }
    const paths =
      'CaFile=/etc/dynuser/ca.pem\nCertificateFile=/etc/dynuser/certificate.pem\nKeyFile=/etc/dynuser/key.pem\n';
    await machine.write('/etc/dynuser/fleetd.conf', `Fleet=bench\nEndpoints=${nodes.endpoints.join(' ')}\n${paths}`);
    await machine.sh('mkdir -p /run/dynuser-fleetd && systemd-machine-id-setup');
    await machine.spawn([process.execPath, `${CHECKOUT}dist/lib/dynuser-fleetd.js`]);
    await host.startDaemon();
    await until('the fleet is there', async () => (await host.ctl(['fleet', 'create'])).status === 0);
    await until('the host is a member', async () => /alive/.test((await host.ctl(['fleet', 'hosts'])).stdout));
    const program = `${CHECKOUT}dist/benchmarks/programs/fleet-load.js`;
    figures = JSON.parse(await machine.output([process.execPath, program, String(ACQUIRED)], { timeoutMs: 120_000 }));
    await nodes.stop();
  });
  if (figures === undefined) {
    throw new Error('nothing was measured');
  }
  return figures;
}

function report(acquire: AcquireFigures, uses: Uses, floor: Floor, crowd: Crowd): void {
  const row = (what: string, values: readonly number[]) => [
    what,
    milliseconds(median(values)),
    milliseconds(quantile(values, 0.99)),
    milliseconds(mean(values)),
  ];
  printTable([
    ['Acquire', 'name of the fleet', 'name of this host'],
    ['first use', milliseconds(acquire.firstOfFleet), milliseconds(acquire.firstOfHost)],
    ['later use', milliseconds(acquire.laterOfFleet), milliseconds(acquire.laterOfHost)],
  ]);
  printTable([
    ['through dynuser-fleetd', 'median', '99 %', 'mean'],
    row('first use of a name: Hold', uses.first),
    row('a name that has its UID: Hold', uses.known),
    row('the same, by its record: HoldAgain', uses.again),
    row('Status and Forget', uses.forgotten),
    row('one key, put by the node that leads', floor.leader),
    row('the same by another node', floor.follower),
    row('one key, read by one node, which asks no other', floor.read),
  ]);
  const of = (count: number, factor: number) => ({
    hosts: count.toLocaleString('en'),
    join: `${(crowd.joinSeconds * factor).toFixed(1)} s`,
    memory: `${((crowd.perHostKilobytes * HOSTS * factor) / 1_024).toFixed(0)} MiB`,
    idle: `${((crowd.idleCpuMs * factor) / 10).toFixed(1)} % of a processor`,
    event: milliseconds(crowd.eventMs * factor),
    eventCpu: `${((crowd.eventCpuUs * HOSTS * factor) / 1_000).toFixed(0)} ms`,
  });
  const [measured, extrapolated] = [of(HOSTS, 1), of(10 * HOSTS, 10)];
  printTable([
    ['three nodes together', measured.hosts, `${extrapolated.hosts}, extrapolated`],
    [`all boot at once, each reads ${BOUND.toLocaleString('en')} bindings`, measured.join, extrapolated.join],
    ['memory more than without hosts', measured.memory, extrapolated.memory],
    [`processor time for leases and connections, renewed every ${RENEW_SECONDS} s`, measured.idle, extrapolated.idle],
    ['a binding until all have heard of it', measured.event, extrapolated.event],
    ['processor time for that', measured.eventCpu, extrapolated.eventCpu],
  ]);
  process.stdout.write(
    `\ndynuser-fleetd has ${uses.megabytes.toFixed(0)} MiB; a host that joins costs the nodes ${milliseconds(crowd.joinCpuMs)} of processor time; without hosts they take ${(crowd.quietCpuMs / 10).toFixed(1)} % of a processor.\n`,
  );
  printTargets([
    {
      what: 'first use of a name over that of a name of this host',
      wanted: '≤ 5 ms',
      measured: milliseconds(acquire.firstOfFleet - acquire.firstOfHost),
      reached: acquire.firstOfFleet - acquire.firstOfHost <= 5,
    },
    {
      what: 'later use, against a name of this host',
      wanted: '≤ 1.05×',
      measured: `${(acquire.laterOfFleet / acquire.laterOfHost).toFixed(2)}×`,
      reached: acquire.laterOfFleet / acquire.laterOfHost <= 1.05,
    },
  ]);
}

const acquire = await measureAcquire();
const directory = mkdtempSync('/run/dynuser-fleet-bench-');
const cluster = await EtcdCluster.start();
try {
  const { certificate, key } = cluster.client('bench');
  const files = { ca: cluster.authority.certificate, certificate, key };
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(`${directory}/${name}.pem`, text, { mode: 0o600 });
  }
  const paths = `CaFile=${directory}/ca.pem\nCertificateFile=${directory}/certificate.pem\nKeyFile=${directory}/key.pem\n`;
  const companion = await startCompanion(directory, `Endpoints=${cluster.endpoints.join(' ')}\n${paths}`);
  const uses = await measureUses(companion);
  const opened: EtcdKeys[] = [];
  const open = (endpoints: readonly string[]) =>
    new EtcdClient({
      ...{ endpoints, readableKey: '/dynuser/v1/bench/meta' },
      credentials: () => ({ ca: Buffer.from(files.ca), certificate: Buffer.from(certificate), key: Buffer.from(key) }),
    });
  const floor = await measureFloor(cluster, endpoint => open([endpoint]));
  const crowd = await measureCrowd(cluster, () => {
    const keys = new EtcdKeys(open(cluster.endpoints), '/dynuser/v1/bench/');
    opened.push(keys);
    return keys;
  });
  report(acquire, uses, floor, crowd);
  for (const keys of opened) {
    keys.close();
  }
  await companion.end();
} finally {
  await cluster.stop();
  rmSync(directory, { recursive: true });
}
