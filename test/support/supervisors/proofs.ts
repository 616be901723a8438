/** What has to hold for the service `web` under every supervisor: one list of tests, run with each one's own commands. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DYNUSER_NSSWITCH, Installed } from '../installed.ts';
import { Machine } from '../machine.ts';
import { unpackSupervisor } from './packages.ts';
import { type Start, WebService } from './service.ts';

export type Supervised = 'web' | 'dynuserd';

/** A supervisor by its own commands, with the files of docs/supervisors.md. */
export interface Supervisor {
  /** @returns what the supervisor holds to be the process of a service; undefined where it holds it to be down */
  pid(service: Supervised): Promise<number | undefined>;
  /** Has the supervisor send a signal to the service's process. */
  signal(signal: 'HUP' | 'USR1'): Promise<unknown>;
  start(service: Supervised): Promise<unknown>;
  stop(service: Supervised): Promise<unknown>;
  restart(service: Supervised): Promise<unknown>;
}

/**
 * @param packages its Debian package, and others that it does not depend on and the document uses
 * @param open writes the document's files, and starts the supervisor with both services
 */
export function proveSupervisor(
  name: string,
  packages: readonly string[],
  open: (host: Installed) => Promise<Supervisor>,
): void {
  describe(`the daemon and a service under ${name}`, () => {
    let machine: Machine;
    let host: Installed;
    let web: WebService;
    let supervisor: Supervisor;
    let first: Start;

    before(async () => {
      machine = await Machine.boot({ init: 'plain', stage: true, nsswitch: DYNUSER_NSSWITCH });
      host = new Installed(machine);
      web = new WebService(host);
      await web.install();
      for (const each of packages) {
        await unpackSupervisor(machine, each);
      }
      supervisor = await open(host);
      first = await web.start(1);
    });
    after(() => machine.stop());

    /** The program runs in the process that the supervisor knows, as the one live user. */
    async function isRight(start: Start): Promise<void> {
      assert.equal(await supervisor.pid('web'), start.pid, 'the supervisor knows another process');
      assert.equal(start.user, 'web');
      assert.equal(
        await machine.output(['id', 'web']),
        `uid=${start.uid}(web) gid=${start.uid}(web) groups=${start.uid}(web)`,
      );
      const status = await machine.output(['cat', `/proc/${start.pid}/status`]);
      const ids = Array(4).fill(start.uid).join('\t');
      assert.match(status, new RegExp(`^Uid:\t${ids}\nGid:\t${ids}$`, 'm'));
      // The lease of a process that has just ended may be on its way out yet.
      const leases = await web.until('the end of all other leases', async () => {
        const present = await web.leases();
        return present.length === 1 && present;
      });
      assert.deepEqual(
        leases.map(({ userName, uid, pid, lifetime }) => ({ userName, uid, pid, lifetime })),
        [{ userName: 'web', uid: start.uid, pid: start.pid, lifetime: 'process' }],
      );
    }

    /** Another process than before, the same user, and nothing of the former process left. */
    async function cameBack(count: number, former: Start, itsProcesses: readonly number[]): Promise<Start> {
      const start = await web.start(count);
      assert.notEqual(start.pid, former.pid);
      assert.equal(start.uid, former.uid, 'the owner of its directory is the first candidate');
      await web.until('the supervisor knows the new process', async () => (await supervisor.pid('web')) === start.pid);
      await isRight(start);
      const present = await web.processes(start.uid);
      assert.deepEqual(
        itsProcesses.filter(pid => present.includes(pid)),
        [],
        'processes of the former start are left',
      );
      return start;
    }

    it('starts it as its user, in the very process that the supervisor knows', async () => {
      await web.until('the supervisor knows the process', async () => (await supervisor.pid('web')) === first.pid);
      await isRight(first);
      const environment = await web.environment();
      for (const line of ['STATE_DIRECTORY=/var/lib/web', 'USER=web', 'LOGNAME=web']) {
        assert.ok(environment.includes(line), `${line} is not among\n${environment.join('\n')}`);
      }
    });

    it('passes signals on to it', async () => {
      await supervisor.signal('HUP');
      await web.until('HUP', async () => (await web.start(1)).signals.length === 1);
      await supervisor.signal('USR1');
      await web.until('USR1', async () => (await web.start(1)).signals.length === 2);
      assert.deepEqual((await web.start(1)).signals, ['HUP', 'USR1']);
      assert.equal(await supervisor.pid('web'), first.pid);
    });

    it('restarts it with the UID and the state that it had', async () => {
      const processes = await web.processes(first.uid);
      assert.ok(processes.length > 1, 'it has children');
      await supervisor.restart('web');
      await cameBack(2, first, processes);
      assert.deepEqual((await web.starts())[0]?.signals, ['HUP', 'USR1', 'TERM']);
    });

    it('starts it again after a crash, and nothing of the former lease is left', async () => {
      let former = await web.start(2);
      for (const [signal, count] of [['KILL', 3] as const, ['USR2', 4] as const]) {
        const [lease] = await web.leases();
        const processes = await web.processes(former.uid);
        await web.kill(signal, former.pid);
        const start = await cameBack(count, former, processes);
        assert.notEqual((await web.leases())[0]?.['lease'], lease?.['lease'], `${signal}: a lease of its own`);
        former = start;
      }
    });

    it('brings the daemon back after a crash, while the service runs on', async () => {
      const start = await web.start(4);
      const before = await web.leases();
      const daemon = await supervisor.pid('dynuserd');
      assert.ok(daemon !== undefined);
      assert.match(await machine.output(['cat', `/proc/${daemon}/cmdline`]), /dynuserd/);
      await web.kill('KILL', daemon);
      assert.ok(await web.resolves(), 'lookups need no daemon');
      const again = await web.until('another daemon', async () => {
        const pid = await supervisor.pid('dynuserd');
        return pid !== daemon && pid;
      });
      await host.untilAnswers();
      assert.equal(await supervisor.pid('dynuserd'), again);
      assert.deepEqual(await web.leases(), before);
      await isRight(start);
    });

    it('restarts the daemon while the service runs on', async () => {
      const start = await web.start(4);
      const daemon = await supervisor.pid('dynuserd');
      await supervisor.restart('dynuserd');
      await web.until('another daemon', async () => {
        const pid = await supervisor.pid('dynuserd');
        return pid !== undefined && pid !== daemon;
      });
      await host.untilAnswers();
      await isRight(start);
    });

    it('stops it, and the UID is free', async () => {
      const start = await web.start(4);
      await supervisor.stop('web');
      await web.until('the supervisor holds it to be down', async () => (await supervisor.pid('web')) === undefined);
      await web.until('the end of its lease', async () => (await web.leases()).length === 0);
      assert.deepEqual((await web.start(4)).signals, ['TERM']);
      assert.equal((await machine.run(['getent', 'passwd', 'web'])).status, 2);
      assert.equal((await machine.run(['getent', 'passwd', String(start.uid)])).status, 2);
      await host.untilNothingIsKept();
      assert.deepEqual(await web.processes(start.uid), []);
    });

    it('starts it once more, with the daemon or before it', async () => {
      await supervisor.stop('dynuserd');
      await web.until('the daemon is down', async () => (await supervisor.pid('dynuserd')) === undefined);
      assert.notEqual((await host.ctl(['list'])).status, 0);
      await supervisor.start('web');
      await supervisor.start('dynuserd');
      const start = await web.start(5);
      assert.equal(start.uid, first.uid);
      await isRight(start);
    });
  });
}
