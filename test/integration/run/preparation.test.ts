/** Commands that run before the service, and those that run with more than the user's rights. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { LaunchCommand, LaunchPlan } from '../../../src/api/generated/io-dynuser-allocator.ts';
import { FOR_SPECIAL_FILES } from '../../support/filters.ts';
import { until } from '../../support/until.ts';
import { LauncherHost, UID } from './fake-daemon.ts';

const sh = (script: string, changes: Partial<LaunchCommand> = {}): LaunchCommand => ({
  path: '/bin/sh',
  arguments: ['sh', '-c', script],
  as: 'user',
  ignoreFailure: false,
  ...changes,
});
const commands = (...list: readonly LaunchCommand[]): Partial<LaunchPlan> => ({ commands: list });

describe('the commands of dynuser-run', () => {
  let host: LauncherHost;
  before(async () => {
    host = await LauncherHost.boot();
  });
  after(() => host.stop());

  const launch = (plan: Partial<LaunchPlan>) => {
    host.answer = host.planned(plan);
    return host.launch(['--unit-file=/etc/none.service']);
  };

  it('run one after the other, and the last becomes the process', async () => {
    const { status, stdout } = await launch(
      commands(
        sh('sleep 0.1; echo one $(id -u)'),
        sh('echo two'),
        sh('echo $0 last; exit 3', { arguments: ['mine', '-c', 'echo $0 last; exit 3'] }),
      ),
    );
    assert.deepEqual([status, stdout], [3, `one ${UID}\ntwo\nmine last\n`]);
  });

  it('are looked for in the PATH of the service', async () => {
    const command = { ...sh(''), path: 'id', arguments: ['id', '-un'] };
    const missing = await launch(commands({ ...command, path: 'nothing-of-this-name' }, sh('echo no')));
    assert.deepEqual([missing.status, missing.stdout], [127, '']);
    const root = await launch({ ...commands(command), uid: 0, gid: 0 });
    assert.equal(root.stdout, 'root\n');
  });

  it('end the start where one fails, with its status, and say which', async () => {
    const failed = await launch(commands(sh('exit 7'), sh('echo no')));
    assert.deepEqual([failed.status, failed.stdout], [7, '']);
    assert.equal(failed.stderr, 'dynuser-run: /bin/sh, which runs before the service, failed with exit status 7\n');
    const killed = await launch(commands(sh('kill -KILL $$'), sh('echo no')));
    assert.deepEqual([killed.status, killed.stdout], [137, '']);
    assert.match(killed.stderr, /was ended by signal 9/);
    const ignored = await launch(commands(sh('exit 7', { ignoreFailure: true }), sh('echo yes')));
    assert.deepEqual([ignored.status, ignored.stdout, ignored.stderr], [0, 'yes\n', '']);
  });

  it('see the world, and lack the privileges, that their kind has', async () => {
    const script = 'echo $(id -u) $(cat /opt/mark) $(grep -c "NoNewPrivs:.1" /proc/self/status) $(pwd) $(umask)';
    const mark =
      'mkdir -p /opt; echo host >/opt/mark; mkdir -p /srv/inside; echo inside >/srv/inside/mark; chmod 755 /srv/inside';
    await host.machine.sh(mark);
    const { stdout, stderr } = await launch({
      ...commands(sh(script, { as: 'outside' }), sh(script, { as: 'root' }), sh(script)),
      mountNamespace: true,
      mountOps: [
        { kind: 'clone', path: '/srv/inside', slot: 0 },
        { kind: 'attach', path: '/opt', slot: 0 },
      ],
      workingDirectory: '/srv',
      umask: 0o077,
    });
    assert.equal(stdout, `0 host 0 /srv 0077\n0 inside 1 /srv 0077\n${UID} inside 1 /srv 0077\n`, stderr);
  });

  it('have all capabilities as root, which can become the user by itself', async () => {
    const full = (await host.machine.sh('grep CapPrm /proc/self/status')).replace(/.*\s/, '');
    const script = `grep CapEff /proc/self/status; setpriv --reuid ${UID} --regid ${UID} --clear-groups id -u`;
    const { stdout, stderr } = await launch({ ...commands(sh(script, { as: 'root' })), ...FOR_SPECIAL_FILES });
    assert.equal(stdout, `CapEff:\t${full}\n${UID}\n`, stderr);
  });

  it('get no sockets that are for the service', async () => {
    host.answer = host.planned(commands(sh('test ! -e /proc/$$/fd/3 && echo none'), sh('readlink /proc/$$/fd/3')));
    const script = 'exec env LISTEN_PID=$$ LISTEN_FDS=1 dynuser-run --unit-file=/x 3</etc/passwd';
    assert.equal(await host.machine.sh(script), 'none\n/etc/passwd');
  });

  it('pass on a signal to the one that runs, and end the launcher by it', async () => {
    host.answer = host.planned(
      commands(sh('trap "echo asked; exit 0" TERM; echo ready; while :; do sleep 0.05; done'), sh('echo no')),
    );
    const process = await host.machine.spawn(['dynuser-run', '--unit-file=/x']);
    let stdout = '';
    for await (const chunk of process.stdout.setEncoding('utf8')) {
      if (stdout === '') {
        process.kill('SIGTERM');
      }
      stdout += chunk;
    }
    assert.deepEqual([await process.ended, stdout], [143, 'ready\nasked\n']);
  });

  it('end with the launcher, also where it is killed', async () => {
    host.answer = host.planned(commands(sh('echo ready; exec sleep 600'), sh('echo no')));
    const process = await host.machine.spawn(['dynuser-run', '--unit-file=/x']);
    await new Promise(resolve => process.stdout.once('data', resolve));
    process.kill('SIGKILL');
    await process.ended;
    await until('its child ends', async () => (await host.machine.run(['pgrep', '-u', `${UID}`])).status === 1);
  });
});
