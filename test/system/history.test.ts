/** dynuserctl history: what an operator asks about users that are gone, over kills, a full disk and a restart. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DYNUSER_NSSWITCH, Installed } from '../support/installed.ts';
import type { MachineProcess } from '../support/machine/process.ts';
import { Machine } from '../support/machine.ts';
import { until } from '../support/until.ts';

const DIRECTORY = '/var/lib/dynuser/history';

interface Entry {
  readonly uid: number;
  readonly userName: string;
  readonly unit: string;
  readonly since: number;
  readonly until?: number;
  readonly end?: string;
}

describe('the history', () => {
  let machine: Machine;
  let host: Installed;
  let daemon: MachineProcess;
  let log = '';
  const start = async () => {
    daemon = await host.startDaemon();
    daemon.stderr.on('data', (text: string) => {
      log += text;
    });
  };
  before(async () => {
    machine = await Machine.boot({ init: 'plain', stage: true, nsswitch: DYNUSER_NSSWITCH });
    host = new Installed(machine);
    await start();
  });
  after(() => machine.stop());

  const entries = async (...argv: readonly string[]): Promise<Entry[]> => {
    const { stdout, stderr } = await host.ctl(['history', '--json=short', ...argv]);
    return stdout === '' ? assert.fail(stderr) : JSON.parse(stdout);
  };
  /** Waits for what the daemon writes a moment later. */
  const noted = async (isNoted: (found: readonly Entry[]) => boolean, ...argv: readonly string[]): Promise<Entry[]> => {
    let found: Entry[] = [];
    await until(
      () => `the history says it: ${JSON.stringify(found)}; the log: ${log}`,
      async () => {
        const { stdout } = await host.ctl(['history', '--json=short', ...argv]);
        found = stdout === '' ? [] : JSON.parse(stdout);
        return isNoted(found);
      },
    );
    return found;
  };

  it('shows who had a UID and until when, also by a file that is left', async () => {
    const uid = Number(await machine.output(['dynuserctl', 'acquire', 'web.service']));
    await machine.sh(`touch /var/tmp/left && chown ${uid} /var/tmp/left`);
    assert.deepEqual(
      (await noted(found => found.length === 1, 'web')).map(({ until: end }) => end),
      [undefined],
    );
    await machine.output(['dynuserctl', 'release', 'web']);
    const [web] = await noted(([found]) => found?.until !== undefined, String(uid));
    assert.ok(web?.until !== undefined && web.until >= web.since);
    assert.deepEqual([web.uid, web.userName, web.unit, web.end], [uid, 'web', 'web.service', undefined]);
    assert.deepEqual(await entries('--file=/var/tmp/left'), [web]);
    assert.deepEqual(await entries('web', `--at=@${(web.since / 1e6).toFixed(6)}`), [web]);
    assert.deepEqual(await entries('--at=now'), []);
    const table = await machine.output(['dynuserctl', 'history', '--no-legend']);
    assert.match(
      table,
      new RegExp(`^${uid} +web +web\\.service +\\d{4}-\\d\\d-\\d\\d [\\d:]{8} +\\d{4}-\\d\\d-\\d\\d [\\d:]{8} +0$`),
    );
  });

  it('says what is wrong with a question', async () => {
    const asked = async (...argv: readonly string[]) => {
      const { status, stdout, stderr } = await host.ctl(['history', ...argv]);
      return `${status} ${stdout}${stderr}`.trim();
    };
    assert.match(await asked('nobody-had-this'), /^1 The history has no such user\.$/);
    assert.match(await asked('--at=tomorrow?'), /^2 dynuserctl: --at=: 'tomorrow\?' is not a point in time; write /);
    assert.match(await asked('--file=/nonexistent'), /^1 dynuserctl: \/nonexistent: no such file or directory$/);
    assert.match(
      await asked('--file=/etc/passwd'),
      /^1 dynuserctl: \/etc\/passwd belongs to UID 0, which no dynamic user had/,
    );
    assert.match(await asked('web', '--file=/etc/passwd'), /^2 /);
    assert.match(await asked('--at=now', '--since=now'), /^2 /);
    const refused = await machine.run(['dynuserctl', 'history'], { uid: 1_000 });
    assert.deepEqual(
      [refused.status, refused.stderr],
      [1, `dynuserctl: ${DIRECTORY}: only root can read the history; use sudo\n`],
    );
  });

  it('over a kill of the daemon has all that lived on, and closes what ended unseen', async () => {
    await machine.output(['dynuserctl', 'acquire', 'stays.service']);
    // The lease ends with this process, which ends while there is no daemon.
    const holder = await machine.spawn(['dynuserctl', 'acquire', '--lifetime=connection', 'gone.service']);
    await noted(found => found.some(({ userName }) => userName === 'gone'));
    daemon.kill('SIGKILL');
    await daemon.ended;
    holder.kill('SIGKILL');
    await holder.ended;
    await start();
    const found = await noted(all => all.some(({ userName, until: end }) => userName === 'gone' && end !== undefined));
    assert.deepEqual(
      found.filter(({ until: end }) => end === undefined).map(({ userName }) => userName),
      ['stays'],
    );
    const lines = await machine.sh(`cat ${DIRECTORY}/*`);
    assert.equal(lines.match(/^start /gm)?.length, 2);
    assert.ok(lines.split('\n').every(line => line === '' || line.length === 191));
  });

  it('on a full disk is said to be incomplete, and users are allocated all the same', async () => {
    daemon.kill('SIGTERM');
    await daemon.ended;
    await machine.sh(`mount -t tmpfs -o size=4k,mode=0700 tmpfs ${DIRECTORY}`);
    log = '';
    await start();
    for (let count = 0; count < 25; count++) {
      await machine.output(['dynuserctl', 'acquire', `full${count}.service`]);
    }
    await until('the log tells of it', () => Promise.resolve(/the history cannot be written/.test(log)));
    assert.match(log, /users are allocated all the same: ENOSPC/);
    await machine.sh(`mount -o remount,size=1m ${DIRECTORY}`);
    await until('the log tells of its end', () => Promise.resolve(/the history is written again/.test(log)));
    assert.equal(log.match(/the history cannot be written/g)?.length, 1);
    const found = await entries();
    assert.deepEqual(found.filter(({ userName }) => userName.startsWith('full')).length, 25);
  });
});
