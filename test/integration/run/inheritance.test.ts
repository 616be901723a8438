/** What a program has from whoever started dynuser-run: its process, streams, terminal, limits and signals, and what it has not. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { LauncherHost } from './fake-daemon.ts';

const STOPS = [19, 20, 21, 22];
/** Prints how a child ends that sends itself each signal: below a prefix, and by itself. */
const SIGNALS = `
import json, subprocess, sys
def ends(prefix):
    numbers = [n for n in range(1, 65) if n not in json.loads(sys.argv[1])]
    return [subprocess.run(prefix + ['sh', '-c', f'kill -{n} $$']).returncode for n in numbers]
print(json.dumps([ends(['dynuser-run', '--']), ends([])]))`;

/** Ignores and blocks all signals, and becomes a command. */
const DEAF = `
import os, signal, sys
for n in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
    signal.signal(n, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
os.execvp(sys.argv[1], sys.argv[1:])`;

/** Closes the streams that its first argument has, and becomes a command. */
const CLOSED = `
import os, sys
for stream in sys.argv[1]:
    os.close(int(stream))
os.execvp(sys.argv[2], sys.argv[2:])`;

/** Writes what the descriptors are into a file, whichever of them there are. */
const DESCRIPTORS = `
import json, os
with open('/tmp/descriptors', 'r+') as out:
    own = str(out.fileno())
    listed = [n for n in os.listdir('/proc/self/fd') if n != own and os.path.lexists('/proc/self/fd/' + n)]
    out.write(json.dumps({n: os.readlink('/proc/self/fd/' + n) for n in sorted(listed)}))
    out.truncate()`;

/** Becomes a command on a terminal that is its controlling one, and prints what that prints. */
const ON_TERMINAL = 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))';

describe('what is inherited through dynuser-run', () => {
  let host: LauncherHost;
  before(async () => {
    host = await LauncherHost.boot();
  });
  after(() => host.stop());

  const python = (script: string, ...argv: readonly string[]) =>
    host.machine.output(['/usr/bin/python3', '-c', script, ...argv]);

  it('a program ends by each signal as it does without the launcher', async () => {
    host.answer = host.planned({});
    const [with_, without] = JSON.parse(await python(SIGNALS, JSON.stringify(STOPS))) as number[][];
    assert.deepEqual(with_, without);
    assert.ok(without?.includes(-15) && without.includes(-64));
  });

  it('no signal is ignored or blocked, even where all were', async () => {
    host.answer = host.planned({});
    const status = await python(DEAF, 'dynuser-run', 'cat', '/proc/self/status');
    const zero = '0000000000000000';
    assert.deepEqual(status.match(/^Sig(?:Blk|Ign|Cgt):.*$/gm), [
      `SigBlk:\t${zero}`,
      `SigIgn:\t${zero}`,
      `SigCgt:\t${zero}`,
    ]);
  });

  it('a launcher that waits for the daemon ends by a signal, though its starter ignores it', async () => {
    const called = new Promise<void>(resolve => {
      host.answer = () => {
        resolve();
        return new Promise<never>(() => undefined);
      };
    });
    const process = await host.machine.spawn(['/usr/bin/python3', '-c', DEAF, 'dynuser-run', 'true']);
    await called;
    process.kill('SIGTERM');
    assert.equal(await process.ended, 128 + 15);
  });

  it('streams that are closed, one, some or all, are /dev/null, and nothing else is open', async () => {
    await host.machine.write('/tmp/descriptors', '', 0o666);
    const python3 = '/usr/bin/python3';
    for (const closed of ['', '0', '1', '2', '01', '02', '12', '012']) {
      host.answer = host.planned({});
      const { status, stdout, stderr } = await host.machine.run(
        [python3, '-c', CLOSED, closed, 'dynuser-run', python3, '-c', DESCRIPTORS],
        { input: 'x' },
      );
      assert.deepEqual([status, stdout, stderr], [0, '', ''], closed);
      const links = JSON.parse(await host.machine.output(['cat', '/tmp/descriptors'])) as Record<string, string>;
      assert.deepEqual(Object.keys(links), ['0', '1', '2'], closed);
      for (const [stream, link] of Object.entries(links)) {
        assert.match(link, closed.includes(stream) ? /^\/dev\/null$/ : /^(?:pipe|socket):/, `${closed}: ${stream}`);
      }
    }
  });

  it('a launcher whose streams are closed says what is wrong to nobody, least of all to the daemon', async () => {
    const before = host.calls.length;
    host.answer = host.planned({ root: '/nowhere' });
    const { status, stderr } = await host.machine.run([
      ...['/usr/bin/python3', '-c', CLOSED, '012', 'dynuser-run', 'true'],
    ]);
    assert.deepEqual([status, stderr], [125, '']);
    assert.equal(host.calls.length, before + 1);
  });

  it('without a terminal there is none, and one stays the controlling terminal', async () => {
    const script = 'tty; set -- $(cut -d ")" -f 2 /proc/$$/stat); echo $((!$5)) $(($6 == $3))';
    host.answer = host.planned({});
    const none = await host.machine.run(['dynuser-run', 'sh', '-c', script]);
    assert.deepEqual(none.stdout.split('\n').slice(0, 2), ['not a tty', '1 0']);
    // Process group in front: the program's own, so that keys send it their signals.
    assert.match(await python(ON_TERMINAL, 'dynuser-run', 'sh', '-c', script), /^\/dev\/pts\/\d+\r?\n0 1/);
  });

  it('limits, niceness and the like stay as they are', async () => {
    host.answer = host.planned({ mountNamespace: true });
    const script = 'ulimit -n; ulimit -Hc; nice; cat /proc/$$/oom_score_adj /proc/$$/coredump_filter';
    const wrapped = ['prlimit', '--nofile=77:99', '--core=0:0', 'nice', '-n', '7', 'choom', '-n', '123', '--'];
    const present = Number(await host.machine.output(['nice']));
    const [plain, launched] = await Promise.all([
      host.machine.output([...wrapped, 'sh', '-c', script]),
      host.machine.output([...wrapped, 'dynuser-run', 'sh', '-c', script]),
    ]);
    assert.equal(launched, plain);
    assert.match(launched, new RegExp(`^77\n0\n${Math.min(present + 7, 19)}\n123\n`));
  });
});
