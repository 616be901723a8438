/** The D-Bus adapter beside a real systemd and the system bus: units that end, buses that come and go, and who may call. */
import assert from 'node:assert/strict';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CHECKOUT } from '../../src/tooling/checkout.ts';
import type { MachineProcess } from '../support/machine/process.ts';
import { Machine } from '../support/machine.ts';

const DEADLINE_MS = 30_000;
/** How long nothing has to happen for it to be believed that nothing does. */
const QUIET_MS = 500;
/** A program that ends when the file is there which is named after it. */
const UNTIL = ['sh', '-c', 'until test -e "$0"; do sleep 0.05; done'];
const NAME = 'io.dynuser.Allocator1';
const PATH = '/io/dynuser/Allocator1';

/** A user that every Debian has: the bus turns away those that it cannot look up. */
const DAEMON = 1;

type Event = Readonly<Record<string, unknown>>;

/** test/support/programs/bus-adapter, and what it has said. */
class BusAdapter {
  readonly #process: MachineProcess;
  readonly events: Event[] = [];

  private constructor(process: MachineProcess) {
    this.#process = process;
    createInterface({ input: process.stdout }).on('line', line => this.events.push(JSON.parse(line)));
    process.stderr.pipe(globalThis.process.stderr);
  }

  static async start(machine: Machine): Promise<BusAdapter> {
    const program = `${CHECKOUT}dist/test/support/programs/bus-adapter.js`;
    return new BusAdapter(await machine.spawn([process.execPath, program]));
  }

  async check(unit: string): Promise<{ readonly kind: unknown; readonly reason: unknown }> {
    this.#process.stdin.write(`check ${unit}\n`);
    const answer = await this.until(event => event['check'] === unit);
    this.events.splice(this.events.indexOf(answer), 1);
    return { kind: answer['kind'], reason: answer['reason'] };
  }

  /** Watches a unit, and waits until it has been looked at. */
  async watch(unit: string): Promise<void> {
    this.#process.stdin.write(`watch ${unit}\n`);
    await this.check(unit);
  }

  async until(condition: (event: Event) => boolean): Promise<Event> {
    const deadline = Date.now() + DEADLINE_MS;
    for (;;) {
      const event = this.events.find(condition);
      if (event !== undefined) {
        return event;
      }
      if (Date.now() > deadline) {
        throw new Error(`it did not happen; what did: ${JSON.stringify(this.events)}`);
      }
      await sleep(10);
    }
  }

  ended(unit: string): Promise<Event> {
    return this.until(event => event['ended'] === unit);
  }

  countEnded(unit: string): number {
    return this.events.filter(event => event['ended'] === unit).length;
  }

  async stop(): Promise<number> {
    this.#process.stdin.end();
    return this.#process.ended;
  }
}

describe('on the system bus', () => {
  let machine: Machine;
  let adapter: BusAdapter;
  before(async () => {
    machine = await Machine.boot({ init: 'systemd', stage: true });
    await machine.output(['systemctl', 'stop', 'dbus.socket', 'dbus.service']);
    adapter = await BusAdapter.start(machine);
  });
  after(() => machine.stop());

  const systemctl = (...argv: readonly string[]) => machine.output(['systemctl', ...argv]);
  const run = (unit: string, ...argv: readonly string[]) =>
    machine.output(['systemd-run', '--quiet', `--unit=${unit}`, ...argv]);
  const startBus = () => systemctl('start', 'dbus.socket', 'dbus.service');

  it('says that there is no bus, and continues', async () => {
    const { kind, reason } = await adapter.check('dbus.service');
    assert.equal(kind, 'unavailable');
    assert.match(
      String(reason),
      /^cannot use the message bus at \/run\/dbus\/system_bus_socket: .*(?:ENOENT|ECONNREFUSED)/,
    );
    // Watched all the same, from the moment at which there is a bus.
    await run('early', 'sleep', 'infinity');
    await adapter.watch('early.service');
    await adapter.watch('never-there.service');
  });

  it('finds the bus when it comes, and looks at what was watched before', async () => {
    await startBus();
    assert.equal((await adapter.check('dbus.service')).kind, 'active');
    assert.equal((await adapter.check('dbus')).kind, 'active');
    await adapter.ended('never-there.service');
    assert.equal(adapter.countEnded('early.service'), 0);
    await systemctl('stop', 'early');
    await adapter.ended('early.service');
  });

  it('tells the end of a unit that is stopped, that fails, that is done, that is collected', async () => {
    await run('stopped', 'sleep', 'infinity');
    await run('failed', 'sleep', 'infinity');
    await run('done', ...UNTIL, '/run/done');
    await run('collected', '--collect', 'sleep', 'infinity');
    const units = ['stopped.service', 'failed.service', 'done.service', 'collected.service'];
    for (const unit of units) {
      await adapter.watch(unit);
    }
    await machine.output(['touch', '/run/done']);
    await adapter.ended('done.service');
    assert.deepEqual(
      units.map(unit => adapter.countEnded(unit)),
      [0, 0, 1, 0],
    );
    await systemctl('stop', 'stopped');
    await systemctl('kill', '-s', 'KILL', 'failed', 'collected');
    await Promise.all(units.map(unit => adapter.ended(unit)));
    assert.equal(await machine.output(['systemctl', 'show', '-P', 'ActiveState', 'failed']), 'failed');
    await sleep(QUIET_MS);
    assert.deepEqual(
      units.map(unit => adapter.countEnded(unit)),
      [1, 1, 1, 1],
      'each is told once',
    );
  });

  it('takes a unit that is being started, or is between two runs, for one that lives', async () => {
    await run('starting', '--no-block', '--service-type=oneshot', ...UNTIL, '/run/started');
    assert.equal(await machine.output(['systemctl', 'show', '-P', 'ActiveState', 'starting']), 'activating');
    assert.equal((await adapter.check('starting.service')).kind, 'active');
    await run('queued', '--no-block', '-p', 'After=starting.service', 'sleep', 'infinity');
    assert.equal(await machine.output(['systemctl', 'show', '-P', 'ActiveState', 'queued']), 'inactive');
    assert.equal((await adapter.check('queued.service')).kind, 'active');
    await adapter.watch('queued.service');
    const properties = ['-p', 'Restart=always', '-p', 'RestartSec=400ms', '-p', 'ExecStopPost=sleep 0.1'];
    await run('again', ...properties, 'sleep', 'infinity');
    await adapter.watch('starting.service');
    await adapter.watch('again.service');
    await systemctl('restart', 'again');
    await systemctl('kill', '-s', 'KILL', 'again');
    await sleep(QUIET_MS);
    assert.deepEqual([adapter.countEnded('starting.service'), adapter.countEnded('again.service')], [0, 0]);
    await machine.output(['touch', '/run/started']);
    await adapter.ended('starting.service');
    assert.equal(adapter.countEnded('queued.service'), 0);
    await systemctl('stop', 'again', 'queued');
    await Promise.all([adapter.ended('again.service'), adapter.ended('queued.service')]);
  });

  it('does not lose a unit over daemon-reload and daemon-reexec', async () => {
    await run('kept', 'sleep', 'infinity');
    await run('short', 'sleep', 'infinity');
    await adapter.watch('kept.service');
    await adapter.watch('short.service');
    await systemctl('daemon-reload');
    await systemctl('daemon-reexec');
    await systemctl('stop', 'short');
    await adapter.ended('short.service');
    await sleep(QUIET_MS);
    assert.equal(adapter.countEnded('kept.service'), 0);
    await systemctl('stop', 'kept');
    await adapter.ended('kept.service');
  });

  it('sees after a restart of the bus what ended meanwhile, and what lives on', async () => {
    await run('meanwhile', 'sleep', 'infinity');
    await run('beyond', 'sleep', 'infinity');
    await adapter.watch('meanwhile.service');
    await adapter.watch('beyond.service');
    adapter.events.length = 0;
    await systemctl('kill', '-s', 'KILL', 'dbus.service');
    await adapter.until(event => event['connected'] === false);
    await systemctl('stop', 'dbus.socket', 'dbus.service');
    await systemctl('stop', 'meanwhile');
    assert.equal(adapter.countEnded('meanwhile.service'), 0);
    await startBus();
    await adapter.ended('meanwhile.service');
    await sleep(QUIET_MS);
    assert.equal(adapter.countEnded('beyond.service'), 0);
    await systemctl('stop', 'beyond');
    await adapter.ended('beyond.service');
  });

  it('follows a hundred units at once, and a name that no unit can have among them', async () => {
    const units = Array.from({ length: 100 }, (_, index) => `many-${index}.service`);
    await Promise.all(units.map(unit => run(unit, 'sleep', 'infinity')));
    for (const unit of [...units.slice(0, 50), 'template@.service', ...units.slice(50)]) {
      await adapter.watch(unit);
    }
    await adapter.ended('template@.service');
    assert.equal(adapter.countEnded('many-99.service'), 0);
    await systemctl('stop', 'many-*');
    await Promise.all(units.map(unit => adapter.ended(unit)));
  });

  it('lets everybody look up, and asks the bus who acquires', async () => {
    const busctl = (uid: number, ...argv: readonly string[]) => machine.run(['busctl', ...argv], { uid });
    const call = (uid: number, method: string, ...argv: readonly string[]) =>
      busctl(uid, 'call', NAME, PATH, NAME, method, ...argv);
    const acquire = ['Acquire', 'sa{sv}', 'foo.service', '1', 'lifetime', 's', 'explicit'] as const;
    assert.match((await call(DAEMON, ...acquire)).stderr, /the user 1 may not acquire users/);
    assert.match((await call(0, ...acquire)).stdout, /^uusbs 61184 61184 "foo" true/);
    assert.equal((await call(DAEMON, 'GetDynamicUsers')).stdout, 'a(us) 1 61184 "foo"\n');
    assert.match((await busctl(DAEMON, 'introspect', NAME, PATH)).stdout, /^\.GetDynamicUsers +method +- +a\(us\)/m);
    const properties = await busctl(DAEMON, 'get-property', NAME, PATH, NAME, 'Anything');
    assert.match(properties.stderr, /Access denied|rejected/i);
  });

  it('keeps no process alive, and says nothing of trouble', async () => {
    assert.equal(await adapter.stop(), 0);
    assert.deepEqual(
      adapter.events.filter(event => 'trouble' in event),
      [],
    );
  });

  it('has files that the bus takes', async () => {
    assert.match(
      await machine.output(['busctl', 'list', '--activatable', '--no-legend']),
      /^io\.dynuser\.Allocator1 /m,
    );
    const complaints = await machine.output(['journalctl', '-b', '--no-pager', '-t', 'dbus-daemon']);
    // A file that it cannot read, by its path.
    assert.doesNotMatch(complaints, /dynuser\.Allocator1\.(?:conf|service)/);
  });
});
