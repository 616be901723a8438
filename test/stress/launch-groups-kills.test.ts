/**
 * A start with properties of all groups, whose launcher, and whose daemon, is killed at every system call by which it changes
 * something: no mount, credential, rule for packets, namespace, process or lease stays.
 */
// time limit: 1200 s
import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { ALL_GROUPS, PREPARATION } from '../support/launches/starts.ts';
import { type TracedCall, TracedLaunches, testimony } from '../support/launches/traced.ts';
import { until } from '../support/until.ts';

const KILLED = 128 + 9;
const { argv } = ALL_GROUPS;
/** What a start changes in files and in the rules of the kernel. A file that was torn is set aside, for somebody to look at. */
const ON_HOST = `nft list ruleset
ls -A /run/dynuser | grep -vx 'lock-keeper.*\\|set-aside'
find /run/credentials /run/systemd/dynamic-uid 2>/dev/null; true`;
/** A directory that was being made ready when the daemon died is made ready by the next request for it, and not before. */
const DIRECTORIES = `find /run/web /run/private /var/cache/private /var/cache/web 2>/dev/null
cd /var/lib && find . -mindepth 1 -printf '%p %y %u %g %m %l\\n' | sort; true`;
/** Calls of the daemon by which something outlives it, or by which others do work for it. */
const DAEMON_CALLS =
  /^(?:openat|rename|renameat2?|unlink|unlinkat|symlink|symlinkat|mkdir|mkdirat|rmdir|flock|write|writev|sendmsg|clone3?|vfork|kill|shutdown)$/;
const DAEMON_TRACE = '/run/daemon-trace';

describe('with properties of all groups', () => {
  let launches: TracedLaunches;
  let clean: string;
  let directories: string;
  let normal: readonly string[];

  before(async () => {
    launches = await TracedLaunches.boot(`${PREPARATION}\n ip link set lo up`);
    const { status, stdout, stderr } = await launches.run(argv);
    assert.equal(status, 0, stderr);
    normal = testimony(stdout);
    assert.deepEqual(await launches.remains(), []);
    clean = await host();
    directories = await launches.installed.machine.sh(DIRECTORIES);
    assert.doesNotMatch(clean, /61\d\d\d : jump/);
  });
  after(() => launches.stop());

  const host = () => launches.installed.machine.sh(ON_HOST);

  /** @returns each namespace that a process of the machine is in but for those of process 1, and dynamic users' processes */
  function strangers(): string[] {
    const { machine } = launches.installed;
    const proc = machine.path('/proc');
    const own = new Set(namespacesOf(`${proc}/1`));
    return readdirSync(proc)
      .filter(name => /^\d+$/.test(name))
      .flatMap(pid => namespacesOf(`${proc}/${pid}`).filter(name => !own.has(name)));
  }

  async function assertClean(what: string): Promise<void> {
    assert.deepEqual(await launches.remains(), [], what);
    let seen = '';
    await until(
      () => `${what}: ${seen}\ninstead of\n${clean}`,
      async () => {
        seen = await host();
        return seen === clean;
      },
    );
    // A daemon that has just started tries what its kernel can, in a namespace that ends with the try.
    await until(
      () => `${what}: no other namespaces than ${strangers().join(', ')}`,
      async () => strangers().length === 0,
    );
  }

  /** What stands between others of the same name dies no other death than they. */
  const chosenOf = (calls: readonly TracedCall[]) =>
    calls.filter(
      ({ name }, index) => name !== 'close' && (name !== calls[index - 1]?.name || name !== calls[index + 1]?.name),
    );

  it('a launcher that is killed leaves nothing', async t => {
    const calls = chosenOf(await launches.record(argv));
    let killed = 0;
    for (const call of calls) {
      const { status, stdout, stderr } = await launches.tamper(argv, call, 'signal=SIGKILL');
      if (status === 0) {
        // A child was killed that had done its work.
        assert.deepEqual(testimony(stdout), normal, call.line);
      } else {
        assert.ok(status === KILLED || status === 125, `${status}: ${call.line}: ${stderr}`);
        killed += status === KILLED ? 1 : 0;
      }
      await assertClean(call.line);
    }
    t.diagnostic(`${killed} kills at ${calls.length} calls`);
    assert.ok(killed > 100 && killed > calls.length * 0.9, `${killed} of ${calls.length}`);
    assert.deepEqual(testimony((await launches.run(argv)).stdout), normal);
    await assertClean('the last start');
    assert.equal(await launches.installed.machine.sh(DIRECTORIES), directories);
  });

  it('a daemon that is killed leaves nothing that the next one does not take away', async t => {
    const { installed } = launches;
    const { machine } = installed;
    const daemon = () => machine.output(['pgrep', '-o', '-f', 'dynuserd.js']);
    const traced = async (...inject: readonly string[]) => {
      const tracer = await machine.spawn(['strace', '-qq', '-o', DAEMON_TRACE, ...inject, '-p', await daemon()]);
      await until(
        () => 'strace is there',
        async () => !/^TracerPid:\t0$/m.test(await machine.output(['cat', `/proc/${await daemon()}/status`])),
      );
      return tracer;
    };
    const tracer = await traced();
    assert.equal((await machine.run(argv)).status, 0);
    await assertClean('with a traced daemon');
    tracer.kill('SIGINT');
    await tracer.ended;
    const counts = new Map<string, number>();
    const points: TracedCall[] = [];
    for (const line of (await machine.output(['cat', DAEMON_TRACE])).split('\n')) {
      const name = /^(\w+)\(/.exec(line)?.[1] ?? '';
      if (DAEMON_CALLS.test(name)) {
        const count = (counts.get(name) ?? 0) + 1;
        counts.set(name, count);
        points.push({ name, count, line });
      }
    }
    let killed = 0;
    for (const { name, count, line } of chosenOf(points)) {
      const killer = await traced('-e', `inject=${name}:signal=SIGKILL:when=${count}`);
      const { status, stderr } = await machine.run(argv);
      assert.ok(status === 0 || status === 125, `${status}: ${line}: ${stderr}`);
      // It may be the daemon's work after the end.
      const isGone = await Promise.race([killer.ended.then(() => true), launches.remains().then(() => false)]);
      killer.kill('SIGINT');
      await killer.ended;
      if (isGone) {
        killed++;
        await installed.startDaemon();
      }
      await assertClean(line);
    }
    t.diagnostic(`${killed} kills at ${points.length} calls`);
    assert.ok(killed > 30, `${killed} kills`);
    assert.deepEqual(testimony((await launches.run(argv)).stdout), normal);
    await assertClean('the last start');
    assert.equal(await machine.sh(DIRECTORIES), directories);
  });
});

function namespacesOf(process: string): string[] {
  return ['mnt', 'net', 'ipc', 'uts', 'user', 'cgroup', 'pid'].flatMap(kind => {
    try {
      return [readlinkSync(`${process}/ns/${kind}`)];
    } catch {
      // It has ended.
      return [];
    }
  });
}
