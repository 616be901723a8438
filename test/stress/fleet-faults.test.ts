/**
 * Eight hosts, 400 names on 300 UIDs, and every fault at once: leaders die, the quorum is lost, daemons and companions are killed, cables are
 * pulled, a host is given up and returns, another loses its disk. No two names ever run with one UID, the history of the store has no
 * revision that is wrong, and what a host holds it is never refused.
 *
 * DYNUSER_FLEET_SECONDS=600 for a run of ten minutes, with as many faults more.
 */
// runs alone: eight hosts, and three nodes, take the whole machine
// time limit: 1500 s
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CHECKOUT } from '../../src/tooling/checkout.ts';
import type { EtcdCluster, EtcdNode } from '../support/fleet/etcd.ts';
import { FLEET_NAME, Fleet, type FleetHost } from '../support/fleet/hosts.ts';
import { judgeHistory, judgeProcesses, type SeenProcess } from '../support/fleet/judge.ts';
import type { MachineProcess } from '../support/machine/process.ts';
import { until } from '../support/until.ts';

const SECONDS = Number(process.env['DYNUSER_FLEET_SECONDS'] ?? 60);
const HOSTS = 8;
const NAMES = 400;
const FIRST = 65_536;
const LAST = FIRST + 299;
const PREFIX = `/dynuser/v1/${FLEET_NAME}/`;

/** In ten minutes; a shorter run has its part of them, and one of each at least. */
const part = (count: number) => Math.max(1, Math.round((count * SECONDS) / 600));
const WANTED = {
  ...{ leadersKilled: part(20), quorumLost: part(5), programsKilled: part(200), hostsCutOff: part(20) },
  ...{ hostsGivenUp: 1, disksLost: 1 },
};
type Fault = keyof typeof WANTED;
const QUORUM_LOST_MS = Math.min(30_000, SECONDS * 100);
const CUT_MS = 5_000;
const LOOK_MS = 200;
/** Daemon, companion and store come back within this, on a machine that is busy, and with what goes wrong meanwhile. */
const BACK_MS = 240_000;

interface Told {
  readonly host: string;
  readonly time: number;
  readonly what: 'acquire' | 'forget' | 'look';
  readonly name: string;
  /** when it was asked for */
  readonly asked?: number;
  /** the UID that the host held it with */
  readonly before?: number;
  readonly uid?: number;
  readonly error?: string;
  readonly reason?: string;
}

let fleet: Fleet;
let cluster: EtcdCluster;
const told: Told[] = [];
const doubles: string[] = [];
const churns = new Map<FleetHost, MachineProcess>();
/** Hosts that somebody works on. */
const busy = new Set<FleetHost>();
let isOver = false;
/** When most nodes were away. */
const away: { readonly from: number; readonly until: number }[] = [];

function isWithoutQuorum({ asked = 0, time }: Told): boolean {
  return away.some(({ from, until: end }) => asked > from && time < end);
}

describe('a fleet', () => {
  before(async () => {
    fleet = await Fleet.boot({ hosts: HOSTS, config: `FleetUidRange=${FIRST}-${LAST}\nLogLevel=warn` });
    await fleet.start();
    assert.ok(fleet.cluster);
    cluster = fleet.cluster;
  });
  after(() => fleet?.stop());

  it(`does nothing that must not happen in ${SECONDS} seconds of faults`, async t => {
    await Promise.all(fleet.hosts.map(churn));
    const watching = Promise.all([look(), cool()]);
    const counts = await fail().finally(() => {
      isOver = true;
      return watching;
    });
    for (const each of churns.values()) {
      each.kill('SIGKILL');
    }
    await cluster.startAll();
    const events = await cluster.history(PREFIX);
    const granted = told.filter(({ what, uid }) => what === 'acquire' && uid !== undefined);
    const errors = new Map<string, number>();
    for (const { what, error } of told.filter(each => each.error !== undefined)) {
      errors.set(`${what} ${error}`, (errors.get(`${what} ${error}`) ?? 0) + 1);
    }
    t.diagnostic(
      JSON.stringify({
        ...counts,
        granted: granted.length,
        known: granted.filter(each => each.before !== undefined).length,
        knownWithoutQuorum: granted.filter(each => each.before !== undefined && isWithoutQuorum(each)).length,
        revisions: new Set(events.map(({ revision }) => revision)).size,
        errors: Object.fromEntries(errors),
      }),
    );
    assert.deepEqual(counts, WANTED, 'every fault has happened as often as it should');
    assert.ok(granted.length > SECONDS, `${granted.length} users are too few`);
    assert.deepEqual(doubles, [], 'two names with one UID');
    assert.deepEqual(judgeHistory(events), [], 'the history of the store');
    // A name that a host holds has its UID, whatever is away; only while its daemon is killed is there no answer.
    const held = told.filter(({ what, before: former }) => what === 'acquire' && former !== undefined);
    assert.ok(held.some(isWithoutQuorum), 'nobody has asked for what it held while the store was away');
    assert.deepEqual(
      held.filter(({ error, uid, before: former }) =>
        error === undefined ? uid !== former : error !== 'ConnectionLost',
      ),
      [],
      'what was held before',
    );
    await Promise.all(fleet.hosts.map(host => host.untilMember(BACK_MS)));
    const { stdout } = await fleet.host(0).fleet(['check', '--json=short']);
    assert.deepEqual(JSON.parse(stdout).faults, []);
  });
});

/** Has users come and go on a host, until it is killed. */
async function churn(host: FleetHost): Promise<void> {
  const script = `${CHECKOUT}dist/test/support/programs/fleet-churn.js`;
  const started = await host.machine.spawn([process.execPath, script, String(NAMES)]);
  churns.set(host, started);
  let errors = '';
  started.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  createInterface(started.stdout).on('line', line => told.push({ host: host.name, ...JSON.parse(line) }));
  void started.ended.then(() => errors !== '' && doubles.push(`the churn of ${host.name} failed: ${errors}`));
}

/** Looks at all processes of all hosts, again and again. */
async function look(): Promise<void> {
  while (!isOver) {
    for (const double of judgeProcesses(seenProcesses())) {
      doubles.push(double);
    }
    await sleep(LOOK_MS);
  }
}

function seenProcesses(): SeenProcess[] {
  return readdirSync('/proc').flatMap(pid => {
    if (!/^\d+$/.test(pid)) {
      return [];
    }
    try {
      const [, uid] = /^Uid:\t(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
      if (Number(uid) < FIRST || Number(uid) > LAST) {
        return [];
      }
      const [, name] = /(?:^|\0)FLEET_NAME=([^\0]*)/.exec(readFileSync(`/proc/${pid}/environ`, 'latin1')) ?? [];
      // One that ends has no environment any more.
      readlinkSync(`/proc/${pid}/exe`);
      return name === undefined ? [] : [{ uid: Number(uid), name }];
    } catch {
      return [];
    }
  });
}

/** Frees names that no host holds, and lets their UIDs cool down at once. */
async function cool(): Promise<void> {
  while (!isOver) {
    const host = pick();
    if (host !== undefined) {
      await host.fleet(['gc']).catch(() => undefined);
      busy.delete(host);
    }
    await cluster.coolDown(PREFIX).catch(() => undefined);
    await sleep(1_000);
  }
}

/** @returns a host that nobody works on; it has to be put back */
function pick(): FleetHost | undefined {
  const free = fleet.hosts.filter(host => !busy.has(host));
  const host = free[Math.floor(Math.random() * free.length)];
  if (host !== undefined) {
    busy.add(host);
  }
  return host;
}

/** @returns how often each fault has happened */
async function fail(): Promise<Record<Fault, number>> {
  const counts = { leadersKilled: 0, quorumLost: 0, programsKilled: 0, hostsCutOff: 0, hostsGivenUp: 0, disksLost: 0 };
  const end = Date.now() + SECONDS * 1_000;
  const evenly = async (fault: Fault, work: () => Promise<void>): Promise<void> => {
    for (; counts[fault] < WANTED[fault]; counts[fault]++) {
      await sleep(Math.max(0, ((end - Date.now()) / (WANTED[fault] - counts[fault])) * Math.random()));
      await work();
    }
  };
  const onHost = (work: (host: FleetHost) => Promise<void>) => async (): Promise<void> => {
    let host = pick();
    for (; host === undefined; host = pick()) {
      await sleep(LOOK_MS);
    }
    try {
      await work(host);
    } finally {
      busy.delete(host);
    }
  };
  // Only one of them at a time takes nodes away.
  let nodes: Promise<void> = Promise.resolve();
  const onNodes = (work: () => Promise<void>) => () => {
    nodes = nodes.then(work);
    return nodes;
  };
  await Promise.all([
    evenly('leadersKilled', onNodes(killLeader)),
    evenly('quorumLost', onNodes(loseQuorum)),
    evenly('programsKilled', onHost(killProgram)),
    evenly('hostsCutOff', onHost(cutOff)),
    evenly('hostsGivenUp', onHost(giveUp)),
    evenly('disksLost', onHost(loseDisk)),
    sleep(SECONDS * 1_000),
  ]);
  return counts;
}

async function killLeader(): Promise<void> {
  let leader: EtcdNode | undefined;
  await until(
    'a node leads',
    async () => {
      leader = await cluster.leader();
      return leader !== undefined;
    },
    BACK_MS,
  );
  await leader?.kill();
  await sleep(2_000);
  await leader?.start();
  await cluster.untilAgreed(BACK_MS);
}

async function loseQuorum(): Promise<void> {
  const paused = cluster.nodes.slice(1);
  for (const node of paused) {
    node.pause();
  }
  const from = Date.now();
  await sleep(QUORUM_LOST_MS);
  away.push({ from, until: Date.now() });
  for (const node of paused) {
    node.resume();
  }
  await cluster.untilAgreed(BACK_MS);
}

async function killProgram(host: FleetHost): Promise<void> {
  if (Math.random() < 0.5) {
    host.companion?.kill('SIGKILL');
    await host.companion?.ended;
    await host.startCompanion();
  } else {
    host.daemon?.kill('SIGKILL');
    await host.daemon?.ended;
    await host.startDaemon();
  }
}

async function cutOff(host: FleetHost): Promise<void> {
  await host.cutOff();
  await sleep(CUT_MS);
  await host.reconnect();
}

/** Powers a host off, gives it up, has its names freed, and powers it on again. */
async function giveUp(host: FleetHost): Promise<void> {
  await host.reboot();
  let witness = host;
  let said = '';
  await until(
    () => `${host.name} is given up: ${said}`,
    async () => {
      witness = fleet.hosts.find(each => each !== host && !busy.has(each)) ?? witness;
      await fleet.expire(host).catch(() => undefined);
      const { status, stderr } = await witness.fleet(['forget-host', host.id, '--powered-off']);
      said = stderr;
      return status === 0;
    },
    BACK_MS,
  );
  await witness.fleet(['gc']).catch(() => undefined);
  await cluster.coolDown(PREFIX).catch(() => undefined);
  await sleep(2_000);
  await comeBack(host);
}

async function loseDisk(host: FleetHost): Promise<void> {
  await host.reboot();
  await host.machine.sh('rm -rf /var/lib/dynuser');
  await until(
    'the store is told that it is not alive',
    () =>
      fleet.expire(host).then(
        () => true,
        () => false,
      ),
    BACK_MS,
  );
  await comeBack(host);
}

async function comeBack(host: FleetHost): Promise<void> {
  await host.start();
  await host.untilMember(BACK_MS);
  await churn(host);
}
