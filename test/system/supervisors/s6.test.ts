/** s6: s6-svscan over service directories on tmpfs, with run scripts in execline. */
import { exampleFiles } from '../../support/examples.ts';
import { proveSupervisor } from '../../support/supervisors/proofs.ts';
import { runSupervisor } from '../../support/supervisors/service.ts';

const SCANNED = '/run/service';

proveSupervisor('s6', ['s6', 'execline'], async ({ machine }) => {
  for (const { path, text } of exampleFiles('docs/supervisors.md', 's6')) {
    await machine.write(`${SCANNED}/${path}`, text, 0o755);
  }
  await runSupervisor(machine, ['s6-svscan', SCANNED]);
  const svc = (option: string, service: string) => machine.output(['s6-svc', option, `${SCANNED}/${service}`]);
  return {
    async pid(service) {
      const { stdout } = await machine.run(['s6-svstat', '-o', 'up,pid', `${SCANNED}/${service}`]);
      const pid = /^true (\d+)$/.exec(stdout.trim())?.[1];
      return pid === undefined ? undefined : Number(pid);
    },
    signal: signal => svc(signal === 'HUP' ? '-h' : '-1', 'web'),
    start: service => svc('-u', service),
    stop: service => svc('-d', service),
    restart: service => svc('-r', service),
  };
});
