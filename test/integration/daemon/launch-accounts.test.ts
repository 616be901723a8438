/**
 * The account of a launch as systemd has it: dynamic groups, accounts by number, users without a group of their name, supplementary
 * groups, home and shell, launchers in another root directory, RemoveIPC=.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DYNUSER_NSSWITCH, Installed } from '../../support/installed.ts';
import { Machine } from '../../support/machine.ts';

describe('the user and the group of a launch', () => {
  let host: Installed;
  before(async () => {
    host = new Installed(await Machine.boot({ init: 'plain', stage: true, nsswitch: DYNUSER_NSSWITCH }));
    // For root of another root directory, too.
    await host.machine.write('/etc/dynuser/dynuserd.conf', 'AllowUsers=root\n');
    await host.startDaemon();
  });
  after(() => host.machine.stop());

  const run = (...argv: readonly string[]): Promise<string> => host.machine.output(['dynuser-run', ...argv]);
  const refused = async (...argv: readonly string[]): Promise<string> => {
    const { status, stdout, stderr } = await host.machine.run(['dynuser-run', ...argv]);
    assert.deepEqual([status, stdout], [125, '']);
    return stderr;
  };
  const STATIC = ['-p', 'DynamicUser=no'];

  it('are both made where neither exists, each with a number of its own', async () => {
    const script = 'id; getent group both-g; getent passwd both-u; dynuserctl --json=short list';
    const [id = '', group = '', user = '', leases = '[]'] = (
      await run('-u', 'both', '--uid=both-u', '--gid=both-g', 'sh', '-c', script)
    ).split('\n');
    const [, uid, gid] = /^uid=(\d+)\(both-u\) gid=(\d+)\(both-g\) groups=\2\(both-g\)$/.exec(id) ?? [];
    assert.ok(uid !== undefined && gid !== undefined && uid !== gid, id);
    assert.equal(group, `both-g:x:${gid}:both-u`);
    assert.match(user, new RegExp(`^both-u:x:${uid}:${uid}:`));
    const held = (JSON.parse(leases) as { userName: string; unit: string }[]).map(lease => [
      lease.userName,
      lease.unit,
    ]);
    assert.deepEqual(held.sort(), [
      ['both-g', 'both'],
      ['both-u', 'both'],
    ]);
    await host.untilNothingIsKept();
  });

  it('share the group of a live dynamic user, which keeps its number for that long', async () => {
    const process = await host.machine.spawn(['dynuser-run', '-u', 'appa', 'sh', '-c', 'id -g; read line']);
    const gid = String(await new Promise(resolve => process.stdout.once('data', resolve))).trim();
    assert.equal(await run('--gid=appa', 'id', '-g'), gid);
    assert.equal(await run(...STATIC, '--gid=appa', 'id', '-g'), gid);
    assert.equal(await run(...STATIC, '--uid=games', '--gid=appa', 'id', '-gn'), 'appa');
    assert.match(await run('-p', 'SupplementaryGroups=appa', 'id', '-G'), new RegExp(` ${gid}$`));
    const other = await host.machine.spawn(['dynuser-run', '--gid=appa', 'sh', '-c', 'id -gn; read line; id -gn']);
    await new Promise(resolve => other.stdout.once('data', resolve));
    process.stdin.end('\n');
    await process.ended;
    assert.match(await host.machine.output(['getent', 'group', 'appa']), new RegExp(`:${gid}:`), 'it is still held');
    other.stdin.end('\n');
    const [after] = await Promise.all([new Promise(resolve => other.stdout.once('data', resolve)), other.ended]);
    assert.equal(String(after).trim(), 'appa');
    await host.untilNothingIsKept();
  });

  it('are refused where the group cannot be, and nothing stays', async () => {
    assert.match(
      await refused(...STATIC, '--gid=unheard', 'true'),
      /^dynuser-run: --gid=: group unheard does not exist;/,
    );
    assert.match(await refused('--gid=_apt', 'true'), /^dynuser-run: --gid=: the user _apt .* no group of that name;/);
    assert.match(await refused('--gid=made', '--uid=dialout', 'true'), /^dynuser-run: --uid=: the group dialout /);
    await host.untilNothingIsKept();
  });

  it('are those of an account, by its name without a group of that name, or by its number', async () => {
    for (const dynamic of [[], STATIC]) {
      assert.equal(
        await run(...dynamic, '--uid=nobody', 'id'),
        'uid=65534(nobody) gid=65534(nogroup) groups=65534(nogroup)',
      );
      assert.equal(await run(...dynamic, '--uid=1', 'id'), 'uid=1(daemon) gid=1(daemon) groups=1(daemon)');
      assert.equal(await run(...dynamic, '-p', 'User=5', 'sh', '-c', 'id -gn; echo $USER'), 'games\ngames');
      assert.match(
        await refused(...dynamic, '--uid=12345', 'true'),
        /^dynuser-run: --uid=: no account has the number 12345;/,
      );
    }
    assert.equal(await run(...STATIC, '--uid=0', 'id', '-u'), '0');
  });

  it('are explained as they would be', async () => {
    const first = async (...argv: readonly string[]): Promise<string> =>
      (await run('--explain', ...argv, 'true')).split('\n')[1]?.trim() ?? '';
    assert.match(await first('--uid=1'), /^daemon, UID 1, GID 1: a static user/);
    assert.match(await first('--uid=games', '--gid=audio'), /^games, UID 5, GID 29: a static user/);
    assert.match(await first('--uid=both-u', '--gid=29'), /^both-u, UID \d+, GID 29: dynamic$/);
    const [, gid] = /GID (\d+)/.exec(await first('--uid=both-u', '--gid=both-g')) ?? [];
    assert.equal(await run('--uid=both-u', '--gid=both-g', 'id', '-g'), gid);
    assert.match(await refused(...STATIC, '--explain', '--uid=unheard', 'true'), /--uid=: user unheard does not exist/);
    assert.match(
      await refused(...STATIC, '--explain', '--gid=unheard', 'true'),
      /--gid=: group unheard does not exist/,
    );
  });

  it('have the groups that the host gives a static user, and those that are named, each once', async () => {
    await host.machine.sh('echo extra:x:4711:games >>/etc/group');
    assert.equal(await run(...STATIC, '--uid=games', 'id', '-G'), '60 4711');
    assert.equal(
      await run(...STATIC, '--uid=games', '-p', 'SupplementaryGroups=disk adm 7 disk', 'id', '-G'),
      '60 4 6 7 4711',
    );
    assert.equal(await run(...STATIC, '-p', 'SupplementaryGroups=disk', 'id', '-G'), '0 6', 'root has no others');
    assert.match(
      await refused(...STATIC, '--uid=games', '-p', 'SupplementaryGroups=disk no-such', 'true'),
      /^dynuser-run: SupplementaryGroups=: group no-such does not exist; name an existing group$/m,
    );
    assert.match(
      await refused('--explain', '-p', 'SupplementaryGroups=no-such', 'true'),
      /^dynuser-run: SupplementaryGroups=: group no-such does not exist/,
    );
    await host.untilNothingIsKept();
  });

  it('are in more groups than one answer of a helper has room for', async () => {
    const gids = Array.from({ length: 3000 }, (_, index) => 100_000 + index);
    const lines = gids.map(gid => `many${gid}:x:${gid}:games\n`).join('');
    await host.machine.output(['cp', '/etc/group', '/etc/group.before']);
    await host.machine.write('/etc/group', `${await host.machine.output(['cat', '/etc/group'])}\n${lines}`);
    const script = ['sh', '-c', 'sed -n "s/^Groups:\\t//p" /proc/self/status'];
    assert.equal((await run(...STATIC, '--uid=games', ...script)).trim(), `60 4711 ${gids.join(' ')}`);
    await host.machine.output(['mv', '/etc/group.before', '/etc/group']);
  });

  it('of a dynamic user are those for which /etc/group names it before it exists', async () => {
    await host.machine.sh('echo waiting:x:4712:named-before >>/etc/group');
    const [gid] = (await run('-u', 'named-before', 'id', '-G')).split(' ').slice(0, 1);
    assert.equal(await run('-u', 'named-before', 'id', '-G'), `${gid} 4712`);
    assert.equal(await run('-u', 'named-befor', 'sh', '-c', 'id -G | wc -w'), '1');
    await host.machine.output(['mv', '/etc/group', '/etc/group.away']);
    assert.equal(await run('-u', 'named-before', 'id', '-G'), gid, 'without the file');
    await host.untilNothingIsKept();
    await host.machine.output(['mkdir', '/etc/group']);
    assert.match(await refused('-u', 'named-before', 'true'), /EISDIR/);
    await host.machine.sh('rmdir /etc/group; mv /etc/group.away /etc/group');
    await host.untilNothingIsKept();
  });

  it('have home and shell of a static user, if it has any, and if the launch wants them', async () => {
    const env = async (...argv: readonly string[]): Promise<string[]> =>
      (await run(...STATIC, ...argv, 'env'))
        .split('\n')
        .filter(line => /^(?:HOME|SHELL|LOGNAME)=/.test(line))
        .sort();
    await host.machine.sh(
      "echo 'homeless:x:800:60::/:/bin/sh' >>/etc/passwd; echo 'spaced:x:801:60::/srv/a b%:/bin/x y' >>/etc/passwd",
    );
    assert.deepEqual(await env('--uid=games', '--setenv=SHELL=/own'), [
      'HOME=/usr/games',
      'LOGNAME=games',
      'SHELL=/own',
    ]);
    assert.deepEqual(await env('--uid=spaced'), ['HOME=/srv/a b%', 'LOGNAME=spaced', 'SHELL=/bin/x y']);
    const { stdout } = await host.machine.run(['env', '-u', 'HOME', 'dynuser-run', ...STATIC, '--uid=homeless', 'env']);
    assert.match(stdout, /^SHELL=\/bin\/sh$/m);
    assert.doesNotMatch(stdout, /^HOME=/m, 'it has no home');
    assert.deepEqual(
      await env('--uid=games', '-p', 'SetLoginEnvironment=no', '-p', 'UnsetEnvironment=HOME SHELL LOGNAME'),
      [],
    );
  });

  it('of a launcher in another root directory are those of its files', async () => {
    const root = '/srv/container';
    await host.machine.sh(`mkdir -p ${root}/etc ${root}/run/dynuser ${root}/usr ${root}/dev ${root}/proc
      mount --bind /usr ${root}/usr; mount --bind /dev ${root}/dev; mount --bind /proc ${root}/proc
      mount --bind /run/dynuser ${root}/run/dynuser
      for link in bin sbin lib lib64; do ln -s usr/$link ${root}/$link; done
      printf 'inside:x:900:games,dyn\\ndisk:x:906:\\n' >${root}/etc/group`);
    const inside = (...argv: readonly string[]) =>
      host.machine.run(['chroot', root, 'dynuser-run', '--isolation=best-effort', ...argv]);
    const output = async (...argv: readonly string[]): Promise<string> => {
      const { status, stdout, stderr } = await inside(...argv);
      assert.equal(status, 0, stderr);
      return stdout.trim();
    };
    const groups = ['sh', '-c', 'sed -n "s/^Groups:\\t//p" /proc/self/status'];
    assert.match(await output('-u', 'dyn', '-p', 'SupplementaryGroups=disk 7', ...groups), /^7 900 906 \d+$/);
    assert.match(await output('-u', 'nobodys', ...groups), /^\d+$/);
    const missing = await inside('-p', 'SupplementaryGroups=adm', 'true');
    assert.match(missing.stderr, /SupplementaryGroups=: group adm does not exist/, 'though the host has it');
    assert.match((await inside(...STATIC, '--uid=games', 'true')).stderr, /only root may acquire it/);
    assert.match(await output('--explain', '-p', 'SupplementaryGroups=disk', 'true'), /supplementary groups: disk/);
    const process = await host.machine.spawn(['dynuser-run', '-u', 'appb', 'sh', '-c', 'id -g; read line']);
    const gid = String(await new Promise(resolve => process.stdout.once('data', resolve))).trim();
    for (const property of ['Group', 'SupplementaryGroups']) {
      const { stderr } = await inside('-p', `${property}=appb`, 'true');
      assert.match(
        stderr,
        new RegExp(`^dynuser-run: ${property}=: the group appb is held by root, and only its owner`),
      );
    }
    assert.match(await output('-p', `Group=${gid}`, 'id', '-g'), new RegExp(`^${gid}$`), 'root may have any number');
    assert.equal(await output('-p', 'Group=disk', 'id', '-g'), '906', 'of its file, and not of the host');
    const { stderr } = await inside('-p', 'Group=adm', 'true');
    assert.match(
      stderr,
      /^dynuser-run: Group=: the group adm is a group of this host, and only root may have a user in it;/,
    );
    process.stdin.end('\n');
    await process.ended;
    await host.machine.sh(`rm ${root}/etc/group`);
    assert.match(await output('-u', 'dyn', ...groups), /^\d+$/, 'a dynamic user needs no file');
    await host.machine.sh(`umount ${root}/usr ${root}/dev ${root}/proc ${root}/run/dynuser`);
    await host.untilNothingIsKept();
  });

  it('leave no IPC object of a static user where RemoveIPC= says so, and all of root', async () => {
    const make = 'ipcmk -Q >/dev/null; touch /dev/shm/made; exec true';
    const left = async (): Promise<string> => {
      await host.untilNothingIsKept();
      return host.machine.output([
        'sh',
        '-c',
        'ipcs -q | grep -c 0x; ls /dev/shm; rm -f /dev/shm/made; ipcrm --all=msg',
      ]);
    };
    await run(...STATIC, '--uid=games', 'sh', '-c', make);
    assert.equal(await left(), '1\nmade', 'by default they stay');
    await run(...STATIC, '--uid=games', '-p', 'RemoveIPC=yes', 'sh', '-c', make);
    assert.equal(await left(), '0');
    await run('--uid=games', 'sh', '-c', make);
    assert.equal(await left(), '0', 'a dynamic launch implies it');
    await run(...STATIC, '-p', 'RemoveIPC=yes', 'sh', '-c', make);
    assert.equal(await left(), '1\nmade', 'root keeps its own');
    const lease = await host.machine.output(['dynuserctl', 'acquire', 'x.service', '--user=games']);
    assert.equal(lease, '5');
    await host.machine.output(['setpriv', '--reuid=5', '--regid=60', '--clear-groups', 'sh', '-c', make]);
    await host.machine.output(['dynuserctl', 'release', 'games']);
    assert.equal(await left(), '1\nmade', 'an account that was only acquired is left alone');
  });
});
