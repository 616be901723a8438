/** The machines that tests run in: what they are, and that nothing of them is left. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { CHECKOUT } from '../../src/tooling/checkout.ts';
import { Machine } from '../support/machine.ts';
import { until } from '../support/until.ts';

/** @returns what of a machine is on the host, as long as it runs: the folder of its disk, if it has one, and its cgroup */
function placesOf(pid: number): string[] {
  const disk = /(\/dynuser-machine\.\S+) \/var\/lib /.exec(readFileSync(`/proc/${pid}/mountinfo`, 'utf8'))?.[1];
  const groups = /^\S+ (\S+) cgroup2 /m.exec(readFileSync('/proc/mounts', 'utf8'))?.[1];
  const group = /^0::(.*\/dynuser-machine-\d+)/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1];
  return [
    ...(disk === undefined ? [] : [`/var/tmp${disk}`]),
    ...(groups === undefined || group === undefined ? [] : [groups + group]),
  ];
}

/** @returns which of these there are, and the mounts of machines that the host sees */
function leftovers(places: readonly string[]): string[] {
  const mounts = readFileSync('/proc/mounts', 'utf8').split('\n');
  return [
    ...mounts.filter(line => line.includes(`${CHECKOUT}dist/machine`)),
    ...places.filter(place => existsSync(place)),
  ];
}

describe('a plain machine', () => {
  let machine: Machine;
  before(async () => {
    machine = await Machine.boot({ init: 'plain', nsswitch: { passwd: 'files nothing' } });
  });
  after(() => machine.stop());

  it('keeps the host away from what happens in it', async () => {
    await machine.write('/etc/dynuser-machine', 'inside\n', 0o600);
    assert.equal(await machine.output(['stat', '-c', '%a', '/etc/dynuser-machine']), '600');
    assert.equal(await readFile(machine.path('/etc/dynuser-machine'), 'utf8'), 'inside\n');
    assert.equal(existsSync('/etc/dynuser-machine'), false);
    assert.match((await machine.run(['sh', '-c', 'echo 1 >/proc/sys/kernel/panic'])).stderr, /Read-only file system/);
    assert.match((await machine.run(['mkdir', '/sys/kernel/x'])).stderr, /Read-only file system/);
  });

  it('has its own processes, host name and empty run and tmp', async () => {
    assert.equal(await machine.output(['hostname']), 'machine');
    // What is not process 1, what that waits for, or the program that looks, is the host's.
    const processes = await machine.sh('cat /proc/[0-9]*/comm; :');
    assert.deepEqual([...new Set(processes.split('\n'))].sort(), ['sh', 'sleep']);
    assert.equal(await machine.sh('ls -A /dev/shm; ls -A /run/systemd 2>/dev/null; :'), '');
  });

  it('has the nsswitch.conf that was asked for, other lines kept', async () => {
    const text = await machine.output(['cat', '/etc/nsswitch.conf']);
    assert.deepEqual(text.match(/^passwd:.*$/gm), ['passwd: files nothing']);
    assert.match(text, /^hosts:/m);
  });

  it('gives status, input, environment and identity through', async () => {
    const script = 'cat; echo "$GREETING $(id -u):$(id -g):$(id -G)"; exit 7';
    const result = await machine.run(['sh', '-c', script], { input: 'in ', env: { GREETING: 'hi' }, uid: 64642 });
    assert.deepEqual(result, { status: 7, stdout: 'in hi 64642:64642:64642\n', stderr: '' });
    assert.equal((await machine.run(['sh', '-c', 'kill -TERM $$'])).status, 143);
  });

  it('ends a program that runs too long, with its children', async () => {
    const slow = machine.run(['sh', '-c', 'sleep 4711 & wait'], { timeoutMs: 100 });
    await assert.rejects(slow, /still running after 100 ms/);
    assert.equal((await machine.run(['sh', '-c', 'cat /proc/[0-9]*/cmdline | grep -aq "47[1]1"'])).status, 1);
  });

  it('reaps what is left without a parent', async () => {
    const orphan = await machine.sh('sleep 0.05 >/dev/null 2>&1 & echo "$!"');
    await until('process 1 has reaped it', () => !existsSync(machine.path(`/proc/${orphan}`)));
  });

  it('leaves a program running that can be signalled', async () => {
    const child = await machine.spawn(['sh', '-c', 'trap "exit 5" USR1; echo ready; while :; do sleep 0.01; done']);
    await once(child.stdout, 'data');
    child.kill('SIGUSR1');
    assert.equal(await child.ended, 5);
    child.kill('SIGKILL');
  });
});

describe('a machine with a disk for /var/lib', () => {
  it('has it in /var/tmp, and removes it', async () => {
    const machine = await Machine.boot({ init: 'plain', varLib: 'disk' });
    const places = placesOf(machine.pid);
    try {
      await machine.write('/var/lib/file', 'text');
      assert.equal(readFileSync(`${places[0]}/file`, 'utf8'), 'text');
      assert.deepEqual(leftovers(places), places);
      assert.notEqual(await machine.output(['stat', '-f', '-c', '%T', '/var/lib']), 'overlayfs');
    } finally {
      await machine.stop();
    }
    assert.deepEqual(leftovers(places), []);
  });
});

describe('a machine with systemd', () => {
  it('boots to a running manager that starts units, and ends with all of them', async () => {
    const machine = await Machine.boot({ init: 'systemd' });
    const places = placesOf(machine.pid);
    try {
      assert.equal(await machine.output(['cat', '/proc/1/comm']), 'systemd');
      const shown = await machine.output([
        'systemd-run',
        '--wait',
        '--pipe',
        '-q',
        '-p',
        'DynamicUser=yes',
        'id',
        '-u',
      ]);
      const uid = Number(shown);
      assert.ok(uid >= 61184 && uid <= 65519, shown);
    } finally {
      await machine.stop();
    }
    assert.equal(existsSync(`/proc/${machine.pid}`), false);
    assert.deepEqual(leftovers(places), []);
  });
});

describe('a machine whose test dies', () => {
  // A terminal's Ctrl-C and timeout(1) signal all of a process group, those that are to clean up among them.
  for (const [how, end] of [
    ['killed', (pid: number) => process.kill(pid, 'SIGKILL')],
    ['ended with all of its process group', (pid: number) => process.kill(-pid, 'SIGTERM')],
  ] as const) {
    it(`goes with one that is ${how}`, async () => {
      const script = `
      const { Machine } = await import(${JSON.stringify(new URL('../support/machine.js', import.meta.url).href)});
      const machine = await Machine.boot({ init: 'systemd', varLib: 'disk' });
      console.log(machine.pid);
      setInterval(() => undefined, 1000);`;
      const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
        stdio: ['ignore', 'pipe', 'inherit'],
        detached: true,
      });
      const [line] = await once(child.stdout, 'data');
      const pid = Number(String(line));
      const places = placesOf(pid);
      assert.deepEqual(leftovers(places), places);
      assert.match(places[0] ?? '', /^\/var\/tmp\/dynuser-machine\./);
      end(child.pid ?? assert.fail('it did not start'));
      await until('process 1 is gone', () => !existsSync(`/proc/${pid}`));
      await until('its disk and its cgroup are gone', () => leftovers(places).length === 0);
    });
  }
});
