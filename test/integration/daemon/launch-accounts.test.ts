/** User= and Group= as systemd has them: dynamic groups, accounts by number, users without a group of their name, RemoveIPC=. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DYNUSER_NSSWITCH, Installed } from '../../support/installed.ts';
import { Machine } from '../../support/machine.ts';

describe('the user and the group of a launch', () => {
  let host: Installed;
  before(async () => {
    host = new Installed(await Machine.boot({ init: 'plain', stage: true, nsswitch: DYNUSER_NSSWITCH }));
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
    assert.equal(group, `both-g:x:${gid}:`);
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
    assert.deepEqual(await host.traces(), [], 'of the group that was made first');
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
