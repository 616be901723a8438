/** What the article "Dynamic Users with systemd" (0pointer.net, 2017) shows of systemd, with dynuser-run in its place. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { DYNUSER_NSSWITCH, Installed } from '../../support/installed.ts';
import type { MachineProcess } from '../../support/machine/process.ts';
import { Machine } from '../../support/machine.ts';
import { playSession } from '../../support/terminal.ts';

const DEADLINE_MS = 30_000;
const UNITS = '/etc/systemd/system';
/** Says that it is there, and stays. */
const STAY = 'echo there; exec sleep 4711';

describe('the article', () => {
  let machine: Machine;
  let host: Installed;
  before(async () => {
    machine = await Machine.boot({ init: 'plain', stage: true, nsswitch: DYNUSER_NSSWITCH, varLib: 'disk' });
    host = new Installed(machine);
    await host.startDaemon();
  });
  after(() => machine.stop());

  /** Runs a command to its end, and waits for the end of its user. */
  async function run(options: string, script: string): Promise<string> {
    const said = await machine.output(['sh', '-c', `exec dynuser-run ${options} sh -c "$1"`, 'sh', script]);
    await host.untilNothingIsKept();
    return said;
  }

  /** Starts what stays, and waits until it is there. */
  async function start(options: string, launcher = 'dynuser-run'): Promise<MachineProcess> {
    const service = await machine.spawn(['sh', '-c', `exec ${launcher} ${options}`]);
    const [line] = await once(service.stdout, 'data', { signal: AbortSignal.timeout(DEADLINE_MS) });
    assert.equal(String(line), 'there\n');
    return service;
  }

  async function stop(...services: readonly MachineProcess[]): Promise<void> {
    for (const service of services) {
      service.kill('SIGTERM');
      await service.ended;
    }
    await host.untilNothingIsKept();
  }

  it('a unit file: the user of the process, of that name while it runs, and /etc/passwd untouched', async () => {
    await machine.write(
      `${UNITS}/dynamic-user-test.service`,
      `[Service]\nExecStart=/bin/sh -c '${STAY}'\nDynamicUser=yes\n`,
    );
    const accounts = await machine.sh('cat /etc/passwd /etc/group /etc/shadow /etc/gshadow');
    const service = await start(`--unit-file=${UNITS}/dynamic-user-test.service`);
    assert.match(await machine.sh('ps -e -o pid,comm,user | grep sleep'), /^ *\d+ sleep +dynamic-user-test$/m);
    const id = 'uid=64642(dynamic-user-test) gid=64642(dynamic-user-test) groups=64642(dynamic-user-test)';
    assert.equal(await machine.sh('id dynamic-user-test'), id);
    assert.equal(await machine.sh('cat /etc/passwd /etc/group /etc/shadow /etc/gshadow'), accounts);
    await stop(service);
    assert.equal(await machine.sh('id dynamic-user-test 2>&1 || true'), 'id: ‘dynamic-user-test’: no such user');
  });

  it('a shell on a terminal, which stays root’s, by the command line of systemd-run', async () => {
    const command = 'dynuser-run --pty --property=DynamicUser=yes --property=StateDirectory=wuff -u run-u15750 /bin/sh';
    const terminal = '$ tty\n/dev/pts/0\n$ set -m\n$ echo x >/dev/tty\nx\n';
    const closed = '$ test -w /dev/stdout || echo closed\nclosed\n$ stat -L -c %U /dev/stdin\nroot\n';
    const session = `# ${command}\n${terminal}${closed}$ exit\n`;
    const options = { normalise: (text: string) => text, settle: () => host.untilNothingIsKept(), runsOn: false };
    assert.equal(await playSession(machine, session, options), session);
  });

  it('a filter in a pipeline, by the command line of systemd-run', async () => {
    await machine.sh("printf '%s\\n' wuff Foobar foobar wuff foobar >/root/some-file.txt");
    const filter = 'dynuser-run --pipe --property=DynamicUser=1 sort -u';
    await machine.sh(`cd /root && cat some-file.txt | ${filter} | grep -i foobar > some-other-file.txt`);
    assert.equal(await machine.sh('cat /root/some-other-file.txt'), 'Foobar\nfoobar');
    await host.untilNothingIsKept();
  });

  it('nothing can be written to but /tmp, /var/tmp and what is for all, and they are its own and go with it', async () => {
    await machine.sh('touch /tmp/host /var/tmp/host');
    const said = await run(
      '-u closed',
      `for directory in / /etc /usr /opt /srv /var /var/lib /var/cache /var/log /var/spool /home /root /run /boot; do
        touch $directory/mark 2>/dev/null && echo $directory
      done
      for directory in /tmp /var/tmp /dev/shm /dev/mqueue; do touch $directory/mark && ls -A $directory; done`,
    );
    assert.equal(said, 'mark\nmark\nmark\nmark');
    assert.equal(await machine.sh('ls -A /tmp /var/tmp /dev/shm /dev/mqueue | grep mark || true'), '');
    await machine.sh('rm /tmp/host /var/tmp/host');
  });

  it('IPC objects go with it', async () => {
    assert.match(await run('-u ipc', 'ipcmk -M 64 -S 1 -Q >/dev/null; ipcs'), /(?: ipc .*[\s\S]*){3}/);
    assert.doesNotMatch(await machine.sh('ipcs'), /^0x/m);
  });

  it('a runtime directory is there for others as long as it runs', async () => {
    const service = await start(`-u foobar -p RuntimeDirectory=foobar sh -c '>$RUNTIME_DIRECTORY/socket; ${STAY}'`);
    assert.equal(
      await machine.sh('stat -c "%U %a %n" /run/foobar /run/foobar/socket'),
      'foobar 755 /run/foobar\nfoobar 644 /run/foobar/socket',
    );
    await stop(service);
    await machine.sh('! test -e /run/foobar');
  });

  it('a directory of a static user, of a dynamic one after it, and back again', async () => {
    const look =
      'stat -L -c "%U" /var/lib/foobar /var/lib/foobar/file; readlink /var/lib/foobar; cat /var/lib/foobar/file';
    await run('-p DynamicUser=no -p User=games -p StateDirectory=foobar', 'echo one >$STATE_DIRECTORY/file');
    assert.equal(await machine.sh(`{ ${look}; } || true`), 'games\ngames\none');
    assert.equal(
      await run('-u foobar -p StateDirectory=foobar', `${look}; echo two >>$STATE_DIRECTORY/file`),
      'foobar\nfoobar\nprivate/foobar\none',
    );
    assert.equal(await machine.sh('stat -c "%U %a" /var/lib/private'), 'root 700');
    assert.equal(
      await run('-p DynamicUser=no -p User=games -p StateDirectory=foobar', `${look}; true`),
      'games\ngames\none\ntwo',
    );
    assert.equal(await machine.sh('stat -c %F /var/lib/foobar'), 'directory');
  });

  it('cache and logs behind boundaries of their own, and within sees only its own', async () => {
    const properties = '-p CacheDirectory=foobar -p LogsDirectory=foobar';
    await run('-u other -p CacheDirectory=other -p LogsDirectory=other', 'true');
    const said = await run(
      `-u foobar ${properties}`,
      'ls -A /var/cache/private /var/log/private; touch /var/cache/foobar/mark',
    );
    assert.equal(said, '/var/cache/private:\nfoobar\n\n/var/log/private:\nfoobar');
    assert.equal(await machine.sh('stat -c "%U %a" /var/cache/private /var/log/private'), 'root 700\nroot 700');
    assert.equal(await machine.sh('readlink /var/cache/foobar /var/log/foobar'), 'private/foobar\nprivate/foobar');
    assert.match(await machine.sh('ls -ALR /var/cache/foobar/'), /mark/);
  });

  for (const [property, base, how] of [
    ['StateDirectory', '/var/lib', 'a mapped mount'],
    ['CacheDirectory', '/var/cache', 'a change of owners'],
  ] as const) {
    it(`another UID at the next start finds its own files, by ${how}`, async () => {
      const options = `-p ${property}=moving`;
      const first = await run(`-u mover ${options}`, `id -u; echo hello >${base}/moving/test`);
      const again = await run(`-u another ${options}`, 'id -u');
      assert.equal(again, first, 'the owner comes before the preferred one');
      const occupant = await start(`--reuid=${first} --clear-groups sh -c '${STAY}'`, 'setpriv');
      const moved = await run(`-u mover ${options}`, `id -u; stat -c %u ${base}/moving/test; cat ${base}/moving/test`);
      occupant.kill('SIGKILL');
      await occupant.ended;
      const [uid, owner, text] = moved.split('\n');
      assert.notEqual(uid, first);
      assert.deepEqual([owner, text], [uid, 'hello']);
    });
  }

  it('instances of a template, each with its directory, and with User= each with its user', async () => {
    const text = `[Service]\nExecStart=/bin/sh -c 'ls /var/lib/private/foo >$STATE_DIRECTORY/seen; ${STAY}'\n`;
    await machine.write(`${UNITS}/foo@.service`, `${text}DynamicUser=1\nUser=%p-%i\nStateDirectory=foo/%i\n`);
    const services = [];
    for (const instance of ['customer1', 'customer2']) {
      services.push(await start(`--unit-file=${UNITS}/foo@.service --instance=${instance}`));
    }
    const users = (await machine.sh('ps -e -o comm,user:32 | grep sleep.*foo | sort')).split('\n');
    assert.deepEqual(
      users.map(line => line.split(/ +/)[1]),
      ['foo-customer1', 'foo-customer2'],
    );
    assert.notEqual(await machine.sh('id -u foo-customer1'), await machine.sh('id -u foo-customer2'));
    await stop(...services);
    assert.equal(
      await machine.sh('cd /var/lib/foo && grep -r "" customer1/ customer2/'),
      'customer1/seen:customer1\ncustomer2/seen:customer2',
    );
  });

  it('! starts a program as root that becomes its user by name, which others can resolve', async () => {
    const program = 'import os, pwd\nu = pwd.getpwnam("mydaemon")\nassert os.getuid() == 0\nos.setgroups([])\n';
    const rest = 'os.setgid(u.pw_gid)\nos.setuid(u.pw_uid)\nos.execvp("id", ["id"])\n';
    await machine.write('/usr/local/bin/mydaemond', `#!/usr/bin/python3\n${program}${rest}`, 0o755);
    const unit = `${UNITS}/mydaemond.service`;
    await machine.write(unit, '[Service]\nExecStart=!/usr/local/bin/mydaemond\nDynamicUser=yes\nUser=mydaemon\n');
    assert.equal(
      await machine.sh(`dynuser-run --unit-file=${unit}`),
      'uid=63574(mydaemon) gid=63574(mydaemon) groups=63574(mydaemon)',
    );
  });

  it('a hash stands in for a name that is not valid, and a static user is used as it is', async () => {
    assert.match(await run('-u 0day.service', 'id -un'), /^_du[0-9a-f]{16}$/);
    assert.equal(await run('--uid=games', 'id -un; id -u'), 'games\n5');
  });

  it('a host with an empty /var: what is needed is made when it is needed', async () => {
    await machine.sh('mount -t tmpfs -o mode=0755 tmpfs /var');
    const said = await run(
      '-u stateless -p StateDirectory=a -p CacheDirectory=b -p LogsDirectory=c',
      'touch $STATE_DIRECTORY/x $CACHE_DIRECTORY/x $LOGS_DIRECTORY/x && stat -c "%U %a" /var/lib /var/cache /var/log',
    );
    assert.equal(said, 'root 755\nroot 755\nroot 755');
    assert.equal(await machine.sh('ls /var/lib/a/ /var/cache/b/ /var/log/c/ | grep -c x'), '3');
    await machine.sh('umount /var');
  });
});
