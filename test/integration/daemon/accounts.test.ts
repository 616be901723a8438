/** UIDs and accounts that are chosen at a time: by us, and by who locks the account files as useradd(8) does. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { DYNUSER_NSSWITCH, Installed } from '../../support/installed.ts';
import type { MachineProcess } from '../../support/machine/process.ts';
import { Machine } from '../../support/machine.ts';

const LOCK = '/etc/.pwd.lock';
const DEADLINE_MS = 20_000;
/** Without the lock, three of fifteen gave one number to both; the tests before tell for certain. */
const ROUNDS = 8;

/** As lckpwdf(3) locks, in the middle of what useradd(8) does: it has found that nobody has the number, and makes the account. */
const EDITOR = `
import fcntl, os, pwd, sys
lock = os.open('${LOCK}', os.O_WRONLY | os.O_CREAT, 0o600)
fcntl.lockf(lock, fcntl.LOCK_EX)
uid = int(sys.argv[1])
try:
    print('taken', pwd.getpwuid(uid).pw_name, flush=True)
except KeyError:
    print('free', flush=True)
    sys.stdin.readline()
    with open('/etc/passwd', 'a') as passwd:
        passwd.write('edited%d:x:%d:100::/:/usr/sbin/nologin\\n' % (uid, uid))`;

import { until } from '../../support/until.ts';

describe('accounts that change while a UID is chosen', () => {
  let machine: Machine;
  let host: Installed;
  let daemon: MachineProcess;
  before(async () => {
    machine = await Machine.boot({ init: 'plain', stage: true, nsswitch: DYNUSER_NSSWITCH });
    await machine.write('/etc/dynuser/dynuserd.conf', 'CoolDownSec=0\nProbeTimeoutSec=10\n');
    host = new Installed(machine);
    daemon = await host.startDaemon();
  });
  after(() => machine.stop());

  const run = (...argv: string[]) => machine.output(argv);
  const acquire = (name: string) => run('dynuserctl', 'acquire', `${name}.service`);
  const canEdit = async () => (await machine.run(['flock', '--fcntl', '--nonblock', LOCK, 'true'])).status === 0;

  async function preferred(name: string): Promise<number> {
    const { uid } = JSON.parse(await run('dynuserctl', 'explain', `${name}.service`, '--json=short'));
    return Number(uid);
  }

  async function edit(uid: number): Promise<{ readonly editor: MachineProcess; readonly said: string }> {
    const editor = await machine.spawn(['python3', '-c', EDITOR, String(uid)]);
    const said = await new Promise<string>(resolve => editor.stdout.once('data', data => resolve(String(data).trim())));
    return { editor, said };
  }

  it('a number that somebody makes an account of is not given out', async () => {
    const uid = await preferred('edited');
    const { editor, said } = await edit(uid);
    assert.equal(said, 'free');
    const acquired = acquire('edited');
    // Whoever did not wait would have it by now, since the account is not there yet.
    await Promise.race([acquired, sleep(300)]);
    editor.stdin.write('\n');
    await editor.ended;
    assert.notEqual(Number(await acquired), uid);
    assert.equal(await run('id', '-nu', String(uid)), `edited${uid}`);
    await run('dynuserctl', 'release', 'edited');
  });

  it('who makes an account of a number that is being given out waits, and finds it taken', async () => {
    const uid = await preferred('asked');
    const signal = (name: string) =>
      run('sh', '-c', `for helper in $(pgrep -f '^/[^ ]*/dynuser-helper'); do kill -${name} $helper; done`);
    await signal('STOP');
    const acquired = acquire('asked');
    await until('the accounts are locked while the host is asked', async () => !(await canEdit()));
    const edited = edit(uid);
    await signal('CONT');
    assert.equal(Number(await acquired), uid);
    assert.equal((await edited).said, 'taken asked');
    await run('dynuserctl', 'release', 'asked');
    await until('they are not locked any more', canEdit);
  });

  it(`in ${ROUNDS} races with useradd no number is given to both`, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const uid = await preferred(`race${round}`);
      const useradd = ['useradd', '-M', '-N', '-u', String(uid), `account${round}`];
      const [given, made] = await Promise.all([acquire(`race${round}`), machine.run(useradd)]);
      assert.equal(Number(given) === uid, made.status !== 0, `${given} was given, and useradd said: ${made.stderr}`);
      await run('dynuserctl', 'release', `race${round}`);
    }
  });

  it('who holds the lock for ever costs a request its time for a probe, and others nothing', async () => {
    await acquire('live');
    const editor = await machine.spawn(['flock', '--fcntl', '--no-fork', LOCK, 'sleep', 'infinity']);
    await until('it is locked', async () => !(await canEdit()));
    await machine.write('/etc/dynuser/dynuserd.conf', 'CoolDownSec=0\nProbeTimeoutSec=0.5\n');
    daemon.kill('SIGHUP');
    await until('its time is shorter', async () => {
      const { status, stderr } = await machine.run(['dynuserctl', 'acquire', 'late.service'], {
        timeoutMs: DEADLINE_MS,
      });
      assert.equal(status, 1);
      return /no UID can be chosen: another process has had \/etc\/\.pwd\.lock locked for 0\.5 s; wait until/.test(
        stderr,
      );
    });
    assert.match(await acquire('live'), /^\d+$/);
    assert.equal(await run('dynuserctl', 'acquire', 'static.service', '--user=games'), await run('id', '-u', 'games'));
    assert.match(await run('id', 'live'), /\(live\)/);
    await run('dynuserctl', 'explain', 'other.service');
    await run('dynuserctl', 'release', '--all', 'live');
    await run('dynuserctl', 'release', 'games');
    assert.equal(await canEdit(), false, 'it was locked all the time');
    editor.kill('SIGKILL');
    await editor.ended;
    assert.deepEqual(await host.traces(), []);
  });
});
