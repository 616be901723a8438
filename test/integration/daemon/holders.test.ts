/**
 * However the process ends that a lease is bound to, and whatever it leaves behind: the UID is free when no process has it
 * any more, and not before. Through the installed launcher and daemon, with processes that do not want to end.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, it, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Installed, replyOf, withInstalled } from '../../support/installed.ts';
import type { MachineProcess } from '../../support/machine/process.ts';
import { until } from '../../support/until.ts';

const DEADLINE_MS = 30_000;
const CONFIG = 'KillGraceSec=0.5\n';
/** Ignores SIGTERM, and so do its children. */
const STUBBORN = 'trap "" TERM HUP;';

/** Whether the registry has the UID, one that ends included: seen from outside, without asking the daemon. */
function isReserved(host: Installed, uid: number): boolean {
  return ['', '.end'].some(suffix => existsSync(host.machine.path(`/run/dynuser/leases/${uid}${suffix}`)));
}

/** The processes of a UID, in all PID namespaces of the machine. */
async function processesOf(host: Installed, uid: number): Promise<string[]> {
  const { stdout } = await host.machine.run(['ps', '-o', 'pid=,stat=,args=', '-U', String(uid), '-u', String(uid)]);
  // A zombie runs nothing any more: it is its parent's to bury.
  return stdout.split('\n').filter(line => line !== '' && !/^ *\d+ Z/.test(line));
}

interface Holder {
  /** what started it, whose exit status is the holder's */
  readonly starter: MachineProcess;
  /** as the machine numbers it */
  readonly pid: number;
  readonly uid: number;
}

/** Runs a script as a dynamic user, which becomes the holder of its lease. */
async function launch(host: Installed, script: string): Promise<Holder> {
  // By a shell that waits: nsenter(1), which is below every program here, stops itself when its child does.
  const argv = ['sh', '-c', 'dynuser-run -u held -- sh -c "$0" & wait "$!"', `echo $(id -u) $$; ${script}`];
  const starter = await host.machine.spawn(argv);
  const [line] = await starter.stdout.setEncoding('utf8').take(1).toArray();
  const [uid, pid] = String(line).split(' ').map(Number);
  assert.ok(uid !== undefined && pid !== undefined);
  return { starter, pid, uid };
}

/** @returns its exit status, or that it has none yet */
function endOf({ starter }: Holder): Promise<number | string> {
  return Promise.race([starter.ended, sleep(DEADLINE_MS, 'runs on', { ref: false })]);
}

/** Waits until the UID is free. No process may have it then. */
async function untilFree(host: Installed, uid: number): Promise<void> {
  await until('the UID is free', () => !isReserved(host, uid));
  assert.deepEqual(await processesOf(host, uid), []);
  await host.untilNothingIsKept();
  assert.equal((await host.machine.run(['id', 'held'])).status, 1);
}

interface Case {
  readonly how: string;
  readonly script: string;
  /** the holder's exit status; undefined where it does not end by itself */
  readonly status?: number;
}

const CASES: readonly Case[] = [
  { how: 'exits', script: 'exit 3', status: 3 },
  {
    how: 'exits, with stopped and stubborn children',
    script: `${STUBBORN} sleep 60 & sh -c 'kill -STOP $$' & sleep 0.2; exit 0`,
    status: 0,
  },
  { how: 'crashes', script: 'sleep 60 & kill -SEGV $$', status: 139 },
  {
    how: 'daemonizes a child',
    script: `setsid sh -c '${STUBBORN} setsid sleep 60 & exec sleep 61' >/dev/null 2>&1 </dev/null & exit 0`,
    status: 0,
  },
  {
    how: 'forks without end, each child the parent of the next',
    script: `exec perl -e '$SIG{CHLD} = "IGNORE"; $SIG{TERM} = "IGNORE"; close STDOUT; while (1) { exit if fork }'`,
    status: 0,
  },
  {
    how: 'leaves what forks without end',
    script: `(${STUBBORN} while :; do (:) & done) >/dev/null 2>&1 & sleep 0.2; exit 0`,
    status: 0,
  },
];

describe('a holder ends', () => {
  let host: Installed;
  before(async () => {
    host = await Installed.boot({ config: CONFIG });
    await host.startDaemon();
  });
  after(() => host?.machine.stop());

  for (const { how, script, status } of CASES) {
    it(`that ${how}: its UID is free when nothing of it runs`, async () => {
      const holder = await launch(host, script);
      assert.equal(await endOf(holder), status);
      await untilFree(host, holder.uid);
    });
  }
});

test('a holder that is killed: its stubborn children keep the UID until they are killed as well', async () => {
  await withInstalled({ config: 'KillGraceSec=2\n' }, async host => {
    await host.startDaemon();
    const holder = await launch(host, `${STUBBORN} sleep 60 & wait`);
    const { uid } = holder;
    await until('it has its child', async () => (await processesOf(host, uid)).length === 2);
    await host.machine.output(['kill', '-9', String(holder.pid)]);
    assert.equal(await endOf(holder), 137);
    await until(
      'the name does not resolve any more',
      async () => (await host.machine.run(['id', 'held'])).status === 1,
    );
    assert.ok(isReserved(host, uid));
    const [left] = await processesOf(host, uid);
    assert.match(left ?? '', / sleep 60$/);
    const ending = await host.ctl(['list', '--no-legend']);
    assert.match(ending.stdout, new RegExp(`^${uid} .*held`, 'm'), 'it is shown for as long as it is reserved');
    await untilFree(host, uid);
  });
});

test('a holder that stops itself has its user for as long as it is there, and goes with it', async () => {
  await withInstalled({ config: CONFIG }, async host => {
    await host.startDaemon();
    const holder = await launch(host, 'kill -STOP $$');
    const { uid } = holder;
    await until('it has stopped', async () => / T/.test((await processesOf(host, uid)).join()));
    assert.equal((await host.machine.run(['id', 'held'])).status, 0);
    assert.deepEqual(await host.ctl(['release', '--all', 'held']), { status: 0, stdout: '', stderr: '' });
    await untilFree(host, uid);
    // SIGTERM waits for a stopped process, so it is continued.
    assert.equal(await endOf(holder), 143);
  });
});

test('a holder that leaves processes of the UID in another PID namespace, whose first process is not of the UID', async () => {
  await withInstalled({ config: CONFIG }, async host => {
    await host.startDaemon();
    const sleeper = Number(await host.machine.sh('sleep 600 >/dev/null 2>&1 & echo $!'));
    const request = { unit: 'held.service', lifetime: 'process', pid: sleeper };
    const uid = Number(replyOf((await host.calls([['io.dynuser.Allocator.Acquire', request]]))[0])['uid']);
    const as = `setpriv --reuid=${uid} --regid=${uid} --clear-groups`;
    const inside = `${as} sh -c '${STUBBORN} sleep 61 & exec sleep 62' & exec sleep 63`;
    const world = await host.machine.spawn(['unshare', '--pid', '--fork', '--mount-proc', 'sh', '-c', inside]);
    await until('both run', async () => (await processesOf(host, uid)).length === 2);
    await host.machine.output(['kill', '-9', String(sleeper)]);
    await untilFree(host, uid);
    assert.match(await host.machine.output(['ps', '-eo', 'args=']), /^sleep 63$/m, 'what is not of the UID lives on');
    world.kill('SIGKILL');
    await world.ended;
  });
});
