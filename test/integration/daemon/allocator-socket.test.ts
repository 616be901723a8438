/** The socket of those who may acquire: the kernel lets nobody else connect, and programs prefer it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Installed, withInstalled } from '../../support/installed.ts';
import { until } from '../../support/until.ts';

const ALLOCATOR = '/run/dynuser/io.dynuser.Allocator';
const EVERYBODY = '/run/dynuser/io.dynuser.DynamicUser';

const ALLOWED_USER = 2001;
const ALLOWED_GROUP = 3001;
const STRANGER = 2002;

/** connect(2) by a user and the group of the same number. @returns what came of it, and the errno if it failed */
async function connectAs(host: Installed, uid: number, path: string): Promise<string> {
  const program = `require('net').connect(process.argv[1]).on('connect', function () { console.log('connected'); this.destroy(); })
    .on('error', error => console.log(error.code));`;
  return host.machine.output([process.execPath, '-e', program, path], { uid });
}

const untilConnects = (host: Installed, uid: number): Promise<void> =>
  until(`the user ${uid} can connect`, async () => (await connectAs(host, uid, ALLOCATOR)) === 'connected');

test('nobody can connect to it but root, and those who may acquire', async () => {
  await withInstalled({ config: `AllowUsers=${ALLOWED_USER}\nAllowGroups=${ALLOWED_GROUP}\n` }, async host => {
    const daemon = await host.startDaemon();
    await untilConnects(host, ALLOWED_USER);
    await untilConnects(host, ALLOWED_GROUP);
    assert.equal(await connectAs(host, 0, ALLOCATOR), 'connected');
    assert.equal(await connectAs(host, STRANGER, ALLOCATOR), 'EACCES');
    assert.equal(await connectAs(host, STRANGER, EVERYBODY), 'connected');

    // All programs find the one that is open to them, and acquire over it, or are told that they may not.
    const acquire = (uid: number) => host.ctl(['acquire', '--lifetime=explicit', `u${uid}.service`], { uid });
    assert.equal((await acquire(ALLOWED_USER)).status, 0);
    assert.equal((await acquire(ALLOWED_GROUP)).status, 0);
    assert.match((await acquire(STRANGER)).stderr, /may not/);
    assert.equal((await host.ctl(['list'], { uid: STRANGER })).status, 0);

    // What a configuration no longer says does not stay, over a reload or a restart.
    await host.machine.write('/etc/dynuser/dynuserd.conf', `AllowUsers=${STRANGER}\n`);
    daemon.kill('SIGHUP');
    await untilConnects(host, STRANGER);
    assert.equal(await connectAs(host, ALLOWED_USER, ALLOCATOR), 'EACCES');
    daemon.kill('SIGTERM');
    await daemon.ended;
    await host.machine.write('/etc/dynuser/dynuserd.conf', '');
    await host.startDaemon();
    assert.equal(await connectAs(host, STRANGER, ALLOCATOR), 'EACCES');
    assert.equal(await host.machine.output(['stat', '-c', '%a', ALLOCATOR]), '600');
  });
});

test('dynuserctl, dynuser-run and the package prefer it, and go to the socket of everybody without it', async () => {
  await withInstalled({}, async host => {
    const { machine } = host;
    await host.startDaemon();
    const uses = async (): Promise<void> => {
      assert.equal((await host.ctl(['status'])).status, 0);
      assert.equal(await machine.output(['dynuser-run', 'echo', 'run']), 'run');
      assert.equal(await host.program('client-list'), '[]');
    };
    await uses();
    await machine.output(['mv', EVERYBODY, `${EVERYBODY}.away`]);
    await uses();
    await machine.output(['mv', `${EVERYBODY}.away`, EVERYBODY]);
    await machine.output(['mv', ALLOCATOR, `${ALLOCATOR}.away`]);
    await uses();
    // A socket on which nobody listens: of a daemon that was killed, before one that knows of no such socket.
    const stale = `require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
    await machine.run([process.execPath, '-e', stale, ALLOCATOR]);
    assert.equal(await connectAs(host, 0, ALLOCATOR), 'ECONNREFUSED');
    await uses();
    await machine.output(['mv', EVERYBODY, `${EVERYBODY}.away`]);
    const alone = await machine.run(['dynuser-run', 'true']);
    assert.equal(alone.status, 125);
    assert.match(
      alone.stderr,
      /the daemon is not running \(nobody listens at \/run\/dynuser\/io\.dynuser\.DynamicUser\)/,
    );
  });
});
