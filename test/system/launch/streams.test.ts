/** Where a service's standard streams lead: files, passed descriptors, the launcher's own where there is no journal, and the journal. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DYNUSER_NSSWITCH, Installed } from '../../support/installed.ts';
import type { RunOptions } from '../../support/machine/process.ts';
import { Machine } from '../../support/machine.ts';
import { until } from '../../support/until.ts';

const LAUNCH = ['dynuser-run', '-u', 'speaker'];
const SPEAK = ['sh', '-c', 'echo said; echo complained >&2'];

/** Executes its arguments with two descriptors passed as sd_listen_fds(3) has it: a file to read, and one to write. */
const PASS = `import os, sys
os.dup2(os.open("/srv/in", os.O_RDONLY), 3); os.dup2(os.open("/srv/out", os.O_WRONLY | os.O_CREAT), 4)
os.set_inheritable(3, True); os.set_inheritable(4, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="2", LISTEN_FDNAMES="first:second")
os.execvp(sys.argv[1], sys.argv[1:])`;

describe('the streams of a service without a journal', () => {
  let machine: Machine;
  before(async () => {
    machine = await Machine.boot({ init: 'plain', stage: true, varLib: 'disk', nsswitch: DYNUSER_NSSWITCH });
    await new Installed(machine).startDaemon();
  });
  after(() => machine.stop());

  const launch = (properties: readonly string[], argv: readonly string[] = SPEAK, options: RunOptions = {}) =>
    machine.run([...LAUNCH, ...properties.map(property => `-p${property}`), '--', ...argv], options);

  it("are the launcher's own where the journal is asked for", async () => {
    for (const target of ['journal', 'kmsg+console']) {
      const { stdout, stderr } = await launch([`StandardOutput=${target}`]);
      assert.deepEqual([stdout, stderr], ['said\n', 'complained\n'], target);
    }
  });

  it('are files of root, which a later command empties, and which the service cannot open itself', async () => {
    const unit = ['[Service]', 'DynamicUser=yes', 'StandardOutput=truncate:/srv/log', 'UMask=0077'];
    const commands = ['ExecStartPre=echo before', `ExecStart=sh -c 'echo said; echo complained >&2; cat /srv/log'`];
    await machine.write('/etc/speaker.service', [...unit, ...commands, ''].join('\n'));
    const { stdout, stderr } = await machine.run(['dynuser-run', '--unit-file=/etc/speaker.service']);
    assert.deepEqual([stdout, stderr], ['', '']);
    const log = await machine.sh('cat /srv/log; stat -c "%a %U" /srv/log');
    assert.equal(log, 'said\ncomplained\ncat: /srv/log: Permission denied\n600 root');
  });

  it('grow at their end, in a directory of the service', async () => {
    const properties = ['LogsDirectory=speaker', 'StandardOutput=append:/var/log/speaker/log'];
    await launch(properties);
    await launch(properties);
    assert.equal(await machine.sh('cat /var/log/speaker/log'), 'said\ncomplained\nsaid\ncomplained');
  });

  it('follow no symlink that the service made, at the end of the path or on the way', async () => {
    await machine.sh('echo intact >/srv/victim; mkdir -p /srv/safe');
    const planted = 'cd $STATE_DIRECTORY; ln -s /srv/victim log; ln -s /srv/safe directory; ln -s log again';
    await launch(['StateDirectory=speaker'], ['sh', '-c', planted]);
    for (const [path, link] of [
      ['log', 'log'],
      ['again', 'again'],
      ['directory/log', 'directory'],
    ]) {
      const where = `/var/lib/speaker/${path}`;
      const { status, stderr } = await launch(['StateDirectory=speaker', `StandardError=truncate:${where}`]);
      assert.equal(status, 125);
      assert.match(stderr, new RegExp(`^dynuser-run: StandardError=: ${where} leads through the symlink "${link}"`));
    }
    assert.equal(await machine.sh('cat /srv/victim; ls /srv/safe'), 'intact');
    // Those of root are followed, as the service's own public link is.
    await machine.sh('ln -s /srv/victim /srv/link');
    await launch(['StandardOutput=append:/srv/link']);
    assert.equal(await machine.sh('cat /srv/victim'), 'intact\nsaid\ncomplained');
  });

  it('leave the messages of the launcher where its own standard error leads', async () => {
    const { status, stdout, stderr } = await launch(['StandardOutput=null', 'StandardError=null'], ['no-such-program']);
    assert.deepEqual([status, stdout], [127, '']);
    assert.match(stderr, /^dynuser-run: cannot find the program no-such-program/);
  });

  it('are passed descriptors by name, and the one socket that is passed', async () => {
    await machine.write('/usr/local/lib/pass.py', PASS);
    await machine.sh('echo passed >/srv/in');
    const pass = ['python3', '/usr/local/lib/pass.py', ...LAUNCH];
    const named = ['-pStandardInput=fd:first', '-pStandardOutput=fd:second', '--', 'sh', '-c', 'cat; echo $LISTEN_FDS'];
    await machine.output([...pass, ...named]);
    assert.equal(await machine.sh('cat /srv/out'), 'passed\n2');
    const unnamed = await machine.run([...pass, '-pStandardInput=fd:third', '--', 'cat']);
    assert.match(unnamed.stderr, /StandardInput=fd:third: no descriptor of that name was passed/);
    const two = await machine.run([...pass, '-pStandardInput=socket', '--', 'cat']);
    assert.match(two.stderr, /StandardInput=socket: 2 sockets were passed/);
    const none = await machine.run(['sh', '-c', `${LAUNCH.join(' ')} -pStandardInput=socket cat </dev/null`]);
    assert.match(none.stderr, /StandardInput=socket: no socket was passed/);
  });
});

describe('the streams of a service with a journal', () => {
  let machine: Machine;
  before(async () => {
    machine = await Machine.boot({ init: 'systemd', stage: true, nsswitch: DYNUSER_NSSWITCH });
    await machine.output(['systemctl', 'start', 'dynuserd.socket']);
  });
  after(() => machine.stop());

  it('are lines in it, under the user, with identifier, facility and level', async () => {
    const properties = [
      'StandardOutput=journal',
      'SyslogIdentifier=speech',
      'SyslogFacility=local3',
      'SyslogLevel=notice',
    ];
    const script =
      'echo said; echo "<3>complained" >&2; id -u >/run/speaker/uid; readlink /proc/self/fd/1 /proc/self/fd/2';
    const argv = [...properties, 'RuntimeDirectory=speaker', 'RuntimeDirectoryPreserve=yes'].map(text => `-p${text}`);
    const { status, stdout, stderr } = await machine.run([...LAUNCH, ...argv, '--', 'sh', '-c', script]);
    assert.deepEqual([status, stdout, stderr], [0, '', '']);
    const uid = await machine.sh('cat /run/speaker/uid');
    const read = async (): Promise<Record<string, string>[]> => {
      const text = await machine.output(['journalctl', '-t', 'speech', '-o', 'json', '--no-pager', '-q']);
      return text === '' ? [] : text.split('\n').map(line => JSON.parse(line));
    };
    await until(
      () => 'the journal has the lines',
      async () => (await read()).length >= 4,
    );
    const lines = (await read()).map(({ MESSAGE, PRIORITY, SYSLOG_FACILITY, _UID, _TRANSPORT }) =>
      [MESSAGE, PRIORITY, SYSLOG_FACILITY, _UID === uid ? 'user' : _UID, _TRANSPORT].join(' '),
    );
    const [one = '', two = ''] = lines.slice(2).map(line => line.split(' ')[0]);
    assert.deepEqual(lines.slice(0, 2), ['said 5 19 user stdout', 'complained 3 19 user stdout']);
    assert.match(one, /^socket:/);
    assert.equal(one, two);
  });
});
