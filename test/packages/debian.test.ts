/**
 * Debian's packages in a fresh Debian, which has systemd and then has not: installed, upgraded while users live, removed and purged; also
 * after an installation that did not come to its end.
 */
// time limit: 600 s
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { basename } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { CHECKOUT } from '../../src/tooling/checkout.ts';
import { buildPackages, carryInto, FRESH_DEBIAN, packageIn } from '../support/built-packages.ts';
import type { MachineProcess } from '../support/machine/process.ts';
import { Machine } from '../support/machine.ts';
import { until } from '../support/until.ts';

const LEASES = 200;
/** How many of them still live when the package is removed. */
const LEFT = 12;
const DPKG_DEADLINE_MS = 120_000;
/** Where the packages are in the machine; not looked at below. */
const CARRIED = '/opt';
/** Storage that hosts of a fleet would share, with the store of the fleet. */
const STORE = '/srv/shared';
const FLEET_FILES = {
  '/etc/dynuser/fleetd.conf': `Fleet=main\nStore=${STORE}/.dynuser\n`,
  '/etc/dynuser/dynuserd.conf': 'Fleet=required\nFleetNames=f-*\nFleetUidRange=100000-109999\n',
  '/etc/systemd/system/dynuser-companion.service.d/store.conf': `[Service]\nReadWritePaths=${STORE}/.dynuser\n`,
};
/** What the package manager, the journal and the machine write by themselves. */
const OTHERS = [
  '/proc',
  '/sys',
  '/dev',
  '/tmp',
  '/run/systemd/journal',
  '/run/systemd/units',
  '/run/systemd/transient',
  '/run/systemd/propagate',
  '/run/systemd/inaccessible',
  '/run/log',
  '/run/credentials',
  '/var/lib/dpkg',
  '/var/lib/systemd',
  '/var/log',
  '/var/cache',
  '/var/tmp',
  CARRIED,
  STORE,
  CHECKOUT.replace(/\/$/, ''),
];

/** Directories that systemd makes when it needs them, and shares with everybody who locks UIDs. */
const OF_SYSTEMD = /^d 755 0 0 \/run\/systemd\/(?:dynamic-uid|incoming)$/;
/** What a host without systemd does not have. */
const SYSTEMD = [
  'libnss-systemd',
  'dbus',
  'dbus-daemon',
  'dbus-bin',
  'dbus-session-bus-common',
  'dbus-system-bus-common',
  'systemd',
];

let first = '';
let second = '';
before(() => {
  first = buildPackages('0.1.0~1');
  second = buildPackages('0.1.0~2');
});
after(() => {
  for (const directory of [first, second]) {
    rmSync(directory, { recursive: true, force: true });
  }
});

const architecture = execFileSync('dpkg', ['--print-architecture'], { encoding: 'utf8' }).trim();
/** The packages of a version, the NSS module first: it is there when the daemon starts. */
function debs(directory: string): string[] {
  return PACKAGES.map(name => packageIn(directory, `${name}_`, `_${architecture}.deb`));
}

class Host {
  readonly machine: Machine;

  private constructor(machine: Machine) {
    this.machine = machine;
  }

  static async boot(init: 'plain' | 'systemd'): Promise<Host> {
    const machine = await Machine.boot({ init, system: FRESH_DEBIAN });
    if (init === 'systemd') {
      await machine.output(['systemctl', 'start', 'dbus.socket', 'dbus.service']);
    }
    for (const directory of [first, second]) {
      await carryInto(machine, CARRIED, debs(directory));
    }
    return new Host(machine);
  }

  dpkg(...argv: readonly string[]) {
    return this.machine.run(['dpkg', '--force-unsafe-io', ...argv], {
      timeoutMs: DPKG_DEADLINE_MS,
      env: { DEBIAN_FRONTEND: 'noninteractive' },
    });
  }

  /** Installs the packages of a version, or upgrades to it. @returns what it took, in milliseconds */
  async install(directory: string): Promise<number> {
    const start = performance.now();
    const { status, stdout, stderr } = await this.dpkg(
      '-i',
      ...debs(directory).map(path => `${CARRIED}/${basename(path)}`),
    );
    assert.equal(status, 0, stdout + stderr);
    return performance.now() - start;
  }

  /** @returns what is installed, in megabytes, by package, as the package manager says it */
  async sizes(): Promise<string> {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's
    const text = await this.machine.output(['dpkg-query', '-W', '-f', '${Package} ${Installed-Size}\n', ...PACKAGES]);
    return text.replace(/ (\d+)$/gm, (_, kilobytes) => `: ${(Number(kilobytes) / 1024).toFixed(1)} MB`);
  }

  async version(): Promise<string> {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's
    return this.machine.output(['dpkg-query', '-W', '-f', '${Status} ${Version}', 'dynuser']);
  }

  /** @returns everything that is on the host and is nobody else's, with types, modes, owners and link targets, and contents of /etc */
  async picture(): Promise<string[]> {
    const pruned = OTHERS.flatMap((path, index) => [...(index === 0 ? [] : ['-o']), '-path', path]);
    const files = ['find', '/', '(', ...pruned, ')', '-prune', '-o', '-printf', '%y %m %U %G %p %l\n'];
    const contents = "find /etc -type f ! -name '*-' -exec sha256sum {} + | sort";
    const text = `${await this.machine.output(files)}\n${await this.machine.sh(contents)}`;
    return text
      .split('\n')
      .map(line => line.trimEnd())
      .sort();
  }

  async list(): Promise<Record<string, unknown>[]> {
    return JSON.parse(await this.machine.output(['dynuserctl', 'list', '--json=short']));
  }

  async nsswitch(): Promise<string[]> {
    const text = await this.machine.output(['cat', '/etc/nsswitch.conf']);
    return text.split('\n').filter(line => /^(?:passwd|group|shadow|gshadow):/.test(line));
  }
}

/** Every package of a host, in the order in which they are installed. */
const PACKAGES = ['libnss-dynuser', 'dynuser', 'dynuser-fleet'];
const WITH_MODULE = ['passwd', 'group', 'shadow', 'gshadow'];

/** Users of all lifetimes, looked up without a pause until end(). */
class Holder {
  readonly #process: MachineProcess;
  readonly #lines: AsyncIterator<string>;
  users: Readonly<Record<string, number>> = {};

  private constructor(process: MachineProcess) {
    this.#process = process;
    this.#lines = lines(process);
  }

  static async start(machine: Machine): Promise<Holder> {
    const program = `${CHECKOUT}dist/test/support/programs/lease-holder.js`;
    const holder = new Holder(await machine.spawn(['node', program, String(LEASES), String(LEFT)]));
    holder.users = JSON.parse((await holder.#lines.next()).value);
    return holder;
  }

  async end(): Promise<void> {
    this.#process.stdin.end();
    const { lost, looks, failures } = JSON.parse((await this.#lines.next()).value);
    assert.deepEqual(lost, []);
    assert.deepEqual(failures, []);
    assert.ok(looks > 5, `${looks} looks`);
    await this.#process.ended;
  }
}

async function* lines(process: MachineProcess): AsyncGenerator<string> {
  let [text, complaints] = ['', ''];
  process.stderr.setEncoding('utf8').on('data', chunk => {
    complaints += chunk;
  });
  for await (const chunk of process.stdout.setEncoding('utf8')) {
    text += chunk;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      yield text.slice(0, end);
      text = text.slice(end + 1);
    }
  }
  throw new Error(`the program ended: ${text}${complaints}`);
}

/** What of two pictures is in one alone. */
function difference(before: readonly string[], after: readonly string[]) {
  const [was, is] = [new Set(before), new Set(after)];
  return {
    gone: before.filter(line => !is.has(line)),
    left: after.filter(line => !was.has(line) && !OF_SYSTEMD.test(line)),
  };
}

/** All but the companion's: it is started again. */
function keys(leases: readonly Record<string, unknown>[]): string[] {
  const held = leases.filter(({ userName }) => userName !== 'dynuser-fleetd');
  return held.map(({ lease, userName, uid, lifetime }) => `${lease} ${userName} ${uid} ${lifetime}`).sort();
}

for (const init of ['systemd', 'plain'] as const) {
  describe(`a fresh Debian ${init === 'systemd' ? 'with systemd' : 'without systemd'}`, () => {
    let host: Host;
    let machine: Machine;
    let untouched: string[] = [];
    let former: string[] = [];
    let daemon: MachineProcess | undefined;
    let companion: MachineProcess | undefined;
    before(async () => {
      host = await Host.boot(init);
      machine = host.machine;
      if (init === 'plain') {
        const { status, stderr } = await host.dpkg('--purge', ...SYSTEMD);
        assert.equal(status, 0, stderr);
      }
      // What a fleet needs of a host, as docs/fleet.md has it.
      await machine.output(['useradd', '--system', '--uid', '970', 'dynuser-fleetd']);
      await machine.output(['install', '-d', '-m', '0700', '-o', 'dynuser-fleetd', `${STORE}/.dynuser`]);
      await machine.sh('[ -s /etc/machine-id ] || echo 5ae6d4a8c2d94b6f9d3b8f6a3c1e7b20 >/etc/machine-id');
      untouched = await host.picture();
      former = await host.nsswitch();
    });
    after(() => machine.stop());

    /** What a service manager that the packages do not know would do, with systemd what an operator does. */
    async function restartDaemon(): Promise<void> {
      if (init === 'systemd') {
        await machine.output(['systemctl', 'restart', 'dynuserd.service']);
        return;
      }
      daemon?.kill('SIGTERM');
      await daemon?.ended;
      await startDaemon();
    }

    async function restartCompanion(): Promise<void> {
      if (init === 'systemd') {
        await machine.output(['systemctl', 'restart', 'dynuser-fleetd.service']);
        return;
      }
      companion?.kill('SIGTERM');
      await companion?.ended;
      companion = await machine.spawn(['dynuser-run', '--unit-file=/usr/lib/dynuser/dynuser-companion.service']);
      companion.stderr.resume();
    }

    /** @returns the UID of a name of the fleet, for which its store is asked */
    async function fleetUid(name: string): Promise<number> {
      let said = '';
      await until(
        () => `the fleet has a UID for ${name}: ${said}`,
        async () => {
          const { status, stdout, stderr } = await machine.run(['dynuser-run', '-u', name, 'id', '-u']);
          said = status === 0 ? stdout : stderr;
          return status === 0;
        },
      );
      return Number(said);
    }

    async function startDaemon(): Promise<void> {
      daemon = await machine.spawn(['/usr/sbin/dynuserd']);
      daemon.stderr.resume();
      await until('dynuserd answers', async () => (await machine.run(['dynuserctl', 'list'])).status === 0);
    }

    it('is ready after the installation', async t => {
      const took = await host.install(first);
      t.diagnostic(`installed in ${(took / 1_000).toFixed(1)} s: ${(await host.sizes()).replaceAll('\n', ', ')}`);
      assert.match(await host.version(), /^install ok installed 0\.1\.0~1-1$/);
      assert.deepEqual(
        await host.nsswitch(),
        former.map(line => line.replace(/\bfiles\b/, 'files dynuser')),
      );
      assert.equal((await host.nsswitch()).length, WITH_MODULE.length);
      if (init === 'systemd') {
        for (const unit of [
          'dynuserd.socket',
          'dynuserd-allocator.socket',
          'dynuserd-nscd.socket',
          'dynuserd.service',
        ]) {
          assert.equal(await machine.output(['systemctl', 'is-active', unit]), 'active', unit);
          assert.equal(await machine.output(['systemctl', 'is-enabled', unit]), 'enabled', unit);
        }
      } else {
        await startDaemon();
      }
      assert.match(await machine.output(['dynuser-run', '-u', 'web', 'id']), /^uid=(\d+)\(web\) gid=\1\(web\)/);
      assert.equal(await machine.output(['dynuserctl', 'doctor', '--try']).then(() => 'well'), 'well');
    });

    it('is a host of a fleet after two files are written, and three commands', async () => {
      if (init === 'systemd') {
        // It is ready, and waits for its configuration.
        assert.equal(await machine.output(['systemctl', 'is-enabled', 'dynuser-fleetd.service']), 'enabled');
        const state = ['show', '-P', 'ActiveState', '-P', 'ConditionResult', 'dynuser-fleetd.service'];
        assert.equal(await machine.output(['systemctl', ...state]), 'inactive\nno');
      }
      for (const [path, text] of Object.entries(FLEET_FILES)) {
        await machine.write(path, text);
      }
      await restartDaemon();
      await restartCompanion();
      let said = '';
      for (const verb of ['create', 'join']) {
        await until(
          () => `dynuserctl fleet ${verb}: ${said}`,
          async () => {
            const { status, stderr } = await machine.run(['dynuserctl', 'fleet', verb]);
            said = stderr;
            return status === 0;
          },
        );
      }
      const uid = await fleetUid('f-first');
      assert.ok(uid >= 100_000 && uid <= 109_999, `${uid}`);
    });

    it('is upgraded while users of all lifetimes live: none is lost, and no lookup fails', async () => {
      const holder = await Holder.start(machine);
      assert.equal(Object.keys(holder.users).length, LEASES);
      const service = await machine.spawn(['dynuser-run', '-u', 'service', 'sleep', 'infinity']);
      await until('the service has its user', async () => (await machine.run(['id', 'service'])).status === 0);
      let socket = '';
      if (init === 'systemd') {
        await machine.output(['systemd-run', '-q', '--unit=bound', 'sleep', 'infinity']);
        await machine.output(['dynuserctl', 'acquire', 'bound.service', '--lifetime=unit']);
        socket = await machine.output(['systemctl', 'show', '-P', 'InvocationID', 'dynuserd.socket']);
      }
      await machine.output(['dynuserctl', 'acquire', '--user=f-held', 'f-held.service']);
      const leases = keys(await host.list());
      assert.ok(leases.length > LEASES);
      const first = await fleetUid('f-first');
      const pid = await machine.sh('pgrep -f /usr/lib/dynuser/dynuserd.js || ps -C node -o pid=; true');

      await host.install(second);
      assert.match(await host.version(), /^install ok installed 0\.1\.0~2-1$/);
      if (init === 'systemd') {
        assert.equal(await machine.output(['systemctl', 'show', '-P', 'InvocationID', 'dynuserd.socket']), socket);
        assert.equal(await machine.output(['systemctl', 'show', '-P', 'NRestarts', 'dynuserd.service']), '0');
      } else {
        // As its service manager does, whom the package does not know.
        await restartDaemon();
        await restartCompanion();
      }
      assert.notEqual(await machine.sh('pgrep -f /usr/lib/dynuser/dynuserd.js || ps -C node -o pid=; true'), `${pid} `);
      assert.deepEqual(keys(await host.list()), leases);
      assert.match(await machine.output(['dynuser-run', '-u', 'web', 'id']), /^uid=(\d+)\(web\)/);
      assert.equal(await fleetUid('f-first'), first);
      assert.notEqual(await fleetUid('f-second'), first);
      await holder.end();
      service.stdin.end();
    });

    it('is as it was after it is removed and purged, and nothing of a user is left', async () => {
      assert.ok((await host.list()).length >= LEFT, 'users live');
      if (init === 'plain') {
        const running = await host.dpkg('--remove', 'dynuser-fleet');
        assert.notEqual(running.status, 0);
        assert.match(running.stderr, /dynuser-fleet: dynuser-fleetd still runs, under another service manager; stop/);
        companion?.kill('SIGTERM');
        await companion?.ended;
        assert.equal((await host.dpkg('--remove', 'dynuser-fleet')).status, 0);
        const refused = await host.dpkg('--remove', 'dynuser');
        assert.notEqual(refused.status, 0);
        assert.match(refused.stderr, /dynuser: dynuserd still runs, under another service manager; stop it there/);
        assert.match(await host.version(), / ok installed /);
        daemon?.kill('SIGTERM');
        await daemon?.ended;
      }
      const removed = await host.dpkg('--remove', ...PACKAGES);
      assert.equal(removed.status, 0, removed.stderr);
      const purged = await host.dpkg('--purge', ...PACKAGES);
      assert.equal(purged.status, 0, purged.stderr);
      // The operator's.
      await machine.output(['rm', '-r', '/etc/systemd/system/dynuser-companion.service.d']);
      if (init === 'systemd') {
        await machine.run(['systemctl', 'stop', 'bound']);
        assert.equal(await machine.output(['systemctl', 'list-units', '--all', '--no-legend', 'dynuser*']), '');
      }
      assert.deepEqual(await host.nsswitch(), former);
      const { gone, left } = difference(untouched, await host.picture());
      assert.deepEqual(gone, []);
      assert.deepEqual(left, []);
      const processes = await machine.sh(
        'grep -lsa dynuser /proc/[0-9]*/cmdline | xargs -r -n 1 sh -c \'tr "\\0" " " <$0; echo\'',
      );
      assert.deepEqual(
        processes.split('\n').filter(line => /\/dynuser/.test(line)),
        [],
      );
    });

    it('is ready after an installation that follows one that did not come to its end', async () => {
      // The file system of its programs is full.
      await machine.sh('mkdir /usr/lib/dynuser && mount -t tmpfs -o size=300k small /usr/lib/dynuser');
      const full = await host.dpkg('-i', ...debs(first).map(path => `${CARRIED}/${basename(path)}`));
      assert.notEqual(full.status, 0);
      assert.match(full.stderr, /No space left on device/);
      await machine.sh('umount /usr/lib/dynuser');
      await host.install(first);
      assert.match(await host.version(), /^install ok installed 0\.1\.0~1-1$/);

      // dpkg is killed at some moments of an upgrade.
      for (const seconds of ['0.1', '0.3', '0.6', '1']) {
        await machine.run([
          'timeout',
          '-s',
          'KILL',
          seconds,
          'dpkg',
          '--force-unsafe-io',
          '-i',
          ...debs(second).map(path => `${CARRIED}/${basename(path)}`),
        ]);
      }
      await host.dpkg('--configure', '-a');
      await host.install(second);
      assert.match(await host.version(), /^install ok installed 0\.1\.0~2-1$/);
      if (init === 'plain') {
        await startDaemon();
      }
      await until(
        'a program runs as a user',
        async () => (await machine.run(['dynuser-run', '-u', 'web', 'true'])).status === 0,
      );
      if (init === 'plain') {
        // Users that are there, or end, and nobody who could clean up after them.
        await machine.output(['dynuserctl', 'acquire', 'held.service']);
        daemon?.kill('SIGKILL');
        await daemon?.ended;
        const refused = await host.dpkg('--remove', 'dynuser', 'dynuser-fleet');
        assert.notEqual(refused.status, 0);
        assert.match(refused.stderr, /dynuser: there still are users; see that dynuserd runs/);
        await startDaemon();
        await machine.output(['dynuserctl', 'release', 'held']);
      }
      await until('no user is left', async () => (await machine.output(['ls', '/run/dynuser/leases'])) === '');
      daemon?.kill('SIGTERM');
      await daemon?.ended;
      const purged = await host.dpkg('--purge', ...PACKAGES);
      assert.equal(purged.status, 0, purged.stderr);
      const { gone, left } = difference(untouched, await host.picture());
      assert.deepEqual({ gone, left }, { gone: [], left: [] });
    });
  });
}
