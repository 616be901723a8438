/** Daemons that are not there, refuse, hang, talk nonsense or without end, or die on the way: one sentence, status 125, nothing left. */
import assert from 'node:assert/strict';
import { createServer, type Server, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { VarlinkError } from '../../../src/varlink/errors.ts';
import type { RunResult } from '../../support/machine/process.ts';
import { LauncherHost, plan, SOCKET } from './fake-daemon.ts';

const OTHER = '/run/other';
const OTHER_SOCKET = `${OTHER}/io.dynuser.DynamicUser`;

describe('dynuser-run and a daemon in trouble', () => {
  let host: LauncherHost;
  before(async () => {
    host = await LauncherHost.boot();
    await host.machine.output(['mkdir', '-p', OTHER]);
  });
  after(() => host.stop());

  /** Runs the launcher against a server that does this with each connection. */
  const against = async (serve: (socket: Socket) => void, argv: readonly string[] = ['true']): Promise<RunResult> => {
    const sockets = new Set<Socket>();
    const server: Server = createServer(socket => {
      sockets.add(socket.on('error', () => undefined));
      serve(socket);
    });
    await new Promise<void>(resolve => server.listen(host.machine.path(OTHER_SOCKET), resolve));
    try {
      const options = { env: { DYNUSER_RUNTIME_DIRECTORY: OTHER }, timeoutMs: 60_000 };
      return await host.launch(argv, options);
    } finally {
      for (const socket of sockets) {
        socket.destroy();
      }
      await new Promise(resolve => server.close(resolve));
    }
  };
  const fails = (result: RunResult, words: RegExp): void => {
    assert.deepEqual([result.status, result.stdout], [125, '']);
    assert.match(result.stderr, words);
    assert.equal(result.stderr.match(/\n/g)?.length, 1, 'one sentence');
    assert.match(result.stderr, /^dynuser-run: /);
  };
  const reply = (value: unknown): string => `${JSON.stringify(value)}\0`;

  it('says how to start one that is down', async () => {
    const nobody = await host.launch(['true'], { env: { DYNUSER_RUNTIME_DIRECTORY: '/run/nowhere' } });
    fails(
      nobody,
      /the daemon is not running \(nobody listens at \/run\/nowhere\/io\.dynuser\.DynamicUser\); start it with 'systemctl start dynuserd'/,
    );
    const script =
      "require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))";
    await host.machine.run([process.execPath, '-e', script, OTHER_SOCKET]);
    fails(await host.launch(['true'], { env: { DYNUSER_RUNTIME_DIRECTORY: OTHER } }), /the daemon is not running/);
    await host.machine.output(['rm', OTHER_SOCKET]);
  });

  it('says what is wrong with its options where there is no daemon, too', async () => {
    const script = 'exec dynuser-run -p "$(printf "A=\\351")" true';
    const options = { env: { DYNUSER_RUNTIME_DIRECTORY: '/run/nowhere' } };
    fails(await host.machine.run(['sh', '-c', script], options), /--property: 'A=.*' is not UTF-8/);
    fails(await host.launch(['--no-such-option'], options), /--no-such-option/);
    assert.equal((await host.launch(['--version'], options)).status, 0);
  });

  it('says what the daemon refused, and why', async () => {
    host.answer = () => {
      throw new VarlinkError('io.dynuser.Allocator.LaunchFailed', { field: 'StateDirectory', reason: 'it is\nodd' });
    };
    fails(await host.launch(['true']), /^dynuser-run: StateDirectory=: it is\?odd$/m);
    const old = await against(socket =>
      socket.on('data', () => socket.write(reply({ error: 'org.varlink.service.MethodNotFound' }))),
    );
    fails(old, /is too old to launch programs/);
    const older = { error: 'org.varlink.service.InvalidParameter', parameters: { parameter: 'newOption' } };
    fails(
      await against(socket => socket.on('data', () => socket.write(reply(older)))),
      /does not take the parameter 'newOption'; install dynuserd and dynuser-run of the same version, and restart the daemon/,
    );
    const other = await against(socket =>
      socket.on('data', () => socket.write(reply({ error: 'a.B', parameters: { field: 7 } }))),
    );
    fails(other, /answered with the error a\.B/);
  });

  it('is done with one that dies: at once, after the call, within an answer, after progress, after a question', async () => {
    const progress = reply({ parameters: { progress: { publicPath: '/a', inodes: 1, changed: 0 } }, continues: true });
    const question = reply({ parameters: { questions: [{ kind: 'file', path: '/etc/hostname' }] } });
    fails(await against(socket => socket.destroy()), /closed the connection before it answered|lost the daemon/);
    for (const before of ['', '{"parameters":{"plan":', progress, `${progress}${progress}{`]) {
      const result = await against(socket => socket.once('data', () => socket.end(before)));
      fails(result, /closed the connection before it answered/);
    }
    const asked = await against(socket =>
      socket.once('data', () => {
        socket.write(question);
        socket.once('data', () => socket.destroy());
      }),
    );
    fails(asked, /closed the connection before it answered/);
  });

  it('does not understand what is not an answer', async () => {
    const whole = plan();
    const cases: readonly unknown[] = [
      '',
      [],
      { parameters: { plan: { ...whole, uid: -1 } } },
      { parameters: { plan: { ...whole, newRestriction: true } } },
      { parameters: { plan: { ...whole, noNewPrivileges: undefined } } },
      { parameters: { plan: { ...whole, mountOps: [{ do: 'erase', path: '/' }] } } },
      { parameters: { questions: [{ kind: 'socket', path: '/x' }] } },
    ];
    for (const value of cases) {
      fails(
        await against(socket => socket.on('data', () => socket.write(reply(value)))),
        /cannot understand the daemon at .+ \(.+\)/,
      );
    }
    fails(
      await against(socket => socket.on('data', () => socket.write('}\0'))),
      /cannot understand the daemon at .+ \(invalid JSON\)/,
    );
    fails(await against(socket => socket.on('data', () => socket.write(reply({ parameters: {} })))), /without a plan/);
    const none = await against(
      socket => socket.on('data', () => socket.write(reply({ parameters: {} }))),
      ['--explain'],
    );
    fails(none, /without an explanation/);
  });

  it('stops listening to one that talks without end, or asks without end', async () => {
    const flood = 'x'.repeat(1024 * 1024);
    const endless = await against(socket => {
      const more = (): void => {
        while (!socket.destroyed && socket.write(flood));
      };
      socket.on('drain', more).once('data', more);
    });
    fails(endless, /sent a reply that is too long/);
    const asking = await against(socket =>
      socket.on('data', () => socket.write(reply({ parameters: { questions: [{ kind: 'file', path: '/none' }] } }))),
    );
    fails(asking, /still asks questions after 16 rounds/);
  });

  it('is told on a terminal how far its directories are, in a line that is gone in the end', async () => {
    host.answer = async (_, call) => {
      call.send({ progress: { publicPath: '/var/lib/a\u001b[2J', inodes: 1_200, changed: 17 } });
      await sleep(100);
      return { plan: plan() };
    };
    const command = 'stty cols 50; TERM=xterm dynuser-run -- echo ended; dynuser-run -- true >log 2>&1; wc -c <log';
    const { stdout } = await host.machine.run(['script', '--quiet', '--command', command, '/dev/null']);
    const line = '\r\u001b[K/var/lib/a?[2J: 1200 inodes inspected, 17 changed'.slice(0, 4 + 49);
    assert.equal(stdout, `${line}\r\u001b[Kended\r\n0\r\n`);
  });

  it('waits for one that is slow as long as it tells of progress, and no longer than it may for one that is silent', async () => {
    const slow = await against(socket =>
      socket.once('data', () => {
        socket.write(reply({ parameters: { progress: { publicPath: '/a', inodes: 1, changed: 0 } }, continues: true }));
        setTimeout(() => socket.write(reply({ parameters: { plan: plan() } })), 500);
      }),
    );
    assert.deepEqual([slow.status, slow.stderr], [0, '']);
    fails(await against(() => undefined), /has been silent for 30 seconds/);
  });

  it('answers nobody who asks for what cannot be read, and says so', async () => {
    await host.machine.sh('printf "caf\\351" >/etc/latin');
    host.answer = () => ({ questions: [{ kind: 'file', path: '/etc/latin' }] });
    fails(await host.launch(['true']), /\/etc\/latin, or a name in it, is not UTF-8/);
  });

  it('sends nothing that is not UTF-8', async () => {
    const calls = host.calls.length;
    const script = 'exec dynuser-run -p "$(printf "A=\\351")" true';
    fails(await host.machine.run(['sh', '-c', script]), /--property: 'A=.*' is not UTF-8/);
    assert.equal(host.calls.length, calls);
  });

  it('leaves nothing running', async () => {
    await host.untilNothingRuns();
    assert.equal((await host.machine.run(['pgrep', '-x', 'dynuser-run'])).status, 1);
    assert.equal((await host.machine.run(['test', '-S', SOCKET])).status, 0);
  });
});
