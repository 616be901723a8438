/**
 * A machine in which a unit file is run by the real systemd and by dynuser-run, one after the other and each on a host without
 * a trace of the other, and what a program sees inside is compared fact by fact.
 */
import assert from 'node:assert/strict';
import { Installed } from '../../support/installed.ts';
import { Machine } from '../../support/machine.ts';
import { readSource } from '../../support/sources.ts';
import { type Difference, type Documented, differencesOf, documentedDifferences, isAbout } from './differences.ts';
import { type Facts, factsOf, HOST_REPORT, hostFactsOf, NOT_STARTED, REPORT, REPORT_SCRIPT } from './report.ts';
import { CLEAN_SCRIPT, type ComparedUnit, HOST_SCRIPT } from './units.ts';

const UNIT_FILES = '/etc/systemd/system';
const OUTPUT = '/run/report-output';
/** Other bounds than systemd's own, so that it is seen whose a program has. */
const STARTER = ['systemd-run', '--wait', '--pipe', '--quiet', '-pLimitNOFILE=2000:3000'];

function unitText({ lines, places = [] }: ComparedUnit): string {
  const output = `StandardOutput=truncate:${OUTPUT}`;
  return ['[Service]', 'Type=oneshot', output, ...lines, `ExecStart=${[REPORT, ...places].join(' ')}`, ''].join('\n');
}

const NO_WORLD: Facts = new Map([[NOT_STARTED, '']]);

export interface Comparison {
  /** false: neither of them could start it, so that there was nothing to compare */
  readonly started: boolean;
  /** what is different and not in dynuser-run(1) */
  readonly undocumented: readonly Difference[];
}

/** @returns what dynuserd(8) says to add to the unit, so that the daemon filters packets */
function packetDropIn(): string {
  const [, text = ''] =
    /^To filter the packets[\s\S]*?^\.Bd .*\n([\s\S]*?)^\.Ed$/m.exec(readSource('src/manual/dynuserd.8')) ?? [];
  assert.ok(text.startsWith('[Service]\n'), 'dynuserd(8) has no lines for it');
  return text;
}

export class Worlds {
  readonly machine: Machine;
  readonly #documented = documentedDifferences();
  readonly #seen = new Set<Documented>();

  private constructor(machine: Machine) {
    this.machine = machine;
  }

  /** @param prepare has the machine to itself before the units are there */
  static async boot(
    units: readonly ComparedUnit[],
    prepare: (machine: Machine) => Promise<void> = async () => undefined,
  ): Promise<Worlds> {
    const sources = 'files dynuser systemd';
    const nsswitch = { passwd: sources, group: sources };
    const machine = await Machine.boot({ init: 'systemd', stage: true, varLib: 'disk', nsswitch });
    await prepare(machine);
    await machine.write(REPORT, REPORT_SCRIPT, 0o755);
    // Of some names of the units the preferred UID is the same, and systemd lets none cool down.
    await machine.write('/etc/dynuser/dynuserd.conf', 'CoolDownSec=0\n');
    await machine.output(['sh', '-ec', HOST_SCRIPT]);
    for (const unit of units) {
      await machine.write(`${UNIT_FILES}/${unit.name}.service`, unitText(unit));
    }
    await machine.write('/run/systemd/system/dynuserd.service.d/packets.conf', packetDropIn());
    // As on a host, where systemd does it; in what it takes for a container it does not.
    await machine.output(['mount', '--make-rshared', '/']);
    await machine.output(['systemctl', 'daemon-reload']);
    await machine.output(['systemctl', 'start', 'dynuserd.socket']);
    return new Worlds(machine);
  }

  stop(): Promise<void> {
    return this.machine.stop();
  }

  /** Runs a unit that boot() was given, twice. */
  async compare(unit: ComparedUnit): Promise<Comparison> {
    const clean = ['sh', '-ec', CLEAN_SCRIPT];
    const theirs = await this.#reportOfSystemd(unit);
    await this.machine.output(clean);
    const ours = await this.#reportOfLauncher(unit);
    await this.machine.output(clean);
    const undocumented = differencesOf(theirs, ours).filter(difference => {
      const rows = this.#documented.filter(row => isAbout(row, difference, unit));
      for (const row of rows) {
        this.#seen.add(row);
      }
      return rows.length === 0;
    });
    return { started: theirs !== NO_WORLD || ours !== NO_WORLD, undocumented };
  }

  /** @returns the rows of dynuser-run(1) that no unit so far has shown */
  unseen(): Documented[] {
    return this.#documented.filter(row => !this.#seen.has(row));
  }

  async #reportOfSystemd({ name, instance = '' }: ComparedUnit): Promise<Facts> {
    const { status } = await this.machine.run(['systemctl', 'start', `${name}${instance}.service`]);
    return status === 0 ? this.#report() : NO_WORLD;
  }

  async #reportOfLauncher({ name, instance }: ComparedUnit): Promise<Facts> {
    const which = instance === undefined ? [] : [`--instance=${instance}`];
    const argv = [...STARTER, 'dynuser-run', `--unit-file=${UNIT_FILES}/${name}.service`, ...which];
    const { status } = await this.machine.run(argv);
    // The daemon takes what it left after its end.
    await new Installed(this.machine).untilNothingIsKept();
    return status === 0 ? this.#report() : NO_WORLD;
  }

  /** What the program saw, and the directories and links that outlive it. */
  async #report(): Promise<Facts> {
    const ofProgram = factsOf(await this.machine.output(['cat', OUTPUT]));
    return new Map([...ofProgram, ...hostFactsOf(await this.machine.sh(HOST_REPORT))]);
  }
}
