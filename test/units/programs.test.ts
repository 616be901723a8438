/**
 * Programs of Debian, started from the unit files that they come with by the real systemd, and by dynuser-run on a host without:
 * they do their work under both, and what they see is the same but for what dynuser-run(1) tells.
 */
// time limit: 1800 s
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DYNUSER_NSSWITCH } from '../support/installed.ts';
import { Machine } from '../support/machine.ts';
import { showDifference } from '../system/launch/differences.ts';
import type { ComparedUnit } from '../system/launch/units.ts';
import { Worlds } from '../system/launch/worlds.ts';
import { fetchPackages, installPackages, unitFileIn } from './debian.ts';
import { Host, unitFileOf } from './programs/host.ts';
import { PROGRAMS, type Program } from './programs/table.ts';

/**
 * How the report is started and where it prints to is the comparison's; it ends by itself, and is not started again. Whom a
 * service tells that it is ready, and that it lives, is decided by what starts the launcher.
 */
const OF_THE_COMPARISON = /^(?:Exec\w+|Type|NotifyAccess|WatchdogSec|Restart|PIDFile|Standard(?:Input|Output|Error))=/;

/** A unit with the settings of a program's, for the report in the program's place. */
async function comparedUnit(packages: readonly string[], program: Program): Promise<ComparedUnit> {
  const { file, instance } = unitFileOf(program);
  const text = (await unitFileIn(packages, file)).replace(/\\\n/g, ' ');
  const service = /^\[Service\]\n(.*?)(?=^\[|$(?![\s\S]))/ms.exec(text)?.[1] ?? '';
  const lines = service
    .split('\n')
    .filter(line => /^[A-Z]/.test(line) && !OF_THE_COMPARISON.test(line))
    // The manual, by which differences are known, has one word for it.
    .map(line => line.replace(/=(?:true|on)$/, '=yes').replace(/=(?:false|off)$/, '=no'));
  const name = `world-${file.replace(/\.service$/, '')}`;
  return { name, ...(instance === undefined ? {} : { instance }), lines: [...lines, ...(program.forReport ?? [])] };
}

describe('programs of Debian', () => {
  let worlds: Worlds;
  let plain: Machine;
  let hosts: readonly Host[];
  let compared: ReadonlyMap<Program, ComparedUnit>;

  before(async () => {
    const packages = await fetchPackages([...new Set(PROGRAMS.flatMap(program => program.packages))]);
    compared = new Map(
      await Promise.all(PROGRAMS.map(async program => [program, await comparedUnit(packages, program)] as const)),
    );
    const install = (machine: Machine): Promise<void> => installPackages(machine, packages);
    [worlds, plain] = await Promise.all([
      Worlds.boot([...compared.values()], install),
      Machine.boot({ init: 'plain', stage: true, varLib: 'disk', nsswitch: DYNUSER_NSSWITCH }),
    ]);
    await install(plain);
    hosts = [Host.ofSystemd(worlds.machine), await Host.ofLauncher(plain)];
  });
  after(async () => {
    await worlds?.stop();
    await plain?.stop();
  });

  for (const program of PROGRAMS) {
    it(`${program.unit} works`, async () => {
      await Promise.all(hosts.map(host => host.tryOut(program)));
    });

    it(`${program.unit} sees the same`, async () => {
      const unit = compared.get(program);
      assert.ok(unit !== undefined);
      const { started, undocumented } = await worlds.compare(unit);
      assert.ok(started, 'neither starts it');
      assert.equal(undocumented.map(showDifference).join('\n'), '');
    });
  }
});
