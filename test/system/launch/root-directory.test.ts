/** A root directory of its own: there is no way out of it, by what was inherited, by chroot(2), or by another process. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DYNUSER_NSSWITCH, Installed } from '../../support/installed.ts';
import { firstOutput, type RunOptions } from '../../support/machine/process.ts';
import { Machine } from '../../support/machine.ts';

const ROOT = '/srv/jail';
/** The way out of a mere chroot(2), for whoever may call it: a root below the working directory leaves that outside. */
const ESCAPE = `mkdir "/tmp/below" or die "mkdir: $!"; chroot "/tmp/below" or die "chroot: $!";
  chdir ".." for 1 .. 64; chroot "." or die "chroot: $!"; print join(" ", sort grep { !/^[.]/ } glob("/*")), "\\n";
  print -e "/outside" ? "out\\n" : "in\\n"`;

describe('a root directory of its own', () => {
  let machine: Machine;

  before(async () => {
    machine = await Machine.boot({ init: 'plain', stage: true, nsswitch: DYNUSER_NSSWITCH });
    await new Installed(machine).startDaemon();
    const script = `mkdir -p ${ROOT}/etc /outside /srv/held; echo secret >/outside/secret; chmod 777 /outside; echo jail >${ROOT}/etc/hostname
      for name in bin lib lib64 sbin; do [ ! -e /usr/$name ] || ln -s usr/$name ${ROOT}/$name; done`;
    await machine.output(['sh', '-ec', script]);
  });
  after(() => machine.stop());

  const properties = [
    `RootDirectory=${ROOT}`,
    'BindReadOnlyPaths=/usr',
    'BindPaths=/proc /dev',
    'StateDirectory=jailed',
  ];
  const command = (more: readonly string[], argv: readonly string[]): string[] => [
    ...['dynuser-run', '-u', 'jailed', ...[...properties, ...more].map(property => `-p${property}`), '--', ...argv],
  ];
  const shell = (script: string, more: readonly string[] = [], options: RunOptions = {}): Promise<string> =>
    machine.output(command(more, ['sh', '-c', script]), options);

  it('is all that is seen', async () => {
    const script =
      'cat /etc/hostname; ls -x /; ls /outside /srv 2>&1; pwd -P; ls -A /var/lib; cat /proc/self/mountinfo';
    const [name, names, outside, srv, present, directories, ...mounts] = (await shell(script)).split('\n');
    assert.deepEqual([name, present, directories], ['jail', '/', 'jailed']);
    assert.doesNotMatch(names ?? '', /outside|srv|home/);
    assert.match(`${outside}${srv}`, /\/outside.*No such file.*\/srv.*No such file/);
    const targets = mounts.map(line => line.split(' ')[4] ?? '');
    const expected = /^\/(?:$|usr$|etc$|tmp$|var\/tmp$|var\/lib\/jailed$|run$|(?:proc|dev|sys)(?:\/|$))/;
    assert.deepEqual(
      targets.filter(target => !expected.test(target)),
      [],
    );
  });

  it('is not left by the directory or the descriptors that it was started with', async () => {
    const script =
      'pwd -P; cat outside/secret ../outside/secret ../../outside/secret 2>/dev/null; ls /proc/self/fd; ls /proc/$$/cwd/';
    const launch = command([], ['sh', '-c', script]);
    const starter = 'cd /outside && exec "$@" 7</ 8</outside 9</outside/secret';
    const [present, ...rest] = (await machine.output(['bash', '-c', starter, 'bash', ...launch])).split('\n');
    assert.equal(present, '/');
    assert.deepEqual(rest.slice(0, 4), ['0', '1', '2', '3'], 'the fourth is that of ls itself');
    assert.ok(rest.includes('usr') && !rest.includes('outside') && !rest.includes('secret'), rest.join(' '));
  });

  it('is not left with the right to change the root', async () => {
    const inside = await machine.output(command(['AmbientCapabilities=CAP_SYS_CHROOT'], ['perl', '-e', ESCAPE]));
    assert.match(inside, /\/usr/);
    assert.match(inside, /\nin$/);
    const mounts = `for name in usr dev; do mkdir -p ${ROOT}/$name; mount --bind /$name ${ROOT}/$name; done; mkdir -p ${ROOT}/tmp`;
    const proof = ['unshare', '--mount', 'sh', '-ec', `${mounts}; exec chroot ${ROOT} perl -e '${ESCAPE}'`];
    assert.match(await machine.output(proof), /\nout$/, 'a mere chroot is left so');
  });

  it('is not left by way of other processes', async () => {
    const other = Number(await firstOutput(await machine.spawn(['sh', '-c', 'echo $$; exec sleep 1000'])));
    const names = [1, other].map(pid => `/proc/${pid}/root/outside/secret /proc/${pid}/cwd/outside/secret`);
    const script = `cat ${names.join(' ')} 2>&1; true`;
    const said = await shell(script);
    assert.equal(said.match(/Permission denied/g)?.length, 4, said);
    assert.doesNotMatch(said, /^secret$/m);
  });

  it('may be root and is not left then but with the right to trace', async () => {
    const script = 'id -u; ls /outside 2>&1; cat /etc/hostname';
    const said = (await shell(script, ['DynamicUser=no', 'PrivateTmp=yes'])).split('\n');
    assert.deepEqual([said[0], said[2]], ['0', 'jail']);
    assert.match(said[1] ?? '', /No such file/);
  });
});
