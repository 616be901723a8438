/** That no privilege comes back to a dynamic user: not by its process's state, a program of root's, a keyring or a namespace. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DYNUSER_NSSWITCH, Installed } from '../../support/installed.ts';
import type { RunResult } from '../../support/machine/process.ts';
import { Machine } from '../../support/machine.ts';
import { until } from '../../support/until.ts';

const NO_CAPABILITIES = '0000000000000000';
/** security.capability of capabilities(7), revision 2: CAP_DAC_READ_SEARCH, permitted and effective. */
const READ_ALL = '0x0100000204000000000000000000000000000000';
/** Numbers of keyctl(2) and add_key(2), which perl has no functions for. */
const KEYS = `my ($keyctl, $add_key) = (POSIX::uname())[4] eq "x86_64" ? (250, 248) : (219, 217);
  my ($type, $name, $text) = ("user", shift, "secret");`;
/** Becomes its arguments but for the first, in a session keyring with a key of that name in it. */
const WITH_KEY = `use POSIX (); ${KEYS}
  syscall($keyctl, 1, 0) >= 0 or die "join: $!"; syscall($add_key, $type, $name, $text, 6, -3) >= 0 or die "add: $!";
  exec @ARGV`;
/** Looks for a key in its session keyring, and says how it is told that there is none. */
const FIND_KEY = `use POSIX (); ${KEYS}
  my $key = syscall($keyctl, 10, -3, $type, $name, 0); print $key >= 0 ? "found\\n" : "$!\\n"`;
const ADD_TO_USER = `use POSIX (); ${KEYS}
  print syscall($add_key, $type, $name, $text, 6, -4) >= 0 ? "added" : "$!"`;
const FIND_IN_USER = FIND_KEY.replace('10, -3', '10, -4');

/** Lines of /proc/self/status that say what a process may do, or could. */
const WHO = /^(?:Uid|Gid|Groups|Cap\w+|NoNewPrivs|Seccomp|Seccomp_filters|Umask|SigBlk|SigIgn|Shd?Pnd|TracerPid)$/;

describe('a dynamic user', () => {
  let machine: Machine;

  before(async () => {
    machine = await Machine.boot({ init: 'plain', stage: true, nsswitch: DYNUSER_NSSWITCH });
    await new Installed(machine).startDaemon();
    const script = `install -m 4755 /usr/bin/id /usr/local/bin/id-of-root; install -m 2755 /usr/bin/id /usr/local/bin/id-of-group
      install -m 755 /usr/bin/cat /usr/local/bin/cat-all; setfattr -n security.capability -v ${READ_ALL} /usr/local/bin/cat-all`;
    await machine.output(['sh', '-ec', script]);
  });
  after(() => machine.stop());

  const run = (argv: readonly string[], properties: readonly string[] = []): Promise<RunResult> =>
    machine.run(['dynuser-run', '-u', 'confined', ...properties.map(property => `-p${property}`), '--', ...argv]);
  const shell = (script: string, properties: readonly string[] = []): Promise<RunResult> =>
    run(['sh', '-c', script], properties);
  const uidNow = async (): Promise<string> => (await run(['id', '-u'])).stdout.trim();

  it('has nothing in any line of its status that root or its starter had', async () => {
    const capabilities = '+chown,+dac_override,+kill,+setgid,+setuid,+setpcap,+sys_admin';
    const sets = [
      `--inh-caps=${capabilities}`,
      `--ambient-caps=${capabilities}`,
      '--securebits=+noroot,+no_setuid_fixup',
    ];
    const wide = ['setpriv', '--groups=0,4,27', ...sets];
    const status = await machine.output([...wide, 'dynuser-run', '-u', 'confined', 'cat', '/proc/self/status']);
    const lines = new Map(status.split('\n').map(line => [line.split(':')[0] ?? '', line.replace(/^\w+:\s*/, '')]));
    const uid = await uidNow();
    const own = /^CapBnd:\s*(\S+)$/m.exec(await machine.output(['cat', '/proc/self/status']))?.[1];
    const four = [uid, uid, uid, uid].join('\t');
    assert.deepEqual(Object.fromEntries([...lines].filter(([name]) => WHO.test(name))), {
      Umask: '0022',
      TracerPid: '0',
      Uid: four,
      Gid: four,
      Groups: `${uid} `,
      ShdPnd: NO_CAPABILITIES,
      SigBlk: NO_CAPABILITIES,
      SigIgn: NO_CAPABILITIES,
      CapInh: NO_CAPABILITIES,
      CapPrm: NO_CAPABILITIES,
      CapEff: NO_CAPABILITIES,
      CapBnd: own,
      CapAmb: NO_CAPABILITIES,
      NoNewPrivs: '1',
      Seccomp: '2',
      Seccomp_filters: '1',
    });
    const dump = await machine.output([...wide, 'dynuser-run', '-u', 'confined', 'setpriv', '--dump']);
    assert.match(dump, /^Securebits: \[none\]$/m);
  });

  it('stays what it is by programs that are setuid, setgid or have capabilities', async () => {
    const uid = await uidNow();
    const { stdout, stderr } = await shell('id-of-root -u; id-of-group -g; cat-all /etc/shadow');
    assert.equal(stdout, `${uid}\n${uid}\n`);
    assert.match(stderr, /cat-all/);
    const plain = await machine.run(['sh', '-c', 'id-of-root -u; id-of-group -g; cat-all /etc/shadow | head -c 5'], {
      uid: 1000,
    });
    assert.equal(plain.stdout, '0\n0\nroot:', 'on the host they do give it');
    const turnedOff = await shell('id-of-root -u', ['NoNewPrivileges=no']);
    assert.equal(turnedOff.stdout, '0\n');
  });

  it('becomes nobody else by su, setpriv, newgrp or a system call', async () => {
    const commands = [
      'su -c id',
      'su -s /bin/sh nobody -c id',
      'setpriv --reuid=0 id',
      'setpriv --regid=0 --clear-groups id',
    ];
    for (const command of [...commands, 'newgrp root -c id', 'chroot / id']) {
      const { status, stdout } = await shell(`${command} </dev/null`);
      assert.notEqual(status, 0, command);
      assert.doesNotMatch(stdout, /uid=/, command);
    }
  });

  it('gets no further in a user namespace of its own', async () => {
    const script = `unshare --user --map-root-user --mount sh -c '
        mount -o remount,rw,bind / ; mount -o remount,rw / ; touch /usr/mark && echo written
        umount /tmp ; umount -l /tmp ; ls -A /tmp; umount /run/credentials ; chmod 4755 /tmp/file && echo setuid
        mknod /tmp/device b 254 0 && echo device; cat /etc/shadow' 2>/dev/null; echo done`;
    await machine.output(['touch', '/tmp/of-the-host']);
    assert.equal((await shell(`touch /tmp/file; ${script}`)).stdout.replace(/^file\n/m, ''), 'done\n');
  });

  it('leaves no key to the next user of its UID', async () => {
    const add = ['perl', '-e', ADD_TO_USER, 'of-user'];
    const find = ['perl', '-e', FIND_IN_USER, 'of-user'];
    const plain = (argv: readonly string[]): Promise<string> => machine.output(argv, { uid: 1000 });
    assert.equal(`${await plain(add)} ${await plain(find)}`, 'added found', 'the kernel keeps it for a UID');
    const uid = Number(await uidNow());
    const asUid = (): Promise<string> => machine.output(find, { uid });
    for (const hidden of ['', '; syscall($keyctl, 5, -4, 0x3f000000 | 0x200000)']) {
      const said = await run(['perl', '-e', `${ADD_TO_USER}${hidden}`, 'of-user']);
      assert.equal(said.stdout, 'added');
      await new Installed(machine).untilNothingIsKept();
      // The kernel comes to what is invalid when it has time.
      const ofUser = new RegExp(`^ *${uid}:`, 'm');
      await until(
        'the kernel keeps no keyrings for the UID',
        async () => !ofUser.test(await machine.output(['cat', '/proc/key-users'])),
      );
      assert.equal(await asUid(), 'Required key not available', hidden);
    }
  });

  it('does not have the session keyring of its starter', async () => {
    const withKey = ['perl', '-e', WITH_KEY, 'of-starter'];
    const find = ['perl', '-e', FIND_KEY, 'of-starter'];
    assert.equal(await machine.output([...withKey, ...find]), 'found', 'without the launcher it is there');
    const launch = [...withKey, 'dynuser-run', '-u', 'confined', '--'];
    assert.equal(await machine.output([...launch, ...find]), 'Required key not available');
    const keys = await machine.output([...launch, 'cat', '/proc/keys']);
    assert.doesNotMatch(keys, /of-starter/);
    assert.match(keys, /^\S+ \S+ +\d+ perm 3f030000 +0 +0 keyring +_ses: empty$/m);
    const asRoot = [...withKey, 'dynuser-run', '-p', 'DynamicUser=no', '--', ...find];
    assert.equal(await machine.output(asRoot), 'Required key not available', 'nor does root');
  });
});
