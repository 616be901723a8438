/** doctor on a machine of its own: well, and with one thing after the other broken. */
// starts early: it breaks a host in many ways
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Finding } from '../../../src/cli/doctor/finding.ts';
import { type Installed, withInstalled } from '../../support/installed.ts';
import { until } from '../../support/until.ts';

async function examine(
  host: Installed,
  uid = 0,
  options: readonly string[] = [],
): Promise<{ status: number; findings: Finding[] }> {
  const argv = ['doctor', '--json=short', ...options];
  const { status, stdout, stderr } = await host.ctl(argv, uid === 0 ? {} : { uid });
  assert.equal(stderr, '');
  return { status, findings: JSON.parse(stdout) };
}

/** The checks that are not ok, each with its level. */
function wrong(findings: readonly Finding[]): string[] {
  return findings.filter(({ level }) => level !== 'ok').map(({ check, level }) => `${level} ${check}`);
}

/** Breaks something, looks, and repairs it. @returns what is wrong meanwhile */
async function broken(host: Installed, breaking: string, repair: string): Promise<{ status: number; wrong: string[] }> {
  await host.machine.sh(breaking);
  const { status, findings } = await examine(host);
  await host.machine.sh(repair);
  return { status, wrong: wrong(findings) };
}

test('a host that is well, looked at by root and by others', async () => {
  await withInstalled({}, async host => {
    const daemon = await host.startDaemon();
    assert.deepEqual(
      wrong((await examine(host)).findings),
      ['unknown Lookups'],
      'nobody lives that could be looked up',
    );
    await host.ctl(['acquire', 'web.service', '--state-directory=web']);
    const { status, findings } = await examine(host);
    assert.deepEqual({ status, wrong: wrong(findings) }, { status: 0, wrong: [] });
    const rights = findings.find(({ check }) => check === 'Rights of the daemon');
    assert.match(rights?.finding ?? '', /^process \d+ has/);

    const other = await examine(host, 1000);
    assert.deepEqual(
      { status: other.status, wrong: wrong(other.findings) },
      { status: 0, wrong: ['unknown Registry', 'unknown Locks'] },
    );

    const text = await host.ctl(['doctor']);
    assert.match(text.stdout, /^ok +Daemon +dynuserd \S+( \(\w+\+?\))? answers\n[\s\S]*\n0 problems, 0 warnings\.\n$/);

    daemon.kill('SIGTERM');
    await daemon.ended;
    const away = await examine(host);
    assert.equal(away.status, 1);
    assert.ok(wrong(away.findings).includes('problem Daemon'));
  });
});

test('what is broken is named, and only that', async () => {
  await withInstalled({}, async host => {
    await host.startDaemon();
    await host.ctl(['acquire', 'web.service', '--state-directory=web']);
    const module = (await host.machine.sh('ls /usr/lib/*/libnss_dynuser.so.2')).trim();
    const cases: readonly (readonly [breaking: string, repair: string, ...wrong: string[]])[] = [
      ['chmod 0777 /run/dynuser', 'chmod 0755 /run/dynuser', 'problem Runtime directory'],
      ['chmod 0755 /var/lib/private', 'chmod 0700 /var/lib/private', 'problem Private directories'],
      [
        'cp /etc/nsswitch.conf /tmp/n; sed -i "s/^passwd:.*/passwd: files/" /etc/nsswitch.conf',
        'cp /tmp/n /etc/nsswitch.conf',
        'problem nsswitch.conf',
        'problem Lookups',
      ],
      [`mv ${module} ${module}.away`, `mv ${module}.away ${module}`, 'problem NSS module', 'problem Lookups'],
      ['rm /run/dynuser/by-uid/*; ', 'true', 'problem Lookups'],
      ['echo a:62000:10 >> /etc/subuid', 'sed -i /^a:62000/d /etc/subuid', 'problem UID range'],
      ['chmod 0644 /usr/lib/dynuser/dynuser-helper', 'chmod 0755 /usr/lib/dynuser/dynuser-helper', 'problem Helper'],
      [
        'mkdir -p /etc/dynuser; printf "AllowUsers=root 12 nobody-such\\nAllowGroups=nor-this" >/etc/dynuser/dynuserd.conf',
        'rm /etc/dynuser/dynuserd.conf',
        'warning Allowed accounts',
        'warning Allowed accounts',
      ],
      [
        'mount --bind /run/dynuser /run/dynuser; mount -o remount,bind,ro /run/dynuser',
        'umount /run/dynuser',
        'problem Space for leases',
      ],
      [
        'mount -o remount,size=16m /run; fallocate -l $(df --output=avail -B1 /run | tail -1) /run/ballast',
        'rm /run/ballast; mount -o remount,size=50% /run',
        'problem Space for leases',
      ],
      ['touch /run/dynuser/set-aside/x', 'rm /run/dynuser/set-aside/x', 'warning Registry'],
    ];
    for (const [breaking, repair, ...expected] of cases) {
      const { status, wrong: found } = await broken(host, breaking, repair);
      const isProblem = expected.some(line => line.startsWith('problem'));
      assert.deepEqual({ status, found }, { status: isProblem ? 1 : 0, found: expected }, breaking);
      if (breaking.startsWith('rm /run/dynuser/by-uid')) {
        await host.ctl(['release', 'web']);
        await host.ctl(['acquire', 'web.service', '--state-directory=web']);
      }
    }
  });
});

test('a daemon without the rights that it needs', async () => {
  await withInstalled({}, async host => {
    const argv = ['setpriv', '--bounding-set', '-sys_ptrace,-kill', '/usr/sbin/dynuserd'];
    const daemon = await host.machine.spawn(argv);
    await host.untilAnswers();
    const { status, findings } = await examine(host);
    assert.equal(status, 1);
    const rights = findings.filter(({ check, level }) => check.startsWith('Rights') && level === 'problem');
    assert.deepEqual(
      rights.map(({ finding }) => /CAP_\w+/.exec(finding)?.[0]),
      ['CAP_KILL', 'CAP_SYS_PTRACE'],
    );
    daemon.kill('SIGTERM');
    await daemon.ended;
  });
});

test('a daemon in a PID namespace of its own', async () => {
  await withInstalled({}, async host => {
    await host.machine.spawn(['unshare', '--pid', '--fork', '--kill-child=KILL', '/usr/sbin/dynuserd']);
    await host.untilAnswers();
    const { status, findings } = await examine(host);
    assert.deepEqual([status, wrong(findings).includes('problem Namespaces of the daemon')], [1, true]);
  });
});

test('--try on a fresh host, without the right to, with a module that is not found, and interrupted', async () => {
  await withInstalled({}, async host => {
    const { machine } = host;
    await host.startDaemon();
    const tried = async (uid = 0) => {
      const { status, findings } = await examine(host, uid, ['--try']);
      return { status, wrong: wrong(findings), findings };
    };

    const fresh = await tried();
    assert.deepEqual([fresh.status, fresh.wrong], [0, []]);
    const [lookups, acquired, released] = ['Lookups', 'Acquire', 'Release'].map(
      name => fresh.findings.find(({ check }) => check === name)?.finding ?? '',
    );
    const [, name = '', uid = ''] = /^(dynuser-doctor-[0-9a-f]{8}) has got the UID (\d+)$/.exec(acquired ?? '') ?? [];
    assert.equal(lookups, `${name} and ${uid} resolve to each other`);
    assert.equal(released, `${name} is released, and no longer resolves`);
    assert.deepEqual(await host.traces(), []);

    const other = await tried(1000);
    assert.deepEqual([other.status, other.wrong.includes('unknown Acquire')], [0, true]);
    assert.match(
      other.findings.find(({ check }) => check === 'Acquire')?.finding ?? '',
      /may not acquire users: run this as root, or name it in AllowUsers=/,
    );
    assert.ok(other.findings.every(({ check }) => check !== 'Release'));

    const module = await machine.sh('ls /usr/lib/*/libnss_dynuser.so.2');
    await machine.output(['mv', module, `${module}.away`]);
    const unresolved = await tried();
    await machine.output(['mv', `${module}.away`, module]);
    assert.deepEqual([unresolved.status, unresolved.wrong], [1, ['problem NSS module', 'problem Lookups']]);
    assert.deepEqual(await host.traces(), []);

    // The user of the trial lives while getent waits.
    await machine.write('/usr/local/bin/getent', '#!/bin/sh\necho >>/run/asked\nexec sleep 60\n', 0o755);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
      await machine.output(['rm', '-f', '/run/asked']);
      const command = await machine.spawn(['dynuserctl', 'doctor', '--try']);
      await until('it asks', async () => (await machine.run(['test', '-s', '/run/asked'])).status === 0);
      assert.match((await host.ctl(['list', '--no-legend'])).stdout, / dynuser-doctor-/);
      let errors = '';
      command.stderr.setEncoding('utf8').on('data', (text: string) => {
        errors += text;
      });
      command.kill(signal);
      await host.untilNothingIsKept();
      await command.ended;
      assert.equal(
        errors,
        signal === 'SIGKILL' ? '' : 'dynuserctl: interrupted: the user of the trial ends with this command\n',
      );
    }
  });
});
