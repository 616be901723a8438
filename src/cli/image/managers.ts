/** The service managers, by their commands: which one runs on this host, and how it is told of services that come and go. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { attempt } from '../attempt.ts';
import { CommandFailure } from '../failure.ts';
import { isThere } from '../host.ts';
import {
  MANAGER_TIMEOUT_MS,
  PROBE_OUTPUT_BYTES_MAX,
  SUPERVISOR_LOOKS_WITHIN_MS,
  SUPERVISOR_POLL_MS,
} from '../limits.ts';
import { printable } from '../render/text.ts';
import { MANAGER_TITLES, type ManagerName } from './manager-names.ts';

/** Where services of an attached image are. */
interface ServicesPlace {
  readonly runtime: boolean;
  /** the directory whose services a supervisor runs; undefined if they are in none */
  readonly scanDirectory: string | undefined;
}

export interface Manager {
  /** whether it runs on this host; a manager that does not is told nothing */
  readonly isRunning: () => boolean;
  /** the directory whose services it runs, if it is of that kind */
  readonly scanDirectories: readonly string[];
  /** Tells it that something was made or removed. */
  readonly reload: (where: ServicesPlace) => Promise<void>;
  /** @returns those that run */
  readonly running: (services: readonly string[]) => Promise<readonly string[]>;
  readonly start: (services: readonly string[]) => Promise<void>;
  readonly stop: (services: readonly string[]) => Promise<void>;
  /** Starts them at boot; undefined: that is a file that attach makes. */
  readonly enable?: (services: readonly string[], runtime: boolean) => Promise<void>;
  /** Removes the directories of services that have stopped; undefined: the manager has none. */
  readonly clean?: (services: readonly string[]) => Promise<void>;
  /** Has it let go of services that have stopped and are no longer in its directory, before their files go. */
  readonly release?: (services: readonly string[], where: ServicesPlace) => Promise<void>;
}

/** @returns the manager that runs on this host; undefined if none of these does */
export function detectManager(): ManagerName | undefined {
  const order: readonly ManagerName[] = ['systemd', 'openrc', 's6', 'runit'];
  return order.find(name => MANAGER_OF[name].isRunning());
}

/** @returns the directory whose services a manager runs; undefined if it is not of that kind. @throws CommandFailure if it is missing */
export function scanDirectoryOf(manager: ManagerName): string | undefined {
  const { scanDirectories } = MANAGER_OF[manager];
  const found = scanDirectories.find(isThere);
  if (found !== undefined) {
    return realpathSync(found);
  }
  if (scanDirectories.length === 0) {
    return undefined;
  }
  throw new CommandFailure(
    `${MANAGER_TITLES[manager]} has no directory of services here: it is not at ${scanDirectories.join(', ')}; make the one that it runs`,
  );
}

const systemd: Manager = {
  isRunning: () => isThere('/run/systemd/system'),
  scanDirectories: [],
  reload: async () => void (await told(['systemctl', 'daemon-reload'])),
  async running(units) {
    // Without a pattern it would list all of the host's.
    if (units.length === 0) {
      return [];
    }
    // Of a template its instances run.
    const patterns = units.map(unit => unit.replace('@.', '@*.'));
    const states = '--state=active,activating,deactivating,reloading';
    const output = await told(['systemctl', 'list-units', '--plain', '--no-legend', states, '--', ...patterns]);
    return output
      .split('\n')
      .map(line => line.trim().split(/\s+/)[0] ?? '')
      .filter(unit => unit !== '');
  },
  start: async units => void (await told(['systemctl', 'start', '--', ...units.filter(isStartable)])),
  async stop(units) {
    const running = await systemd.running(units);
    if (running.length > 0) {
      await told(['systemctl', 'stop', '--', ...running]);
    }
  },
  enable: async (units, runtime) => {
    await told(['systemctl', ...(runtime ? ['--runtime'] : []), 'enable', '--', ...units.filter(isStartable)]);
  },
  clean: async units => {
    const cleaned = units.filter(unit => isStartable(unit) && unit.endsWith('.service'));
    if (cleaned.length > 0) {
      await told(['systemctl', 'clean', '--what=all', '--', ...cleaned]);
    }
  },
  // The links by which they are started at boot lead to what is removed next.
  async release(units, { runtime }) {
    await told(['systemctl', ...(runtime ? ['--runtime'] : []), 'disable', '--no-warn', '--', ...units]);
  },
};

const openrc: Manager = {
  isRunning: () => isThere('/run/openrc/softlevel'),
  scanDirectories: [],
  // OpenRC reads /etc/init.d when it is asked for a service, and its cache of dependencies notices changes by itself.
  reload: async () => {},
  async running(services) {
    const states = await Promise.all(services.map(async name => (await run(['rc-service', name, 'status'])).status));
    // rc-service(8) exits with 3 if a service is stopped, and 1 if it is unknown; others run, have crashed, or start or stop.
    return services.filter((_, index) => states[index] !== 3 && states[index] !== 1);
  },
  start: services => eachTold(services, name => ['rc-service', name, 'start']),
  stop: services => eachTold(services, name => ['rc-service', name, 'stop']),
};

const runit: Manager = {
  isRunning: () => runs('runsvdir'),
  scanDirectories: ['/etc/service', '/var/service', '/service'],
  reload: async () => {},
  async running(services) {
    const outputs = await Promise.all(services.map(name => run(['sv', 'status', `/etc/sv/${name}`])));
    return services.filter((_, index) => /^(?:run|finish):/.test(outputs[index]?.output ?? ''));
  },
  async start(services) {
    // runsvdir(8) looks for new services every five seconds.
    await until(() => services.every(isSupervised));
    await eachTold(services, name => ['sv', '-w', '15', 'start', `/etc/sv/${name}`]);
  },
  stop: services => eachTold(services.filter(isSupervised), name => ['sv', '-w', '95', 'stop', `/etc/sv/${name}`]),
  async release(services) {
    await Promise.all(services.filter(isSupervised).map(name => run(['sv', '-w', '10', 'exit', `/etc/sv/${name}`])));
  },
};

const s6: Manager = {
  isRunning: () => runs('s6-svscan'),
  scanDirectories: ['/run/service', '/etc/s6/service', '/var/service', '/service'],
  async reload({ scanDirectory }) {
    if (scanDirectory !== undefined) {
      await told(['s6-svscanctl', '-an', scanDirectory]);
    }
  },
  async running(services) {
    const outputs = await Promise.all(services.map(name => run(['s6-svstat', '-o', 'up', `/etc/s6/sv/${name}`])));
    return services.filter((_, index) => outputs[index]?.output.trim() === 'true');
  },
  async start(services) {
    // s6-svscan has been told, and starts their supervisors in its own time.
    await until(async () => (await listening(services)).length === services.length);
    await eachTold(services, name => ['s6-svc', '-u', `/etc/s6/sv/${name}`]);
  },
  async stop(services) {
    for (const name of await s6.running(services)) {
      const directory = `/etc/s6/sv/${name}`;
      const stop = `${directory}/data/stop`;
      await told(isThere(stop) ? [stop] : ['s6-svc', '-d', directory]);
      await told(['s6-svwait', '-D', '-t', '95000', directory]);
    }
  },
  async release(services, where) {
    await s6.reload(where);
    await until(async () => (await listening(services)).length === 0);
  },
};

export const MANAGER_OF: Readonly<Record<ManagerName, Manager>> = { systemd, openrc, runit, s6 };

/** Of s6: those that an s6-supervise listens to. */
async function listening(services: readonly string[]): Promise<readonly string[]> {
  const outcomes = await Promise.all(services.map(name => run(['s6-svok', `/etc/s6/sv/${name}`])));
  return services.filter((_, index) => outcomes[index]?.status === 0);
}

/** Of runit: a runsv(8) listens to it. */
function isSupervised(service: string): boolean {
  return isThere(`/etc/sv/${service}/supervise/ok`);
}

/** Waits until something is so, for as long as a supervisor may take to look for it. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + SUPERVISOR_LOOKS_WITHIN_MS;
  while (!(await isSo()) && Date.now() < deadline) {
    await sleep(SUPERVISOR_POLL_MS);
  }
}

function isStartable(unit: string): boolean {
  return !unit.includes('@.');
}

/** @returns whether a program of that name runs on this host */
function runs(program: string): boolean {
  const commandOf = (pid: string) => attempt(() => readFileSync(`/proc/${pid}/comm`, 'latin1').trimEnd());
  return readdirSync('/proc').some(name => /^\d+$/.test(name) && commandOf(name) === program);
}

interface Outcome {
  readonly status: number | undefined;
  readonly output: string;
  readonly errors: string;
}

async function eachTold(
  services: readonly string[],
  argv: (name: string) => readonly [string, ...string[]],
): Promise<void> {
  for (const name of services) {
    await told(argv(name));
  }
}

/** @returns what the program prints. @throws CommandFailure if it fails */
async function told(argv: readonly [string, ...string[]]): Promise<string> {
  const { status, output, errors } = await run(argv);
  if (status !== 0) {
    const words = printable(
      (errors.trim() || output.trim() || `exit status ${status}`).split('\n').slice(0, 4).join('; '),
    );
    throw new CommandFailure(`${argv.slice(0, 4).join(' ')}: ${words}`);
  }
  return output;
}

function run([program, ...argv]: readonly [string, ...string[]]): Promise<Outcome> {
  const options = { timeout: MANAGER_TIMEOUT_MS, killSignal: 'SIGKILL', maxBuffer: PROBE_OUTPUT_BYTES_MAX } as const;
  return new Promise(resolve => {
    execFile(program, argv, options, (error, output, errors) => {
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : undefined;
      resolve({ status, output, errors: status === undefined ? `${error?.message}` : errors });
    }).stdin?.end();
  });
}
