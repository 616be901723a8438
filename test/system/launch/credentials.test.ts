/** Credentials: the service alone comes to them, nothing of them stays however a service ends, and what cannot be read is an error. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DYNUSER_NSSWITCH, Installed } from '../../support/installed.ts';
import { firstOutput, type RunOptions } from '../../support/machine/process.ts';
import { Machine } from '../../support/machine.ts';
import { until } from '../../support/until.ts';

const LAUNCH = ['dynuser-run', '-u', 'keeper'];
/** Answers each connection with the name that it comes from, whose first part is random. */
const SERVER = `import socket
server = socket.socket(socket.AF_UNIX); server.bind("/run/secrets"); server.listen(); print("ready", flush=True)
while True:
    connection, peer = server.accept()
    connection.sendall(b"for /" + peer.split(b"/", 1)[1]); connection.close()`;

describe('the credentials of a service', () => {
  let machine: Machine;
  before(async () => {
    machine = await Machine.boot({ init: 'plain', stage: true, nsswitch: DYNUSER_NSSWITCH });
    await new Installed(machine).startDaemon();
    await machine.sh(
      'echo secret >/srv/secret; chmod 600 /srv/secret; mkfifo /srv/fifo; mkdir -p /srv/root/usr /srv/root/tmp',
    );
  });
  after(() => machine.stop());

  const launch = (properties: readonly string[], argv: readonly string[], options: RunOptions = {}) =>
    machine.run([...LAUNCH, ...properties.map(property => `-p${property}`), '--', ...argv], options);
  const shell = async (properties: readonly string[], script: string, options: RunOptions = {}): Promise<string> => {
    const { status, stdout, stderr } = await launch(properties, ['sh', '-c', script], options);
    assert.deepEqual([status, stderr], [0, '']);
    return stdout;
  };
  const fails = async (properties: readonly string[], words: RegExp): Promise<void> => {
    const { status, stdout, stderr } = await launch(properties, ['echo', 'started']);
    assert.deepEqual([status, stdout], [125, '']);
    assert.match(stderr, words);
  };

  it('are its own: neither the host nor another service sees them, and a kill leaves nothing', async () => {
    const script = 'echo $(cat $CREDENTIALS_DIRECTORY/key) $$; exec sleep 1000';
    const service = await machine.spawn([...LAUNCH, '-pLoadCredential=key:/srv/secret', '--', 'sh', '-c', script]);
    const [secret, pid = ''] = (await firstOutput(service)).trim().split(' ');
    assert.equal(secret, 'secret');
    assert.equal(await machine.sh('ls -A /run/credentials; grep credentials /proc/mounts; true'), '');
    const look = 'ls /run/credentials; ls /run/credentials/keeper.service; grep -c keeper.service /proc/mounts; true';
    const other = await machine.run(['dynuser-run', '-u', 'other', '-pSetCredential=a:b', '--', 'sh', '-c', look]);
    assert.equal(other.stdout, 'other.service\n0\n');
    assert.match(other.stderr, /keeper\.service.*No such file/);
    const none = await machine.run(['dynuser-run', '-u', 'other', 'ls', '/run/credentials']);
    assert.match(none.stderr, /Permission denied/);
    await machine.output(['kill', '-9', pid]);
    await until('the service has ended', async () => (await machine.run(['test', '-e', `/proc/${pid}`])).status !== 0);
    assert.equal(await machine.sh('ls -A /run/credentials; grep credentials /proc/mounts; true'), '');
  });

  it('cannot be changed, neither by the user nor by root in the service', async () => {
    const script = 'cd $CREDENTIALS_DIRECTORY; for name in x key; do (echo >$name) 2>&1; done; ls -A; cat key';
    const reason = 'Read-only file system';
    const said = `sh: 1: cannot create x: ${reason}\nsh: 1: cannot create key: ${reason}\nkey\nsecret\n`;
    assert.equal(await shell(['LoadCredential=key:/srv/secret'], script), said);
    assert.equal(await shell(['DynamicUser=no', 'LoadCredential=key:/srv/secret'], script), said);
  });

  it('are there for each command, in a root directory, and under /run that is another', async () => {
    const unit = ['[Service]', 'LoadCredential=key:/srv/secret', 'DynamicUser=yes'];
    const commands = ['ExecStartPre=cat %d/key', 'ExecStartPre=!cat %d/key', 'ExecStart=cat %d/key'];
    await machine.write('/etc/keeper.service', [...unit, ...commands, ''].join('\n'));
    assert.equal(await machine.output(['dynuser-run', '--unit-file=/etc/keeper.service']), 'secret\nsecret\nsecret');
    const root = [
      'RootDirectory=/srv/root',
      'BindReadOnlyPaths=/usr -/bin -/lib -/lib64',
      'LoadCredential=key:/srv/secret',
    ];
    assert.equal(await shell(root, 'cat $CREDENTIALS_DIRECTORY/key'), 'secret\n');
    assert.equal(await shell(['TemporaryFileSystem=/run', 'SetCredential=a:b'], 'cat $CREDENTIALS_DIRECTORY/a'), 'b');
  });

  it('come from sockets, which are told the unit and the name', async () => {
    await machine.write('/usr/local/lib/server.py', SERVER);
    const server = await machine.spawn(['python3', '/usr/local/lib/server.py']);
    assert.equal((await firstOutput(server)).trim(), 'ready');
    assert.equal(
      await shell(['LoadCredential=key:/run/secrets'], 'cat $CREDENTIALS_DIRECTORY/key'),
      'for /unit/keeper.service/key',
    );
    server.kill('SIGKILL');
  });

  it("come from the launcher's own directory before the stores; a service without any has none of the launcher's", async () => {
    await machine.sh('mkdir -p /srv/own /etc/credstore; echo own >/srv/own/key; echo stored >/etc/credstore/key');
    const env = { CREDENTIALS_DIRECTORY: '/srv/own' };
    assert.equal(await shell(['LoadCredential=key'], 'cat $CREDENTIALS_DIRECTORY/key', { env }), 'own\n');
    assert.equal(await shell(['ImportCredential=k*'], 'cat $CREDENTIALS_DIRECTORY/key'), 'stored\n');
    assert.equal(await shell([], 'echo "$CREDENTIALS_DIRECTORY"', { env }), '\n');
  });

  it('that cannot be read, or are too long, are errors', async () => {
    await fails(['LoadCredential=key:/srv/missing'], /LoadCredential=: cannot read \/srv\/missing: No such file/);
    await fails(['LoadCredential=key:/srv/fifo'], /is a pipe/);
    await machine.sh('head -c 1048577 /dev/zero >/srv/long; head -c 700000 /dev/zero >/srv/half');
    await fails(['LoadCredential=key:/srv/long'], /longer than 1048576 bytes/);
    await fails(['LoadCredential=a:/srv/half', 'LoadCredential=b:/srv/half'], /more than 1048576 bytes, up to b/);
    await shell(
      ['LoadCredential=a:/srv/half', 'SetCredential=b:c'],
      'test $(cat $CREDENTIALS_DIRECTORY/* | wc -c) = 700001',
    );
  });

  it('are not read through a symlink that a service made', async () => {
    await launch(['StateDirectory=keeper'], ['sh', '-c', 'ln -s /srv/secret $STATE_DIRECTORY/key']);
    await fails(['LoadCredential=key:/var/lib/keeper/key'], /leads through the symlink "key", which is not root's/);
    const tree = ['StateDirectory=keeper', 'LoadCredential=tree:/var/lib/keeper/'];
    assert.equal(await shell(tree, 'ls -A $CREDENTIALS_DIRECTORY'), '');
  });

  it('are decrypted by systemd-creds, and refused without it', async () => {
    await machine.sh('systemd-creds --with-key=host --name=key encrypt /srv/secret /srv/encrypted');
    const text = (await machine.sh('cat /srv/encrypted')).replaceAll('\n', '');
    const load = 'LoadCredentialEncrypted=key:/srv/encrypted';
    for (const property of [load, `SetCredentialEncrypted=key:${text}`]) {
      assert.equal(await shell([property], 'cat $CREDENTIALS_DIRECTORY/key'), 'secret\n', property);
    }
    await machine.sh('mkdir -p /etc/credstore.encrypted; cp /srv/encrypted /etc/credstore.encrypted/key.bad');
    await machine.sh('cp /srv/encrypted /etc/credstore.encrypted/key; rm /etc/credstore/key');
    const imported = await launch(['ImportCredential=key*'], ['sh', '-c', 'cd $CREDENTIALS_DIRECTORY; ls; cat key']);
    assert.equal(imported.stdout, 'key\nsecret\n');
    assert.match(imported.stderr, /dynuser-run: the credential key\.bad cannot be decrypted, and is left out/);
    await fails(['LoadCredentialEncrypted=other:/srv/encrypted'], /the credential other cannot be decrypted/);
    await machine.sh('mv /usr/bin/systemd-creds /usr/bin/gone');
    await fails([load], /that takes systemd-creds, which is not installed/);
  });

  it('are not given up where no mounts can be made', async () => {
    const without = [
      'setpriv',
      '--bounding-set=-sys_admin',
      ...LAUNCH,
      '--isolation=best-effort',
      '-pSetCredential=a:b',
    ];
    const { status, stderr } = await machine.run([...without, 'true']);
    assert.equal(status, 125);
    assert.match(
      stderr,
      /SetCredential=: cannot mount: .*without SetCredential= the service would not be what it is meant to be/,
    );
  });
});
