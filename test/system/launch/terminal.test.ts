/**
 * That a service types nothing into the terminal of whoever started it: TIOCSTI puts characters into the input of a shell,
 * which takes them for what root typed. The kernel lets everybody do it to its controlling terminal where
 * dev.tty.legacy_tiocsti is 1, and answers EIO where it is 0; the launcher's filter answers EPERM.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { skipUnless } from '../../support/host.ts';
import { DYNUSER_NSSWITCH, Installed } from '../../support/installed.ts';
import { Machine } from '../../support/machine.ts';

/** Says what comes of typing a line, and of a paste: first with the request as it is, then with more in the upper half. */
const TYPE = String.raw`use POSIX (); my $machine = (POSIX::uname())[4];
  my $ioctl = $machine eq "x86_64" ? 16 : 29;
  my @said; for my $request (0x5412, 0x541c, (7 << 32) | 0x5412, (7 << 32) | 0x541c) {
    my $text = "x\n"; my $ok = 1;
    for my $at (0 .. length($text) - 1) {
      my $byte = substr($text, $at, 1); $! = 0;
      $ok = 0 if syscall($ioctl, 0, $request, $byte) < 0;
    }
    push @said, $ok ? "typed" : "$!";
  } print join(", ", @said), "\n"`;

/**
 * Runs its arguments as the shell of a new terminal would, and prints what they said and how many bytes are in the input of
 * the terminal then (FIONREAD), which is what the shell would read next.
 */
const SHELL = `import array, fcntl, os, pty, subprocess, sys, termios
pid, master = pty.fork()
if pid == 0:
    done = subprocess.run(sys.argv[2:], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    waiting = array.array("i", [0])
    fcntl.ioctl(0, termios.FIONREAD, waiting)
    with open(sys.argv[1], "wb") as file:
        file.write(done.stdout + b"waiting: %d\\n" % waiting[0])
    os._exit(0)
try:
    while os.read(master, 4096):
        pass
except OSError:
    pass
os.waitpid(pid, 0)
sys.stdout.write(open(sys.argv[1]).read())`;

const REFUSED = `${Array(4).fill('Operation not permitted').join(', ')}\nwaiting: 0`;
const UNIT_FILE = '/etc/typing.service';

describe('a service on the terminal of root', () => {
  let machine: Machine;
  before(async () => {
    machine = await Machine.boot({ init: 'plain', stage: true, nsswitch: DYNUSER_NSSWITCH });
    await new Installed(machine).startDaemon();
    await machine.write('/usr/local/lib/type.pl', TYPE);
    const lines = ['[Service]', 'DynamicUser=yes', 'User=typist', 'NoNewPrivileges=no', 'RestrictSUIDSGID=no'];
    const start =
      'ExecStart=!/usr/bin/setpriv --reuid=typist --regid=typist --clear-groups perl /usr/local/lib/type.pl';
    await machine.write(UNIT_FILE, `${[...lines, start].join('\n')}\n`);
  });
  after(() => machine.stop());

  const onTerminal = (argv: readonly string[]): Promise<string> =>
    machine.output(['/usr/bin/python3', '-c', SHELL, '/run/said', ...argv]);
  const type = (...before: readonly string[]): Promise<string> =>
    onTerminal([...before, 'perl', '/usr/local/lib/type.pl']);
  const WITHOUT_ADMIN = [
    'setpriv',
    '--bounding-set=-sys_admin',
    '--inh-caps=-sys_admin',
    '--securebits=+no_setuid_fixup',
  ];

  it('could type, or would be refused by the kernel otherwise, without the launcher', async () => {
    const legacy = (await machine.output(['cat', '/proc/sys/dev/tty/legacy_tiocsti'])).trim() === '1';
    const said = await type('setpriv', '--reuid=1000', '--regid=1000', '--clear-groups');
    const [typed, waiting] = legacy ? ['typed', 4] : ['Input/output error', 0];
    // Only a virtual console knows TIOCLINUX.
    const pasted = 'Inappropriate ioctl for device';
    assert.equal(said, `${typed}, ${pasted}, ${typed}, ${pasted}\nwaiting: ${waiting}`);
  });

  for (const [name, options] of [
    ['as a dynamic user', ['-u', 'typist']],
    ['as a dynamic user without what it implies', ['-p', 'NoNewPrivileges=no', '-p', 'RestrictSUIDSGID=no']],
    ['as a static user', ['-p', 'DynamicUser=no', '--uid=games']],
    ['with a user namespace of its own', ['-p', 'PrivateUsers=yes']],
    ['with the capability that the kernel asks for', ['-p', 'AmbientCapabilities=CAP_SYS_ADMIN']],
    ['without a mount namespace', ['--isolation=best-effort']],
  ] as const) {
    const skip = name === 'with a user namespace of its own' && skipUnless('user namespaces');
    it(`types nothing ${name}`, { skip }, async () => {
      const contained = options.some(option => option.startsWith('--isolation')) ? WITHOUT_ADMIN : [];
      const quiet = contained.length === 0 ? [] : ['sh', '-c', 'exec "$@" 2>/dev/null', 'sh'];
      assert.equal(await type(...contained, ...quiet, 'dynuser-run', ...options, '--'), REFUSED);
    });
  }

  it('types nothing as a program that starts as root and becomes the user itself', async () => {
    assert.equal(await onTerminal(['dynuser-run', `--unit-file=${UNIT_FILE}`]), REFUSED);
  });

  it('may type as root, who may do all the rest', async () => {
    const said = await type('dynuser-run', '-p', 'DynamicUser=no', '--');
    assert.match(said, /^typed, .*\nwaiting: 4$/);
  });

  it('does not start where the filter cannot be had, but without the terminal', async () => {
    const wanted = ['dynuser-run', '-p', 'DynamicUser=no', '--uid=games', '--isolation=best-effort', '--'];
    const said = await type(...WITHOUT_ADMIN, ...wanted);
    assert.match(said, /^dynuser-run: the service could type into this terminal: .*NoNewPrivileges=yes/);
    const detached = await onTerminal([...WITHOUT_ADMIN, 'setsid', '--wait', ...wanted, 'echo', 'started']);
    assert.equal(detached, 'started\nwaiting: 0');
  });
});
