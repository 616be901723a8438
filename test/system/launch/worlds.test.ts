/**
 * One unit file, run by the real systemd and by dynuser-run, one after the other and each on a host without a trace of the
 * other: what a program sees inside is compared fact by fact. What differs is what dynuser-run(1) says, and all of that.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Installed } from '../../support/installed.ts';
import { Machine } from '../../support/machine.ts';
import { type Documented, differencesOf, documentedDifferences, isAbout, showDifference } from './differences.ts';
import { type Facts, factsOf, REPORT, REPORT_SCRIPT } from './report.ts';
import { CLEAN_SCRIPT, type ComparedUnit, HOST_SCRIPT, UNITS } from './units.ts';

const UNIT_FILES = '/etc/systemd/system';
const OUTPUT = '/run/report-output';
/** Other bounds than systemd's own, so that it is seen whose a program has. */
const STARTER = ['systemd-run', '--wait', '--pipe', '--quiet', '-pLimitNOFILE=2000:3000'];

function unitText({ lines, places = [] }: ComparedUnit): string {
  const output = `StandardOutput=truncate:${OUTPUT}`;
  return ['[Service]', 'Type=oneshot', output, ...lines, `ExecStart=${[REPORT, ...places].join(' ')}`, ''].join('\n');
}

describe('the same unit file, run by systemd and by dynuser-run', () => {
  let machine: Machine;
  const documented = documentedDifferences();
  const seen = new Set<Documented>();

  before(async () => {
    const sources = 'files dynuser systemd';
    const nsswitch = { passwd: sources, group: sources };
    machine = await Machine.boot({ init: 'systemd', stage: true, varLib: 'disk', nsswitch });
    await machine.write(REPORT, REPORT_SCRIPT, 0o755);
    // Of some names of the units the preferred UID is the same, and systemd lets none cool down.
    await machine.write('/etc/dynuser/dynuserd.conf', 'CoolDownSec=0\n');
    await machine.output(['sh', '-ec', HOST_SCRIPT]);
    for (const unit of UNITS) {
      await machine.write(`${UNIT_FILES}/${unit.name}.service`, unitText(unit));
    }
    // As on a host, where systemd does it; in what it takes for a container it does not.
    await machine.output(['mount', '--make-rshared', '/']);
    await machine.output(['systemctl', 'daemon-reload']);
    await machine.output(['systemctl', 'start', 'dynuserd.socket']);
  });
  after(() => machine.stop());

  const reportOfSystemd = async ({ name, instance = '' }: ComparedUnit): Promise<Facts> => {
    await machine.output(['systemctl', 'start', `${name}${instance}.service`]);
    return factsOf(await machine.output(['cat', OUTPUT]));
  };

  const reportOfLauncher = async ({ name, instance }: ComparedUnit): Promise<Facts> => {
    const which = instance === undefined ? [] : [`--instance=${instance}`];
    const argv = [...STARTER, 'dynuser-run', `--unit-file=${UNIT_FILES}/${name}.service`, ...which];
    const report = await machine.output(argv);
    await nothingStays();
    return factsOf(report);
  };

  /** The daemon takes what it left after its end. */
  const nothingStays = async (): Promise<void> => {
    const host = new Installed(machine);
    for (let tries = 0; (await host.traces()).length > 0; tries++) {
      assert.ok(tries < 500, 'the user does not end');
      await sleep(20);
    }
  };

  for (const unit of UNITS) {
    it(`${unit.name}: ${unit.lines.join(' ')}`, async () => {
      const clean = ['sh', '-ec', CLEAN_SCRIPT];
      const theirs = await reportOfSystemd(unit);
      await machine.output(clean);
      const ours = await reportOfLauncher(unit);
      await machine.output(clean);
      const undocumented = differencesOf(theirs, ours).filter(difference => {
        const rows = documented.filter(row => isAbout(row, difference, unit));
        for (const row of rows) {
          seen.add(row);
        }
        return rows.length === 0;
      });
      assert.equal(undocumented.map(showDifference).join('\n'), '');
    });
  }

  it('the page tells of no difference that there is not', () => {
    assert.equal(
      documented
        .filter(row => !seen.has(row))
        .map(showDifference)
        .join('\n'),
      '',
    );
  });
});
