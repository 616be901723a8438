/** Commands that run by name, while a service runs or after it, and how its process is ended. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { LaunchCommand, LaunchPlan, MainProcess } from '../../../src/api/generated/io-dynuser-allocator.ts';
import type { MachineProcess } from '../../support/machine/process.ts';
import { until } from '../../support/until.ts';
import { LauncherHost, UID } from './fake-daemon.ts';

const sh = (script: string, changes: Partial<LaunchCommand> = {}): LaunchCommand => ({
  ...{ path: '/bin/sh', arguments: ['sh', '-c', script], as: 'user', ignoreFailure: false },
  ...changes,
});

describe('the phases of dynuser-run', () => {
  let host: LauncherHost;
  before(async () => {
    host = await LauncherHost.boot();
  });
  after(() => host.stop());

  const run = (plan: Partial<LaunchPlan>) => {
    host.answer = host.planned(plan);
    return host.launch(['--unit-file=/etc/none.service', '--stop']);
  };

  interface Service {
    readonly process: MachineProcess;
    readonly pid: number;
  }

  /** A process as the machine numbers it. It has run its script up to "echo". */
  const service = async (script: string, prefix: readonly string[] = []): Promise<Service> => {
    const process = await host.machine.spawn([
      ...prefix,
      'sh',
      '-c',
      `${script}; echo $$; while :; do sleep 0.02; done`,
    ]);
    const line: string = await new Promise(resolve => process.stdout.setEncoding('utf8').once('data', resolve));
    return { process, pid: Number(line) };
  };

  const stop = (pid: number, changes: Partial<MainProcess> = {}): Partial<LaunchPlan> => ({
    phase: 'stop',
    main: { pid, seconds: 60, stopSignal: 15, hangup: false, finalSignal: 9, ...changes },
  });

  it('run all their commands, up to the first that fails, and exit with its status', async () => {
    const commands = [sh('echo one; exit 3', { ignoreFailure: true }), sh('echo $(id -u); exit 4'), sh('echo no')];
    for (const [phase, property] of [
      ['startPost', 'ExecStartPost'],
      ['reload', 'ExecReload'],
      ['stopPost', 'ExecStopPost'],
    ] as const) {
      const { status, stdout, stderr } = await run({ phase, commands });
      assert.deepEqual([status, stdout], [4, `one\n${UID}\n`]);
      assert.equal(stderr, `dynuser-run: /bin/sh of ${property}= failed with exit status 4\n`);
    }
    assert.equal((await run({ phase: 'stopPost' })).status, 0);
    assert.equal((await run({ phase: 'reload', commands: [sh('kill -USR1 $$')] })).status, 138);
  });

  it('are not a start, whose last command becomes the process unless it is to be waited for', async () => {
    const commands = [sh('echo one'), sh('echo $PPID; exit 3', { ignoreFailure: true })];
    const { status, stdout } = await run({ commands, waitsForLast: true });
    assert.match(stdout, /^one\n\d+\n$/);
    assert.equal(status, 0);
    assert.equal((await run({ commands })).status, 3);
    assert.equal(
      (await run({ commands: [sh('exit 3')], waitsForLast: true })).status,
      3,
      'of none that is not ignored',
    );
  });

  it('have nothing to do where the daemon says so', async () => {
    host.answer = () => ({ skipped: 'none.service is not running' });
    const { status, stdout, stderr } = await host.launch(['--unit-file=/etc/none.service', '--stop']);
    assert.deepEqual([status, stdout, stderr], [0, '', 'dynuser-run: none.service is not running\n']);
  });

  it('end a service by its signals, also one that is stopped', async () => {
    // What brought us into the machine stops with its child.
    const { process, pid } = await service('trap "exit 5" USR1; trap : HUP', ['sh', '-c', '"$@" & wait $!', 'sh']);
    await host.machine.output(['kill', '-STOP', String(pid)]);
    const { status, stderr } = await run({ ...stop(pid, { stopSignal: 10, hangup: true }), commands: [sh('true')] });
    assert.deepEqual([status, stderr, await process.ended], [0, '', 5]);
  });

  it('kill what takes longer than it may, a command first', async () => {
    const { process, pid } = await service('trap "" TERM');
    const commands = [sh('exec sleep 600'), sh('echo no')];
    const { status, stdout, stderr } = await run({ ...stop(pid, { seconds: 1 }), commands });
    assert.deepEqual([status, stdout, await process.ended], [0, '', 137]);
    assert.match(
      stderr,
      /sh of ExecStop= was ended by signal 9 .*\n.*the service still runs 1 seconds after signal 15; it gets signal 9\n$/,
    );
  });

  it('fail if a service still runs that may not be killed', async () => {
    const { process, pid } = await service('trap "" TERM');
    const main = { pid, seconds: 1, stopSignal: 15, hangup: false };
    const { status, stderr } = await run({ phase: 'stop', main });
    assert.equal(status, 125);
    assert.match(stderr, /the service still runs 1 seconds after signal 15\n$/);
    process.kill('SIGKILL');
  });

  it('leave a process alone that only has the number', async () => {
    const { process, pid } = await service('true');
    const other = stop(pid, { inode: '1' });
    assert.equal((await run({ ...other, commands: [sh('echo no')] })).stdout, '');
    const reload = await run({
      phase: 'reload',
      main: { pid, inode: '1', reloadSignal: 1 },
      commands: [sh('echo no')],
    });
    assert.deepEqual([reload.status, reload.stdout], [125, '']);
    assert.match(reload.stderr, new RegExp(`there is no process ${pid} any more`));
    assert.equal((await host.machine.run(['kill', '-0', String(pid)])).status, 0);
    process.kill('SIGKILL');
  });

  it('begin a reload with a signal', async () => {
    const { process, pid } = await service('trap "exit 6" HUP');
    const { status } = await run({ phase: 'reload', main: { pid, reloadSignal: 1 } });
    assert.deepEqual([status, await process.ended], [0, 6]);
  });

  it('are in the network of the service, but in none that it made as its own root', async () => {
    const inside = 'readlink /proc/self/ns/net /proc/self/ns/ipc';
    const own = await service('true', ['unshare', '--net', '--ipc']);
    const joined = await run({
      ...{ phase: 'reload', privateNetwork: true, privateIPC: true, main: { pid: own.pid } },
      commands: [sh(inside), sh(inside, { as: 'outside' })],
    });
    const theirs = await host.machine.output(['readlink', `/proc/${own.pid}/ns/net`, `/proc/${own.pid}/ns/ipc`]);
    assert.equal(joined.stdout, `${theirs}\n${theirs}\n`, joined.stderr);
    own.process.kill('SIGKILL');

    const left = await service('true', ['unshare', '--user', '--net']);
    const refused = await run({
      phase: 'reload',
      privateNetwork: true,
      main: { pid: left.pid },
      commands: [sh(inside)],
    });
    assert.deepEqual([refused.status, refused.stdout], [125, '']);
    assert.match(refused.stderr, /has left the namespace/);
    left.process.kill('SIGKILL');
  });

  it('end with the launcher, also if it is killed', async () => {
    host.answer = host.planned({ phase: 'stopPost', commands: [sh('echo ready; exec sleep 600')] });
    const process = await host.machine.spawn(['dynuser-run', '--unit-file=/x', '--stop-post']);
    await new Promise(resolve => process.stdout.once('data', resolve));
    process.kill('SIGKILL');
    await process.ended;
    await until('the command ends', async () => (await host.machine.run(['pgrep', '-u', `${UID}`])).status !== 0);
  });
});
