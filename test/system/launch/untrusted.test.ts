/** What a program that was started with --untrusted cannot see, reach or keep, each beside the same without it. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DYNUSER_NSSWITCH, Installed } from '../../support/installed.ts';
import { Machine } from '../../support/machine.ts';

/** Listens on a port and on a name that is not a file, and says so; a machine has a network of its own, with nothing up. */
const LISTEN = `import fcntl, socket, struct, sys
fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sh", b"lo", 0x1 | 0x40))
one = socket.socket(); one.bind(("127.0.0.1", 4711)); one.listen()
two = socket.socket(socket.AF_UNIX); two.bind("\\0dynuser-test"); two.listen()
print("listening", flush=True); sys.stdin.read()`;
const CONNECT = `import socket
for kind, address in ((socket.AF_INET, ("127.0.0.1", 4711)), (socket.AF_UNIX, "\\0dynuser-test"), (socket.AF_UNIX, "/run/dynuser/io.dynuser.DynamicUser")):
    try:
        socket.socket(kind).connect(address); print("reached")
    except OSError as error:
        print(error.strerror)`;

describe('an untrusted program', () => {
  let machine: Machine;
  before(async () => {
    machine = await Machine.boot({ init: 'plain', stage: true, nsswitch: DYNUSER_NSSWITCH, varLib: 'disk' });
    await new Installed(machine).startDaemon();
    const listener = await machine.spawn(['/usr/bin/python3', '-c', LISTEN]);
    await new Promise(resolve => listener.stdout.once('data', resolve));
    await machine.output(['sh', '-ec', 'perl -e "msgget(0x6475, 01000 | 0666) // die"; install -d -m 755 /home/open']);
  });
  after(() => machine.stop());

  const trusted = (...argv: readonly string[]): Promise<string> =>
    machine.output(['dynuser-run', ...argv], { env: { SECRET: 'of root', LC_ALL: 'C', TERM: 'dumb' } });
  const untrusted = (...argv: readonly string[]): Promise<string> => trusted('--untrusted', ...argv);

  it('has no variable of its starter but a few', async () => {
    const names = async (text: Promise<string>): Promise<string[]> =>
      (await text).split('\n').map(line => line.replace(/=.*/, ''));
    const few = ['LANG', 'LC_ALL', 'LOGNAME', 'PATH', 'TERM', 'USER'];
    assert.ok((await names(trusted('/usr/bin/env'))).includes('SECRET'));
    assert.deepEqual((await names(untrusted('/usr/bin/env'))).sort(), few);
    assert.match(await untrusted('-E', 'SECRET', '-p', 'Environment=A=1', '/usr/bin/env'), /^A=1\nSECRET=of root$/m);
  });

  it('reaches no network, no name of one, and no socket of the host', async () => {
    const connect = ['/usr/bin/python3', '-c', CONNECT];
    assert.equal(await trusted(...connect), 'reached\nreached\nreached');
    const refused = 'Connection refused';
    assert.equal(await untrusted(...connect), `${refused}\n${refused}\nNo such file or directory`);
    assert.equal(await untrusted('ls', '/sys/class/net'), 'lo');
    assert.match(await untrusted('-p', 'PrivateNetwork=no', ...connect), /^reached\nreached\n/, 'what is typed holds');
  });

  it('sees no process, key or IPC object of others', async () => {
    const script = `for process in /proc/[0-9]*; do [ "$process" = /proc/$$ ] || stat -c %u "$process"; done | grep -vx "$(id -u)" | sort -u
      cat /proc/key-users 2>/dev/null | wc -l; ipcs -q | grep -c 0x; ls -A /dev/shm /dev/mqueue | grep -c mark; exit 0`;
    await machine.output(['touch', '/dev/shm/mark']);
    const seen = (await trusted('sh', '-c', script)).split('\n');
    assert.equal(seen[0], '0', 'processes of root');
    assert.ok(Number(seen[1]) > 0);
    assert.deepEqual(seen.slice(2), ['1', '1']);
    assert.equal(await untrusted('sh', '-c', script), '0\n0\n0');
  });

  it('sees no home, nothing in /run, no device, and can write to nothing that stays', async () => {
    const script = `ls /home /root 2>/dev/null; ls /run; ls /dev/kmsg /dev/sda 2>/dev/null; echo "$(id -un)"
      for place in / /etc /var /var/lib /run /sys /proc /dev; do touch "$place/mark" 2>/dev/null && echo "wrote $place"; done
      touch /tmp/mark /var/tmp/mark /dev/shm/of-visitor && echo temporary; chmod 4755 /tmp/mark || echo refused`;
    const said = await machine.output([
      'sh',
      '-c',
      'dynuser-run --untrusted -u visitor sh -c "$1" 2>/dev/null',
      'sh',
      script,
    ]);
    assert.equal(said, 'dynuser\nvisitor\ntemporary\nrefused');
    assert.equal(await machine.sh('find /tmp /var/tmp /dev/shm -name of-visitor; echo nothing'), 'nothing');
  });

  it('reaches nothing of the kernel that sets or shows it, nor its modules, and has its own host name', async () => {
    await machine.output(['sh', '-ec', 'mkdir -p /usr/lib/modules; [ -e /dev/kmsg ] || mknod -m 666 /dev/kmsg c 1 3']);
    const script = `for path in /proc/kallsyms /dev/kmsg /usr/lib/modules; do
        (true <"$path") 2>/dev/null && echo "read $path"; done
      for path in /proc/irq /sys /sys/fs/cgroup; do
        findmnt -no OPTIONS -T "$path" | grep -q '^ro' || echo "open $path"; done
      [ "$(readlink /proc/self/ns/uts)" = "$1" ] && echo "name of the host"; exit 0`;
    const host = await machine.output(['readlink', '/proc/self/ns/uts']);
    const attack = (...properties: readonly string[]): Promise<string> =>
      untrusted(
        ...['ProcSubset=all', 'PrivateDevices=no', ...properties].flatMap(property => ['-p', property]),
        ...['sh', '-c', script, 'sh', host],
      );
    assert.equal(await attack(), '');
    const protections = ['KernelTunables', 'KernelLogs', 'KernelModules', 'ControlGroups', 'Hostname'];
    assert.equal(
      await attack(...protections.map(name => `Protect${name}=no`)),
      [
        ...['read /proc/kallsyms', 'read /dev/kmsg', 'read /usr/lib/modules'],
        ...['open /proc/irq', 'open /sys', 'open /sys/fs/cgroup', 'name of the host'],
      ].join('\n'),
    );
  });

  it('has no capability, not even in the bounding set, and nobody but itself and root in sight', async () => {
    const sets = await untrusted('sh', '-c', 'grep -h ^Cap /proc/self/status; wc -l </proc/self/uid_map');
    const none = ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].map(name => `${name}:\t${'0'.repeat(16)}`);
    assert.equal(sets, [...none, '2'].join('\n'));
  });

  it('keeps its directories, and filters what it is given', async () => {
    const add = 'echo line >>$STATE_DIRECTORY/file; wc -l <$STATE_DIRECTORY/file';
    for (const lines of ['1', '2']) {
      assert.equal(await untrusted('-u', 'keeper', '-p', 'StateDirectory=keeper', 'sh', '-c', add), lines);
    }
    const sorted = await machine.run(['dynuser-run', '--untrusted', 'sort', '-u'], { input: 'b\na\nb\n' });
    assert.deepEqual([sorted.status, sorted.stdout, sorted.stderr], [0, 'a\nb\n', '']);
  });

  it('is not started where nothing can be taken from it, nor as root', async () => {
    const contained = ['setpriv', '--bounding-set=-sys_admin', 'dynuser-run', '--isolation=best-effort', '--untrusted'];
    const [kept, root] = await Promise.all([
      machine.run([...contained, 'echo', 'no']),
      machine.run(['dynuser-run', '--untrusted', '--uid=root', 'echo', 'no']),
    ]);
    assert.deepEqual([kept.status, kept.stdout, root.status, root.stdout], [125, '', 125, '']);
    assert.match(
      kept.stderr,
      /^dynuser-run: --untrusted: cannot mount: CAP_SYS_ADMIN .*; give the launcher CAP_SYS_ADMIN$/m,
    );
    assert.match(root.stderr, /^dynuser-run: --untrusted: the user root is root; name another user$/m);
  });
});
