/** A group that several dynamic users share, as an operator sees it: by dynuserctl, by dynuser-run, and by every way to look it up. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { DYNUSER_NSSWITCH, errorOf, Installed, replyOf } from '../../support/installed.ts';
import type { MachineProcess } from '../../support/machine/process.ts';
import { Machine } from '../../support/machine.ts';
import { until } from '../../support/until.ts';

/** Accounts of every host. */
const GAMES = 5;
const NEWS = 9;
const VARLINK = { DYNUSER_NSS_SOURCE: 'varlink' };

describe('a shared group', () => {
  let host: Installed;
  let daemon: MachineProcess;
  before(async () => {
    host = new Installed(await Machine.boot({ init: 'plain', stage: true, nsswitch: DYNUSER_NSSWITCH }));
    await host.machine.write('/etc/dynuser/dynuserd.conf', 'AllowUsers=games news\n');
    daemon = await host.startDaemon();
  });
  afterEach(() => host.machine.run(['dynuserctl', 'release', '--all', '--yes', '*']));
  after(() => host.machine.stop());

  const out = (...argv: readonly string[]): Promise<string> => host.machine.output(argv);
  const outBy = (env: Readonly<Record<string, string>>, ...argv: readonly string[]): Promise<string> =>
    host.machine.output(argv, { env });
  const acquire = async (...argv: readonly string[]) =>
    JSON.parse(await out('dynuserctl', '--json=short', 'acquire', ...argv));
  const explicit = async (unit: string, ...more: readonly string[]) => acquire(unit, '--group=web', ...more);
  const gone = async (name: string) => assert.equal((await host.machine.run(['getent', 'group', name])).status, 2);

  it('has its members in every lookup, and ends with the last of them', async () => {
    const a = await explicit('a.service');
    const b = await explicit('b.service');
    const [{ gid }] = a.groups;
    assert.deepEqual([a.groups, b.groups], [[{ name: 'web', gid, dynamic: true }], a.groups]);
    for (const env of [{}, VARLINK]) {
      assert.equal(await outBy(env, 'getent', 'group', 'web'), `web:x:${gid}:a,b`);
      assert.equal(await outBy(env, 'getent', 'group', String(gid)), `web:x:${gid}:a,b`);
      assert.equal(await outBy(env, 'getent', 'gshadow', 'web'), 'web:!*::a,b');
      assert.match(await outBy(env, 'getent', 'group'), new RegExp(`^web:x:${gid}:a,b$`, 'm'));
      assert.equal(await outBy(env, 'id', 'a'), `uid=${a.uid}(a) gid=${a.uid}(a) groups=${a.uid}(a),${gid}(web)`);
      assert.match(await outBy(env, 'getent', 'initgroups', 'b'), new RegExp(` ${gid}\\b`));
      assert.equal((await outBy(env, 'getent', 'initgroups', 'web')).trim(), 'web');
    }
    const list = await out('dynuserctl', 'list');
    assert.match(list, /MEMBER/);
    assert.match(list, new RegExp(`^ *${gid}  web +a\\.service .* a$`, 'm'));
    const shown = await out('dynuserctl', 'show', 'web');
    assert.match(shown, /^ *Members:? +a b$/m);
    assert.match(await out('dynuserctl', 'show', 'a'), /^ *Groups:? +web$/m);
    assert.match(await out('dynuserctl', 'status'), /^ *Groups:? +1 shared, with 2 members$/m);
    assert.match(await out('dynuserctl', 'explain', 'c.service', '--group=web'), /^ *Group:? +web \(\d+\): join: /m);
    assert.match(await out('dynuserctl', 'metrics'), /^io_dynuser_Memberships 2$|memberships 2$/im);
    const refused = await host.ctl(['release', 'web']);
    assert.deepEqual(
      [refused.status, /web is a group that ends with its members: release a, b/.test(refused.stderr)],
      [1, true],
    );
    await out('dynuserctl', 'release', 'a');
    assert.equal(await out('getent', 'group', 'web'), `web:x:${gid}:b`);
    assert.equal(await out('id', '-G', 'b'), `${b.uid} ${gid}`);
    await out('dynuserctl', 'release', 'b');
    await host.untilNothingIsKept();
    await gone('web');
  });

  it('of many long names is asked of the daemon', async () => {
    const names = Array.from({ length: 140 }, (_, index) => `member-with-a-long-name-${1000 + index}`);
    const results = await host.calls(
      names.map(name => ['io.dynuser.Allocator.Acquire', { unit: name, lifetime: 'explicit', group: 'many' }] as const),
    );
    const leases = results.map(result => String(replyOf(result)['lease']));
    assert.match(await out('getent', 'group', 'many'), new RegExp(`^many:x:\\d+:${names.join()}$`));
    await host.calls(leases.map(lease => ['io.dynuser.Allocator.Release', { lease }] as const));
    await host.untilNothingIsKept();
  });

  it('is given to directories, and has the same GID when it comes again', async () => {
    // Another user has the GID that the name prefers.
    const [preferred] = [Number(await out('dynuserctl', 'acquire', 'web.service'))];
    await out('dynuserctl', 'release', 'web');
    await host.untilNothingIsKept();
    const squat = await host.machine.spawn(['setpriv', `--regid=${preferred}`, '--clear-groups', 'sleep', '100']);
    const first = await explicit('a.service', '--state-directory=shared', '--state-directory-mode=0770');
    const [{ gid }] = first.groups;
    assert.notEqual(gid, preferred);
    const owner = () => out('stat', '-c', '%u:%g', '/var/lib/private/shared');
    assert.equal(await owner(), `${first.uid}:${gid}`);
    await out('dynuserctl', 'release', 'a');
    await host.untilNothingIsKept();
    squat.kill('SIGKILL');
    await squat.ended;
    const again = await explicit('a.service', '--state-directory=shared', '--state-directory-mode=0770');
    assert.deepEqual([again.uid, again.groups[0].gid], [first.uid, gid]);
    assert.equal(again.directories[0].changed, 0);
    await out('dynuserctl', 'release', 'a');
    await host.untilNothingIsKept();
  });

  it('is shared by what dynuser-run starts: by a directory that is the group’s, whose files stay so', async () => {
    const script = 'echo up; read line; cat /srv/shared/*; id -Gn';
    const launch = (unit: string, property: string) =>
      host.machine.spawn(['dynuser-run', '-u', unit, '-p', property, '-p', 'ReadWritePaths=-/srv', 'sh', '-c', script]);
    const one = await launch('one', 'Group=team');
    await new Promise(resolve => one.stdout.once('data', resolve));
    const gid = (await out('getent', 'group', 'team')).split(':')[2];
    assert.equal(await out('getent', 'group', 'team'), `team:x:${gid}:one`);
    await host.machine.sh(`install -d -m 2770 -o root -g team /srv/shared`);
    const other = await launch('other', 'SupplementaryGroups=team');
    await new Promise(resolve => other.stdout.once('data', resolve));
    assert.equal(await out('getent', 'group', 'team'), `team:x:${gid}:one,other`);
    const wrote = 'umask 007; echo from $(id -un) >/srv/shared/$(id -un); stat -c %G /srv/shared/*';
    assert.equal(
      await out('dynuser-run', '-u', 'third', '-p', 'Group=team', '-p', 'ReadWritePaths=/srv', 'sh', '-c', wrote),
      'team',
    );
    one.stdin.end('\n');
    let seen = '';
    one.stdout.on('data', text => {
      seen += String(text);
    });
    await one.ended;
    assert.equal(seen, 'from third\nteam\n');
    assert.equal((await out('getent', 'group', 'team')).split(':')[2], gid, 'the other holds it');
    other.stdin.end('\n');
    await other.ended;
    await host.untilNothingIsKept();
    await gone('team');
    assert.equal(
      await out(
        'dynuser-run',
        '-u',
        'one',
        '-p',
        'Group=team',
        'sh',
        '-c',
        'cat /srv/shared/*; stat -c %G /srv/shared',
      ),
      'from third\nteam',
      'it has its GID again',
    );
    await host.untilNothingIsKept();
  });

  it('outlives the daemon with its members, and what is left half done ends with the next', async () => {
    const a = await explicit('a.service');
    const [{ gid }] = a.groups;
    await out('dynuserctl', 'acquire', 'b.service', '--group=web');
    daemon.kill('SIGKILL');
    await daemon.ended;
    // b's lease was not reached, or is gone; links of nobody.
    await host.machine.sh(
      `cd /run/dynuser; rm leases/$(readlink by-name/b); ln -s x members/61999; ln -s 61999 groups/nobody; ln -sfn '' by-uid/nothing; true`,
    );
    assert.equal(await out('getent', 'group', 'web'), `web:x:${gid}:a,b`, 'the links need no daemon');
    daemon = await host.startDaemon();
    assert.equal(await out('getent', 'group', 'web'), `web:x:${gid}:a`);
    await until('the membership of b has ended', async () => !(await out('dynuserctl', 'list')).includes('b.service'));
    assert.equal(
      await out('sh', '-c', 'ls /run/dynuser/members /run/dynuser/groups | xargs'),
      `/run/dynuser/groups: a /run/dynuser/members: ${gid}`,
    );
    await out('dynuserctl', 'release', 'a');
    await host.untilNothingIsKept();
  });

  it('is joined by nobody but its owner and root', async () => {
    const as = async (uid: number, parameters: Readonly<Record<string, unknown>>) => {
      const asked = { lifetime: 'explicit', ...parameters };
      const [result] = await host.calls([['io.dynuser.Allocator.Acquire', asked]], { uid });
      return result;
    };
    const theirs = replyOf(await as(GAMES, { unit: 'g1', group: 'theirs' }));
    replyOf(await as(GAMES, { unit: 'g2', group: 'theirs' }));
    const refused = errorOf(await as(NEWS, { unit: 'n', group: 'theirs' }));
    assert.match(refused.error, /NotPermitted$/);
    assert.equal(refused.parameters['field'], 'group');
    assert.match(errorOf(await as(NEWS, { unit: 'n', supplementaryGroups: ['disk'] })).error, /NotPermitted$/);
    const root = await acquire('r.service', '--group=theirs', '--supplementary-group=disk');
    assert.deepEqual(root.groups, [...(theirs['groups'] as []), { name: 'disk', gid: 6, dynamic: false }]);
    assert.match(errorOf(await as(GAMES, { unit: 'g3', group: 'theirs' })).error, /NotPermitted$/);
    assert.match(errorOf(await as(NEWS, { unit: 'n', group: 'a b' })).error, /InvalidName$/);
  });
});
