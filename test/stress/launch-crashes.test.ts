/** A daemon that is killed, held up or replaced while a launcher starts its program. */
// time limit: 120 s
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { type Installed, withInstalled } from '../support/installed.ts';
import { until } from '../support/until.ts';

const FILES = 3_000;
const TREE = '/var/lib/private/big';
const UNIT_FILE = '/etc/asked.service';
/** For strace(1): C libraries differ in which of the two they open a file with. */
const OPEN = '/^open(at)?$';

/** Starts the launcher so that it stops at a system call, and waits until it has. @returns it, and how it continues */
async function stoppedAt(host: Installed, call: string, argv: readonly string[], path?: string) {
  const { machine } = host;
  const strace = ['strace', '-qqq', '-o', '/run/trace', ...(path === undefined ? [] : ['-P', path])];
  const tracer = await machine.spawn([...strace, '-e', `inject=${call}:signal=SIGSTOP:when=1`, 'dynuser-run', ...argv]);
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    tracer[stream].setEncoding('utf8').on('data', (text: string) => {
      output[stream] += text;
    });
  }
  const stopped = async () => /stopped by SIGSTOP/.test((await machine.run(['cat', '/run/trace'])).stdout);
  await until(`dynuser-run makes the call ${call}`, stopped);
  return {
    signal: (name: string) => machine.output(['pkill', `-${name}`, '-x', 'dynuser-run']),
    result: tracer.ended.then(status => ({ status, ...output })),
  };
}

describe('a launcher and a daemon that', () => {
  it('is killed during a handover: nothing is left, and the next start finishes it', async () => {
    await withInstalled({}, async host => {
      const { machine } = host;
      const script = `mkdir -p -m 700 /var/lib/private && mkdir ${TREE} && cd ${TREE} && seq ${FILES} | xargs touch`;
      await machine.sh(script);
      await machine.output(['chown', '-R', '1000:1000', TREE]);
      const daemon = await host.startDaemon();
      // In the helper that it starts: the daemon itself gives no file to anybody.
      const number = await machine.output(['pgrep', '-f', 'dynuserd']);
      const freeze = `inject=fchownat:signal=SIGSTOP:when=${FILES / 4}`;
      await machine.spawn(['strace', '-f', '-qqq', '-o', '/run/frozen', '-e', freeze, '-p', number]);
      const launched = machine.run(['dynuser-run', '-u', 'big', '-p', 'StateDirectory=big', 'echo', 'ran']);
      const frozen = async () => /stopped by SIGSTOP/.test((await machine.run(['cat', '/run/frozen'])).stdout);
      await until('the helper stops in the middle', frozen);
      daemon.kill('SIGKILL');
      await daemon.ended;
      const { status, stdout, stderr } = await launched;
      assert.deepEqual([status, stdout], [125, '']);
      assert.match(stderr, /^dynuser-run: the daemon at \S+ closed the connection before it answered\n$/);
      const left = Number(await machine.sh(`find ${TREE} -user 1000 | wc -l`));
      assert.ok(left > 1 && left < FILES, `${left} files are the old owner's`);
      await host.startDaemon();
      await host.untilNothingIsKept();
      const count = `find . -user "$(id -u)" | wc -l`;
      const again = ['dynuser-run', '-u', 'big', '-p', 'StateDirectory=big', '-p', `WorkingDirectory=${TREE}`];
      assert.equal(await machine.output([...again, 'sh', '-c', count]), String(FILES + 1));
      await host.untilNothingIsKept();
    });
  });

  it('is killed and replaced after its answer: the user stays, and goes with the program', async () => {
    await withInstalled({}, async host => {
      const daemon = await host.startDaemon();
      const launcher = await stoppedAt(host, 'unshare', ['-u', 'kept', 'sh', '-c', 'id -un; id -u']);
      const [before] = JSON.parse((await host.ctl(['list', '--json=short'])).stdout) as { uid: number }[];
      daemon.kill('SIGKILL');
      await daemon.ended;
      await host.startDaemon();
      await launcher.signal('CONT');
      const { status, stdout } = await launcher.result;
      assert.deepEqual([status, stdout], [0, `kept\n${before?.uid}\n`]);
      await host.untilNothingIsKept();
    });
  });

  it('is replaced between a question and its answer: the start is refused, and leaves nothing', async () => {
    await withInstalled({}, async host => {
      await host.machine.write(UNIT_FILE, '[Service]\nDynamicUser=yes\nExecStart=/bin/echo ran\n');
      const daemon = await host.startDaemon();
      const launcher = await stoppedAt(host, OPEN, [`--unit-file=${UNIT_FILE}`], UNIT_FILE);
      daemon.kill('SIGKILL');
      await daemon.ended;
      await host.startDaemon();
      await launcher.signal('CONT');
      const { status, stdout, stderr } = await launcher.result;
      assert.deepEqual([status, stdout], [125, '']);
      assert.match(stderr, /(?:closed the connection before it answered|lost the daemon)/);
      await host.untilNothingIsKept();
    });
  });

  it('is held up until its launcher is gone: the user is not allocated for nobody', async () => {
    await withInstalled({}, async host => {
      // Below a shell: nsenter(1) stops with its own child, and does not go on with it.
      const shell = await host.machine.spawn(['sh', '-c', '/usr/sbin/dynuserd & echo $!; wait']);
      const [number] = (await once(shell.stdout.setEncoding('utf8'), 'data')) as [string];
      await host.untilAnswers();
      const signal = (name: string) => host.machine.output(['kill', `-${name}`, number.trim()]);
      await signal('STOP');
      const launcher = await host.machine.spawn(['dynuser-run', '-u', 'late', '-p', 'StateDirectory=late', 'true']);
      const waits = async () =>
        (await host.machine.run(['sh', '-c', 'cat /proc/$(pgrep -x dynuser-run)/wchan'])).stdout;
      await until('the launcher waits for the answer', async () => /poll/.test(await waits()));
      launcher.kill('SIGKILL');
      await launcher.ended;
      await signal('CONT');
      // It answers after what came before.
      assert.equal((await host.ctl(['list', '--json=short'])).stdout.trim(), '[]');
      await host.untilNothingIsKept();
      assert.equal(
        await host.machine.output(['dynuser-run', '-u', 'late', '-p', 'StateDirectory=late', 'echo', 'ran']),
        'ran',
      );
    });
  });
});
