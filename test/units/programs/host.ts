/** A host that starts a program of Debian from its unit file: with the real systemd, or with dynuser-run and no service manager. */

import { setTimeout as sleep } from 'node:timers/promises';
import { Installed } from '../../support/installed.ts';
import type { MachineProcess } from '../../support/machine/process.ts';
import type { Machine } from '../../support/machine.ts';
import { until } from '../../support/until.ts';
import { type Program, WORDS } from './table.ts';

/** In milliseconds: what starts on processors that others use as well. */
const WORKS_LIMIT_MS = 60_000;
const SERVERS = '/run/servers-of-test';
const LOG = '/run/log-of-test';

/** The manager of services of a host: how one is started, told to read its configuration again, ended, and where its words are. */
interface Manager {
  start(program: Program): Promise<void>;
  reload(program: Program): Promise<void>;
  stop(program: Program): Promise<void>;
  /** a shell function that prints the lines of the service with a pattern, and fails without one */
  logged(program: Program): string;
  /** It has ended, or could not be started: it is not worth while to wait for it. */
  hasFailed(program: Program): Promise<boolean>;
}

export class Host {
  readonly #machine: Machine;
  readonly #manager: Manager;

  private constructor(machine: Machine, manager: Manager) {
    this.#machine = machine;
    this.#manager = manager;
  }

  static ofSystemd(machine: Machine): Host {
    return new Host(machine, new Systemd(machine));
  }

  static async ofLauncher(machine: Machine): Promise<Host> {
    await machine.sh('ip link set lo up');
    await machine.spawn(['perl', '-e', LOG_SERVER]);
    await new Installed(machine).startDaemon();
    return new Host(machine, new Launcher(machine));
  }

  /** Starts the program, sees it work, and ends it. @throws Error that says what does not work, and what the service says */
  async tryOut(program: Program): Promise<void> {
    for (const [path, text] of Object.entries(program.files ?? {})) {
      await this.#machine.write(path, text);
    }
    await this.#machine.sh(`${PRELUDE}${program.before ?? ''}`);
    try {
      await this.#manager.start(program);
      await this.#works(program);
      if (program.reloads === true) {
        await this.#manager.reload(program);
        await this.#works(program);
      }
    } finally {
      await this.#manager.stop(program);
      await this.#machine.sh(`[ ! -e ${SERVERS} ] || kill $(cat ${SERVERS}) && rm -f ${SERVERS}`);
    }
  }

  async #works(program: Program): Promise<void> {
    let last = '';
    const logged = this.#manager.logged(program);
    await until(
      () => `${program.unit} works: ${last}`,
      async () => {
        // Of before the check: what ends by itself may have done its work.
        const failed = await this.#manager.hasFailed(program);
        const { status, stdout, stderr } = await this.#machine.run([
          'sh',
          '-c',
          `${PRELUDE}${logged}\nset -e\n${program.check}`,
        ]);
        last = `${stdout}${stderr}\n${status === 0 ? '' : (await this.#machine.run(['sh', '-c', `${logged}\nlogged .`])).stdout}`;
        if (status !== 0 && failed) {
          throw new Error(`${program.unit} ends: ${last}`);
        }
        return status === 0;
      },
      WORKS_LIMIT_MS,
    );
  }
}

const PRELUDE = `${WORDS}
serve() {
	setsid "$@" </dev/null >/dev/null 2>&1 &
	echo "$!" >>${SERVERS}
}
`;

/** What programs write their log to, where there is no journal: a host without systemd has a syslog. */
const LOG_SERVER = `use IO::Socket::UNIX;
my $socket = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => "/dev/log") or die $!;
chmod 0666, "/dev/log";
$socket->recv(my $line, 4096) while 1;`;

class Systemd implements Manager {
  readonly #machine: Machine;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  async start({ unit, socket }: Program): Promise<void> {
    await this.#machine.output(['systemctl', 'daemon-reload']);
    await this.#machine.output(['systemctl', 'start', socket === undefined ? unit : socketUnit(unit)]);
  }

  async reload({ unit }: Program): Promise<void> {
    await this.#machine.output(['systemctl', 'reload', unit]);
  }

  async stop({ unit, socket }: Program): Promise<void> {
    await this.#machine.output(['systemctl', 'stop', ...(socket === undefined ? [] : [socketUnit(unit)]), unit]);
  }

  async hasFailed({ unit }: Program): Promise<boolean> {
    return (await this.#machine.run(['systemctl', 'is-failed', unit])).status === 0;
  }

  logged({ unit }: Program): string {
    return `logged() { journalctl --quiet --output=cat --unit=${unit} | grep -e "$1"; }`;
  }
}

function socketUnit(unit: string): string {
  return unit.replace(/service$/, 'socket');
}

class Launcher implements Manager {
  readonly #machine: Machine;
  readonly #running = new Map<Program, MachineProcess>();
  readonly #mounts = new Map<Program, string>();

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  async start(program: Program): Promise<void> {
    const { socket } = program;
    this.#mounts.set(program, await this.#mountsOfHost());
    if (socket?.startsWith('/') === true) {
      await this.#machine.output(['sh', '-c', 'mkdir -p "$(dirname "$1")"', 'sh', socket]);
    }
    const listening = socket === undefined ? [] : ['systemd-socket-activate', `--listen=${socket}`];
    const argv = ['sh', '-c', `exec "$@" >${LOG} 2>&1`, 'sh', ...listening, ...commandFor(program)];
    this.#running.set(program, await this.#machine.spawn(argv));
  }

  async reload(program: Program): Promise<void> {
    await this.#machine.output([...commandFor(program), '--reload']);
  }

  /** Nothing stays of it: no process, no user, no mount. */
  async stop(program: Program): Promise<void> {
    await this.#machine.output([...commandFor(program), '--stop']);
    await this.#running.get(program)?.ended;
    await this.#machine.output([...commandFor(program), '--stop-post=0']);
    await new Installed(this.#machine).untilNothingIsKept();
    const mounts = await this.#mountsOfHost();
    if (mounts !== this.#mounts.get(program)) {
      throw new Error(`mounts stay: ${mounts}`);
    }
  }

  hasFailed(program: Program): Promise<boolean> {
    const ended = this.#running.get(program)?.ended.then(() => true);
    return Promise.race([ended ?? true, sleep(0, false)]);
  }

  logged(): string {
    return `logged() { grep -e "$1" ${LOG}; }`;
  }

  #mountsOfHost(): Promise<string> {
    return this.#machine.output(['findmnt', '--raw', '--noheadings', '--output', 'TARGET,SOURCE,FSTYPE']);
  }
}

function commandFor(program: Program): string[] {
  const { file, instance } = unitFileOf(program);
  return [
    'dynuser-run',
    `--unit-file=/usr/lib/systemd/system/${file}`,
    ...(instance === undefined ? [] : [`--instance=${instance}`]),
  ];
}

/** @returns the file of a unit, which is that of its template, and its instance */
export function unitFileOf({ unit, ownFile }: Program): { readonly file: string; readonly instance?: string } {
  const [, template, instance] = /^(.+@)(.+)\.service$/.exec(unit) ?? [];
  return ownFile === true || template === undefined || instance === undefined
    ? { file: unit }
    : { file: `${template}.service`, instance };
}
