/** Launches through the installed daemon, launcher and NSS module: who the program is, and what stays of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorOf, withInstalled } from '../../support/installed.ts';

const LAUNCH = 'io.dynuser.Allocator.Launch';

test('a program is the user of its unit, resolvable, in the groups that name it, and its UID is free when it ends', async () => {
  await withInstalled({}, async host => {
    await host.startDaemon();
    await host.machine.sh('echo media:x:777:somebody,grouped >>/etc/group');
    const run = (...argv: string[]) => host.machine.output(['dynuser-run', '-u', 'grouped', ...argv]);
    const uid = Number(await run('id', '-u'));
    assert.ok(uid >= 61184 && uid <= 65519);
    assert.equal(await run('id', '-nu'), 'grouped');
    assert.equal(await run('id', '-G'), `${uid} 777`);
    assert.equal(await run('-p', 'SupplementaryGroups=games media', 'id', '-Gn'), 'grouped games media');
    assert.equal(await run('-p', 'Group=games', 'id'), `uid=${uid}(grouped) gid=60(games) groups=60(games),777(media)`);
    await host.untilNothingIsKept();
  });
});

test('the next command of a shell finds nobody of the name any more, by the links and by the socket', async () => {
  await withInstalled({}, async host => {
    await host.startDaemon();
    const script = `
      i=0; while [ $i -lt 40 ]; do i=$((i + 1))
        uid=$(dynuser-run -u "over$i" -- id -u)
        getent passwd "over$i" && echo "by name: $i"
        dynuser-run -u "ended$i" -- true
        DYNUSER_NSS_SOURCE=varlink getent group "ended$i" && echo "by the socket: $i"
        dynuser-run -u "last$i" -- id -u >/tmp/uid; read -r uid </tmp/uid
        getent passwd "$uid" && echo "by number: $i"
      done; echo done`;
    assert.equal(await host.machine.sh(script), 'done');
  });
});

test('static users and root run as what they are, without a lease that touches them', async () => {
  await withInstalled({}, async host => {
    await host.startDaemon();
    const run = (...argv: string[]) => host.machine.output(['dynuser-run', '-p', 'DynamicUser=no', ...argv]);
    assert.equal(await run('id'), 'uid=0(root) gid=0(root) groups=0(root)');
    const script = 'id -nu; echo $HOME; echo $USER; touch $CACHE_DIRECTORY/mark; stat -c "%U %G %a" $CACHE_DIRECTORY';
    const said = await run('-p', 'User=games', '-p', 'CacheDirectory=toys', 'sh', '-c', script);
    assert.equal(said, 'games\n/usr/games\ngames\ngames games 755');
    const refused = await host.machine.run(['dynuser-run', '-p', 'DynamicUser=no', '-p', 'User=nobody-knows', 'true']);
    assert.equal(refused.status, 125);
    assert.match(refused.stderr, /user nobody-knows does not exist/);
    await host.untilNothingIsKept();
  });
});

test('who may not launch, and what cannot be launched, leaves nothing', async () => {
  await withInstalled({ config: 'AllowUsers=1000\n' }, async host => {
    await host.startDaemon();
    const foreign = errorOf((await host.calls([[LAUNCH, { mayMount: true }]], { uid: 1000 }))[0]);
    assert.equal(foreign.error, 'io.dynuser.Allocator.NotPermitted');
    const parameters = { mayMount: true, properties: ['DynamicUser=no', 'Group=nobody-knows'], unit: 'a.service' };
    const group = errorOf((await host.calls([[LAUNCH, parameters]]))[0]);
    assert.equal(group.error, 'io.dynuser.Allocator.NameConflict');
    assert.equal(group.parameters['field'], 'Group');
    await host.untilNothingIsKept();
  });
});
