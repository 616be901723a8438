/** What service managers are told of an attached image, by their commands: here these are scripts that note how they are called. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { CommandFailure } from '../../../../src/cli/failure.ts';
import { MANAGERS } from '../../../../src/cli/image/manager-names.ts';
import { detectManager, MANAGER_OF, scanDirectoryOf } from '../../../../src/cli/image/managers.ts';
import { until } from '../../../support/until.ts';

const { systemd, openrc, runit, s6 } = MANAGER_OF;
const path = process.env['PATH'];
let top = '';
beforeEach(() => {
  top = mkdtempSync(`${tmpdir()}/dynuser-managers-`);
  process.env['PATH'] = top;
});
afterEach(() => rmSync(top, { recursive: true }));
after(() => {
  process.env['PATH'] = path;
});

/** Makes a command that notes its arguments, and then does what the script says. */
function command(name: string, script = ''): void {
  writeFileSync(`${top}/${name}`, `#!/bin/sh\necho "${name} $*" >>'${top}/log'\n${script}\n`);
  chmodSync(`${top}/${name}`, 0o755);
}

/** @returns what was called since the last time */
function called(): string[] {
  const lines = existsSync(`${top}/log`) ? readFileSync(`${top}/log`, 'utf8').split('\n').slice(0, -1) : [];
  rmSync(`${top}/log`, { force: true });
  return lines;
}

const failing = (message: string) => (error: unknown) =>
  error instanceof CommandFailure && assert.deepEqual([error.message, error.status], [message, 1]) === undefined;

const WHERE = { runtime: false, scanDirectory: undefined };

describe('systemd', () => {
  const LIST = 'systemctl list-units --plain --no-legend --state=active,activating,deactivating,reloading --';

  it('is asked which units run, of a template for its instances', async () => {
    command('systemctl', "echo '  web.service loaded active running A service'; echo; echo 'web@a.service loaded'");
    assert.deepEqual(await systemd.running(['web.service', 'web@.service']), ['web.service', 'web@a.service']);
    assert.deepEqual(called(), [`${LIST} web.service web@*.service`]);
  });

  it('is not asked about no unit: that would be all of the host', async () => {
    command('systemctl', 'echo other.service');
    assert.deepEqual(await systemd.running([]), []);
    await systemd.stop([]);
    await systemd.clean?.(['web@.service', 'web.timer']);
    assert.deepEqual(called(), []);
  });

  it('is told of units, and a template cannot be started', async () => {
    command('systemctl', 'case "$1" in list-units) echo web.service;; esac');
    const units = ['web.service', 'web@.service', 'web.timer'];
    await systemd.reload(WHERE);
    await systemd.start(units);
    await systemd.enable?.(units, false);
    await systemd.enable?.(units, true);
    await systemd.clean?.(units);
    await systemd.release?.(units, WHERE);
    await systemd.release?.(units, { ...WHERE, runtime: true });
    assert.deepEqual(called(), [
      'systemctl daemon-reload',
      'systemctl start -- web.service web.timer',
      'systemctl enable -- web.service web.timer',
      'systemctl --runtime enable -- web.service web.timer',
      'systemctl clean --what=all -- web.service',
      'systemctl disable --no-warn -- web.service web@.service web.timer',
      'systemctl --runtime disable --no-warn -- web.service web@.service web.timer',
    ]);
    await systemd.stop(units);
    assert.deepEqual(called(), [`${LIST} web.service web@*.service web.timer`, 'systemctl stop -- web.service']);
  });

  it('says why it refuses, in as many lines as can be read', async () => {
    command('systemctl', 'echo a line of its output; for line in 1 2 3 4 5; do echo "line $line" >&2; done; exit 5');
    await assert.rejects(
      async () => systemd.start(['web.service']),
      failing('systemctl start -- web.service: line 1; line 2; line 3; line 4'),
    );
    command('systemctl', "echo 'a line of its output'; exit 5");
    await assert.rejects(async () => systemd.reload(WHERE), failing('systemctl daemon-reload: a line of its output'));
    command('systemctl', 'exit 5');
    await assert.rejects(async () => systemd.reload(WHERE), failing('systemctl daemon-reload: exit status 5'));
    rmSync(`${top}/systemctl`);
    await assert.rejects(async () => systemd.reload(WHERE), failing('systemctl daemon-reload: spawn systemctl ENOENT'));
  });
});

describe('OpenRC', () => {
  it('has those running that are neither stopped nor unknown to it', async () => {
    command('rc-service', 'case "$1" in up) exit 0;; unknown) exit 1;; stopped) exit 3;; crashed) exit 32;; esac');
    assert.deepEqual(await openrc.running(['up', 'unknown', 'stopped', 'crashed']), ['up', 'crashed']);
    assert.deepEqual(called().sort(), [
      'rc-service crashed status',
      'rc-service stopped status',
      'rc-service unknown status',
      'rc-service up status',
    ]);
  });

  it('starts and stops one after the other, and none after one that fails', async () => {
    command('rc-service', '[ "$1" != bad ] || { echo no >&2; exit 1; }');
    await openrc.start(['one', 'two']);
    await openrc.stop(['two', 'one']);
    await openrc.reload(WHERE);
    assert.deepEqual(called(), [
      'rc-service one start',
      'rc-service two start',
      'rc-service two stop',
      'rc-service one stop',
    ]);
    await assert.rejects(async () => openrc.start(['bad', 'two']), failing('rc-service bad start: no'));
    assert.deepEqual(called(), ['rc-service bad start']);
  });
});

describe('runit', () => {
  it('has those running that run, or run what comes after', async () => {
    command(
      'sv',
      `case "$2" in
      */up) echo 'run: up: (pid 1) 2s';; */finishing) echo 'finish: x: (pid 1) 2s';;
      */down) echo 'down: x: 2s, normally up, want run: y';; *) exit 1;; esac`,
    );
    assert.deepEqual(await runit.running(['up', 'finishing', 'down', 'unknown']), ['up', 'finishing']);
    assert.deepEqual(called().sort()[0], 'sv status /etc/sv/down');
  });

  it('is told nothing of services that it does not supervise', async () => {
    command('sv');
    await runit.stop(['dynuser-nobody-has-this']);
    await runit.release?.(['dynuser-nobody-has-this'], WHERE);
    await runit.reload(WHERE);
    assert.deepEqual(called(), []);
  });
});

describe('s6', () => {
  it('is told to look into its directory, if services are in that', async () => {
    command('s6-svscanctl');
    await s6.reload(WHERE);
    assert.deepEqual(called(), []);
    await s6.reload({ ...WHERE, scanDirectory: '/run/service' });
    assert.deepEqual(called(), ['s6-svscanctl -an /run/service']);
  });

  it('starts services once each has its supervisor, which it waits for', async () => {
    command('s6-svok', `[ "$1" != /etc/s6/sv/late ] || [ -e '${top}/seen' ] || { : >'${top}/seen'; exit 1; }`);
    command('s6-svc');
    await s6.start(['early', 'late']);
    const calls = called();
    assert.deepEqual(calls.slice(-2), ['s6-svc -u /etc/s6/sv/early', 's6-svc -u /etc/s6/sv/late']);
    assert.deepEqual(calls.slice(0, -2).sort(), [
      's6-svok /etc/s6/sv/early',
      's6-svok /etc/s6/sv/early',
      's6-svok /etc/s6/sv/late',
      's6-svok /etc/s6/sv/late',
    ]);
  });

  it('stops those that run, and waits for their ends', async () => {
    command('s6-svstat', 'case "$3" in */up) echo true;; *) echo false;; esac');
    command('s6-svc');
    command('s6-svwait');
    assert.deepEqual(await s6.running(['up', 'down']), ['up']);
    assert.deepEqual(called().sort(), ['s6-svstat -o up /etc/s6/sv/down', 's6-svstat -o up /etc/s6/sv/up']);
    await s6.stop(['up', 'down']);
    assert.deepEqual(called().slice(-2), ['s6-svc -d /etc/s6/sv/up', 's6-svwait -D -t 95000 /etc/s6/sv/up']);
  });

  it('has let go of services when their supervisors have ended', async () => {
    command('s6-svscanctl');
    command('s6-svok', `[ ! -e '${top}/gone' ] || exit 1; : >'${top}/gone'`);
    await s6.release?.(['web'], { ...WHERE, scanDirectory: '/run/service' });
    assert.deepEqual(called(), ['s6-svscanctl -an /run/service', 's6-svok /etc/s6/sv/web', 's6-svok /etc/s6/sv/web']);
  });
});

describe('which manager runs here', () => {
  for (const [name, program] of [
    ['runit', 'runsvdir'],
    ['s6', 's6-svscan'],
  ] as const) {
    it(`is ${name} if a process is called ${program}`, async () => {
      copyFileSync('/bin/sleep', `${top}/${program}`);
      const child = spawn(`${top}/${program}`, ['1000'], { stdio: 'ignore' });
      try {
        await until('it runs', () => MANAGER_OF[name].isRunning());
        const found = detectManager();
        assert.ok(found !== undefined && MANAGERS.indexOf(found) <= MANAGERS.length);
        assert.ok(MANAGER_OF[found].isRunning());
      } finally {
        child.kill('SIGKILL');
        await once(child, 'close');
      }
    });
  }

  it('has a directory of services only if it runs what is in one', () => {
    assert.deepEqual([scanDirectoryOf('systemd'), scanDirectoryOf('openrc')], [undefined, undefined]);
  });
});
