/**
 * Node's inspector runs whatever any local user sends to it: neither a signal nor a variable of whoever starts a program may
 * start it, nor make Node load anything, from the first instruction on.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { DYNUSER_NSSWITCH, Installed } from '../../support/installed.ts';
import type { MachineProcess } from '../../support/machine/process.ts';
import { Machine } from '../../support/machine.ts';
import { until } from '../../support/until.ts';

/** How long signals go on after the program is up: many times what the inspector needs to listen, in milliseconds. */
const AFTERWARDS_MS = 500;

/** Starts a program in the background, writes its number down, and signals it as fast as a shell can, from its first moment on. */
const STORM = 'trap "" USR1; "$@" & echo "$!"; while kill -s USR1 "$!" 2>/dev/null; do :; done; wait "$!"';

/** What a service manager, or an operator's shell, may have in its environment. */
const HOSTILE = {
  NODE_OPTIONS: '--inspect=127.0.0.1:9230 --require=/tmp/evil.cjs --trace-warnings',
  NODE_PATH: '/tmp',
  NODE_DEBUG: 'net,module,stream',
  NODE_DEBUG_NATIVE: 'MKSNAPSHOT',
  NODE_EXTRA_CA_CERTS: '/tmp/evil.pem',
  NODE_ICU_DATA: '/tmp/nothing',
  NODE_REPL_EXTERNAL_MODULE: '/tmp/evil.cjs',
  NODE_V8_COVERAGE: '/tmp/coverage',
  NODE_COMPILE_CACHE: '/tmp/compiled',
  NODE_REDIRECT_WARNINGS: '/tmp/warnings',
  NODE_INSPECT_RESUME_ON_START: '1',
  NODE_TEST_CONTEXT: 'child',
  OPENSSL_CONF: '/tmp/evil.cnf',
  OPENSSL_MODULES: '/tmp',
  SSL_CERT_FILE: '/tmp/evil.pem',
  LD_PRELOAD: '/tmp/evil.so',
  LD_LIBRARY_PATH: '/tmp',
  LD_AUDIT: '/tmp/evil.so',
  GCONV_PATH: '/tmp',
  HOME: '/tmp',
};

interface Watched {
  readonly process: MachineProcess;
  /** of the program itself, as the machine numbers it */
  readonly pid: string;
  errors(): string;
}

describe('no signal, variable or file opens a debugger', () => {
  let host: Installed;
  let machine: Machine;
  before(async () => {
    machine = await Machine.boot({ init: 'plain', stage: true, nsswitch: DYNUSER_NSSWITCH });
    host = new Installed(machine);
    // Where the loopback device is down, the inspector says that it cannot listen, which is seen as well.
    await machine.run(['ip', 'link', 'set', 'lo', 'up']);
    await machine.write('/tmp/evil.cjs', 'require("node:fs").writeFileSync("/tmp/ran-evil", "");\n');
    await machine.write('/tmp/evil.cnf', 'openssl_conf = no-such-section\n');
    // What Node 20 and later look for above a script and where they are started.
    for (const directory of ['/tmp', '/']) {
      await machine.write(`${directory}/.npmrc`, 'node-options=--inspect\n');
      await machine.write(`${directory}/node.config.json`, '{ "nodeOptions": { "inspect": true } }\n');
      await machine.write(`${directory}/package.json`, '{ "type": "commonjs" }\n');
    }
  });
  after(() => machine.stop());

  const start = async (argv: readonly string[]): Promise<Watched> => {
    const process = await machine.spawn(['sh', '-c', STORM, 'sh', ...argv]);
    let errors = '';
    let output = '';
    process.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text;
    });
    process.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    await until('the program runs', () => output.includes('\n'));
    return { process, pid: output.slice(0, output.indexOf('\n')), errors: () => errors };
  };
  const end = async ({ process, pid }: Watched): Promise<void> => {
    await machine.run(['kill', '-s', 'TERM', pid]);
    await process.ended;
  };
  /** TCP sockets of the machine that listen: state 0A of proc_pid_net(5). */
  const listening = (): string[] =>
    ['tcp', 'tcp6'].flatMap(table =>
      readFileSync(`/proc/${machine.pid}/net/${table}`, 'utf8')
        .split('\n')
        .filter(line => line.split(/\s+/)[4] === '0A'),
    );
  const untilUp = () => host.untilAnswers();
  const isDebugged = (watched: Watched): boolean =>
    listening().length > 0 || /Debugger listening|Starting inspector/.test(watched.errors());

  it('this test sees one: Node itself opens it at the signal', async () => {
    const watched = await start(['node', '/usr/lib/dynuser/dynuserd.js']);
    await until('the inspector listens', () => isDebugged(watched));
    await end(watched);
  });

  it('SIGUSR1 without end, from the first moment of the daemon on', async () => {
    const watched = await start(['dynuserd']);
    await untilUp();
    for (const deadline = Date.now() + AFTERWARDS_MS; Date.now() < deadline; await sleep(20)) {
      assert.ok(!isDebugged(watched), watched.errors());
    }
    const signals = await machine.output(['grep', '-E', '^(SigBlk|SigIgn)', `/proc/${watched.pid}/status`]);
    const [blocked, ignored] = signals.split('\n').map(line => BigInt(`0x${line.split('\t')[1]}`));
    // SIGUSR1 is number 10 on the processors that have these bits (signal(7)).
    assert.deepEqual([(blocked ?? 0n) & 0x200n, (ignored ?? 0n) & 0x200n], [0n, 0x200n]);
    await end(watched);
    assert.ok(!isDebugged(watched), watched.errors());
  });

  it('SIGUSR1 at a daemon and a command that were started in a hostile environment', async () => {
    const variables = Object.entries(HOSTILE).map(([name, value]) => `${name}=${value}`);
    const watched = await start(['env', '-C', '/tmp', ...variables, 'dynuserd']);
    await untilUp();
    const command = await start(['env', '-C', '/tmp', ...variables, 'dynuserctl', 'watch']);
    await sleep(AFTERWARDS_MS);
    for (const { pid } of [watched, command]) {
      const environment = await machine.output(['tr', '\\0', '\\n'], {
        input: await machine.output(['cat', `/proc/${pid}/environ`]),
      });
      const names = environment.split('\n').map(line => line.split('=')[0]);
      assert.deepEqual(
        names.filter(name => name !== '' && !['PATH', 'LANG'].includes(name ?? '')),
        [],
      );
    }
    assert.ok(!isDebugged(watched) && !isDebugged(command), watched.errors() + command.errors());
    await end(command);
    await end(watched);
    assert.equal(command.errors(), '');
    for (const line of watched.errors().trim().split('\n')) {
      assert.match(line, /^\{"level":/, 'nobody but the daemon wrote to its log');
    }
    const found = await machine.output(['find', '/tmp', '-mindepth', '1', '-printf', '%f\n']);
    assert.deepEqual(found.split('\n').sort(), ['.npmrc', 'evil.cjs', 'evil.cnf', 'node.config.json', 'package.json']);
  });

  it('Node is looked for where PATH says, but not where the starter happens to stand', async () => {
    await machine.write('/tmp/here/node', '#!/bin/sh\ntouch /tmp/ran-evil\n', 0o755);
    await machine.write('/tmp/open/node', '#!/bin/sh\ntouch /tmp/ran-evil\n', 0o777);
    for (const path of ['', '.', ':here:', 'here', '/tmp/open', '/nowhere']) {
      const { status, stderr } = await machine.run(['env', '-C', '/tmp', `PATH=${path}`, '/usr/sbin/dynuserd']);
      assert.equal(status, 1, path);
      assert.match(stderr, /^dynuserd: node: not found in PATH; install Node.js 20 or later.*\n$/);
    }
    assert.equal((await machine.run(['test', '-e', '/tmp/ran-evil'])).status, 1);
    const { stdout } = await machine.run(['env', '-u', 'PATH', '/usr/bin/dynuserctl', '--version']);
    assert.match(stdout, /^dynuserctl \d/);
  });

  it('the Node that came with the program is taken, if there is one, and the caller chooses no other', async () => {
    await machine.write('/usr/lib/dynuser/node', '#!/bin/sh\necho own "$@"\n', 0o755);
    try {
      const { stdout } = await machine.run(['env', 'PATH=/tmp/here:/usr/bin', '/usr/bin/dynuserctl', 'list']);
      assert.match(stdout, /^own --no-global-search-paths \/usr\/lib\/dynuser\/dynuserctl\.js list\n$/);
    } finally {
      await machine.output(['rm', '/usr/lib/dynuser/node']);
    }
  });

  it('a bundle that is gone is one sentence', async () => {
    await machine.output(['mv', '/usr/lib/dynuser/dynuserctl.js', '/root/']);
    const { status, stderr } = await host.ctl(['list']);
    await machine.output(['mv', '/root/dynuserctl.js', '/usr/lib/dynuser/']);
    assert.deepEqual(
      [status, stderr],
      [1, 'dynuserctl: /usr/lib/dynuser/dynuserctl.js: No such file or directory; install dynuser again\n'],
    );
  });
});
