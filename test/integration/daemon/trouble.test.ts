/** What a host may lack when the daemon starts, or while it runs: each is one sentence that says what to do, and no stack trace. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { CHECKOUT } from '../../../src/tooling/checkout.ts';
import { type Installed, withInstalled } from '../../support/installed.ts';
import { SOCKET } from '../../support/programs/daemon-process.ts';

/** Starts the daemon behind a shell's preparation, which must not come up. */
async function refusal(host: Installed, prepare: string, argv: readonly string[] = []): Promise<string> {
  const script = `${prepare}; shift; exec dynuserd "$@"`;
  const { status, stdout, stderr } = await host.machine.run(['unshare', '-m', 'sh', '-ec', script, 'sh', '-', ...argv]);
  assert.equal(stdout, '');
  assert.equal(status, 1, stderr);
  const lines = stderr.trim().split('\n');
  assert.equal(lines.length, 1, stderr);
  assert.match(stderr, /^dynuserd: [^;]+: .+; .+\n$/);
  return stderr;
}

/** Connections that a daemon with few descriptors has on each socket. */
const CONNECTIONS_LEAST = 64;
const LIMIT = (count: number) => `ulimit -n ${count}`;
/** Root of a container, who may not raise the hard limit. */
const BOUND = ['setpriv', '--bounding-set', '-sys_resource'];

describe('a daemon that cannot start', () => {
  it('says why, and what to do', async () => {
    await withInstalled({}, async host => {
      const { machine } = host;
      assert.match(
        await refusal(host, 'true', ['--config=/etc/none.conf']),
        /none\.conf: it does not exist; create it/,
      );
      await machine.write('/etc/dynuser/dynuserd.conf', 'AllowUser=x\n');
      assert.match(await refusal(host, 'true'), /dynuserd\.conf:1: unknown key "AllowUser"; there are /);
      await machine.output(['rm', '/etc/dynuser/dynuserd.conf']);
      assert.match(
        await refusal(host, 'mount -t tmpfs -o ro t /run'),
        /\/run\/dynuser.*EROFS.*; make that file system writable/,
      );
      assert.match(
        await refusal(host, 'mount -t tmpfs -o nr_inodes=1 t /run'),
        /\/run\/dynuser.*ENOSPC.*; free some space there/,
      );
      const helper = 'mount --bind /dev/null /usr/lib/dynuser/dynuser-helper';
      assert.match(await refusal(host, helper), /dynuser-helper: it cannot be run .*; install dynuser again/);
      const limited = `${LIMIT(200)}; set -- - ${BOUND.join(' ')} dynuserd; shift; exec "$@"`;
      assert.match(
        await refusal(host, limited),
        /descriptors: this process may have 200, and with 0 leases needs \d+ at least; raise the hard limit/,
      );
    });
  });
});

describe('a daemon with few descriptors', () => {
  it('starts, refuses the lease that is one too many, and continues', async () => {
    await withInstalled({ config: 'CoolDownSec=0\n' }, async host => {
      const { machine } = host;
      const argv = ['sh', '-c', `${LIMIT(600)}; exec "$@"`, 'sh', ...BOUND, 'dynuserd'];
      const daemon = await machine.spawn(argv);
      daemon.stderr.resume();
      await host.untilAnswers();
      const acquire = Array.from(
        { length: 120 },
        (_, index) => ['io.dynuser.Allocator.Acquire', { unit: `u${index}.service`, lifetime: 'explicit' }] as const,
      );
      const results = await host.calls(acquire);
      const refused = results.flatMap(result => ('error' in result ? [result] : []));
      const given = results.length - refused.length;
      assert.ok(given > 10 && refused.length > 0, `${given} of ${results.length}`);
      for (const { error, parameters } of refused) {
        assert.equal(error, 'io.dynuser.Allocator.LimitReached');
        assert.match(
          String(parameters['reason']),
          /^the descriptors of dynuserd are enough for \d+ leases: release some; or raise/,
        );
      }
      // Whatever is leased, there are connections, and half of them are root's.
      const flood = `${CHECKOUT}dist/test/support/programs/idle-flood.js`;
      const others = await machine.spawn([process.execPath, flood, '200'], { uid: 1000 });
      const [counts = ''] = await once(others.stdout.setEncoding('utf8'), 'data');
      const { open } = JSON.parse(counts);
      assert.ok(open > 0 && open <= CONNECTIONS_LEAST / 2, counts);
      assert.equal((await host.ctl(['list', '--json=short'])).status, 0);
      const answers = JSON.parse(await host.program('root-answers', {}, [SOCKET, '10', '0']));
      assert.deepEqual(answers.failures, []);
      others.kill('SIGTERM');
      await others.ended;
      assert.equal((await host.ctl(['release', 'u0'])).status, 0);
      assert.equal((await host.ctl(['acquire', 'again.service'])).status, 0);
      daemon.kill('SIGTERM');
      assert.equal(await daemon.ended, 0);
    });
  });
});
