/** tini, as process 1 of a PID namespace of its own, which is what `docker run --init` is; the daemon is outside of it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { exampleFiles } from '../../support/examples.ts';
import { DYNUSER_NSSWITCH, Installed } from '../../support/installed.ts';
import { firstChild, type MachineProcess } from '../../support/machine/process.ts';
import { Machine } from '../../support/machine.ts';
import { unpackSupervisor } from '../../support/supervisors/packages.ts';
import { type Start, WebService } from '../../support/supervisors/service.ts';

const ENTRY_POINT = '/usr/local/bin/entrypoint';
const [SIGKILL, SIGNALED] = [9, 128];

/** A root directory of its own: the machine's programs, and of its /run what docs/containers.md shares, read-only. */
const CONTAINER = [
  ...['unshare', '--mount', '--propagation', 'private', 'sh', '-ec'],
  'mkdir -p /c; mount -t tmpfs none /c; cd /; for d in *; do ' +
    'if [ -L "$d" ]; then cp -P "$d" /c/; elif [ "$d" != c ] && [ "$d" != run ]; then mkdir -p "/c/$d"; mount --rbind "/$d" "/c/$d"; fi; ' +
    'done; mkdir -p /c/run/dynuser; mount --bind -o ro /run/dynuser /c/run/dynuser; exec chroot /c "$@"',
  'sh',
];
const PATH = `/usr/sbin:/usr/bin:${dirname(process.execPath)}`;

interface Container {
  /** unshare, whose only child is tini, and whose exit status is tini's */
  readonly process: MachineProcess;
  /** of tini and of the program, as the machine numbers them */
  readonly tini: number;
  readonly program: number;
  readonly start: Start;
}

describe('a service below tini, in a PID namespace of its own', () => {
  let machine: Machine;
  let host: Installed;
  let web: WebService;
  let uid: number;
  let count = 0;

  before(async () => {
    machine = await Machine.boot({ init: 'plain', stage: true, nsswitch: DYNUSER_NSSWITCH });
    host = new Installed(machine);
    web = new WebService(host);
    await web.install();
    await unpackSupervisor(machine, 'tini');
    for (const { text } of exampleFiles('docs/containers.md', 'Process 1 of a container')) {
      await machine.write(ENTRY_POINT, text, 0o755);
    }
    await host.startDaemon();
  });
  after(() => machine.stop());

  async function run(): Promise<Container> {
    const process = await machine.spawn(['unshare', '--pid', '--fork', '--kill-child', '--mount-proc', ENTRY_POINT]);
    count++;
    const start = await web.start(count);
    const tini = firstChild(process.pid);
    const program = tini === undefined ? undefined : firstChild(tini);
    assert.ok(tini !== undefined && program !== undefined);
    const [ofTini, ofProgram] = [numbers(tini), numbers(program)];
    assert.equal(ofTini.inside, 1);
    assert.equal(ofProgram.inside, start.pid, 'the only child of tini is the program itself');
    return { process, tini: ofTini.outside, program: ofProgram.outside, start };
  }

  /** Nothing resolves, and nothing is left. */
  async function isFree(): Promise<void> {
    await web.until('the end of the lease', async () => (await web.leases()).length === 0);
    assert.equal(await web.resolves(), false);
    await host.untilNothingIsKept();
    assert.deepEqual(await web.processes(uid), []);
  }

  it('has a lease that lasts as long as the only child of tini, and is told of its signals', async () => {
    const { process, tini, program, start } = await run();
    uid = start.uid;
    assert.equal(start.user, 'web');
    assert.equal(await machine.output(['id', '-u', 'web']), String(uid));
    assert.deepEqual(
      (await web.leases()).map(lease => [lease['userName'], lease['uid'], lease['pid'], lease['lifetime']]),
      [['web', uid, program, 'process']],
    );
    for (const signal of ['HUP', 'USR1', 'TERM']) {
      await web.kill(signal, tini);
      await web.until(signal, async () => (await web.start(1)).signals.at(-1) === signal);
    }
    assert.equal(await process.ended, 0);
    assert.deepEqual((await web.start(1)).signals, ['HUP', 'USR1', 'TERM']);
    await isFree();
  });

  it('has the same UID in the next container, and its exit status is the container’s', async () => {
    const failed = await run();
    assert.equal(failed.start.uid, uid);
    await web.kill('USR2', failed.tini);
    assert.equal(await failed.process.ended, 1);
    await isFree();

    const killed = await run();
    assert.equal(killed.start.uid, uid);
    await web.kill('KILL', killed.program);
    assert.equal(await killed.process.ended, SIGNALED + SIGKILL);
    await isFree();
  });

  it('ends with the container', async () => {
    const { process, tini, start } = await run();
    assert.equal(start.uid, uid);
    await web.kill('KILL', tini);
    assert.equal(await process.ended, SIGNALED + SIGKILL);
    await isFree();
  });

  it('in a container of its own root directory, with the socket that docs/containers.md shares, looks users up and no more', async () => {
    const { process, program } = await run();
    const inside = (...argv: readonly string[]) => machine.run([...CONTAINER, ...argv], { env: { PATH } });
    const line = await inside('getent', 'passwd', 'web');
    assert.match(line.stdout, new RegExp(`^web:x:${uid}:`));
    const viaSocket = await inside('dynuserctl', '--json=short', 'show', 'web');
    assert.equal(JSON.parse(viaSocket.stdout).uid ?? JSON.parse(viaSocket.stdout)[0]?.uid, uid);
    for (const argv of [
      ['acquire', 'other.service'],
      ['acquire', '--state-directory=web', 'other.service'],
      ['release', '--all', 'web'],
      ['explain', '--state-directory=web', 'other.service'],
    ]) {
      const refused = await inside('dynuserctl', ...argv);
      assert.equal(refused.status, 1, refused.stderr);
      assert.match(refused.stderr, /root/);
    }
    assert.equal((await inside('touch', '/run/dynuser/by-uid/file')).status, 1, 'it is read-only');
    assert.equal((await web.leases()).length, 1);
    await web.kill('KILL', program);
    assert.equal(await process.ended, SIGNALED + SIGKILL);
    await isFree();
  });
});

/** @param pid as the host has it @returns its number in the machine, and in the namespace below that */
function numbers(pid: number): { outside: number; inside: number } {
  // proc_pid_status(5): from the outermost namespace that is seen here to the innermost.
  const line = /^NSpid:(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '';
  const [inside = 0, outside = 0] = line.trim().split('\t').map(Number).reverse();
  return { outside, inside };
}
