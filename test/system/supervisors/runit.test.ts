/** runit: runsvdir over /etc/service, as Debian has it. */
import { exampleFiles } from '../../support/examples.ts';
import { proveSupervisor } from '../../support/supervisors/proofs.ts';
import { runSupervisor } from '../../support/supervisors/service.ts';

proveSupervisor('runit', ['runit'], async ({ machine }) => {
  for (const { path, text } of exampleFiles('docs/supervisors.md', 'runit')) {
    await machine.write(path, text, 0o755);
  }
  // /etc/service is a link to a directory of runlevels, which the package's own scripts would make.
  await machine.output([
    'sh',
    '-c',
    'cd /etc/runit/runsvdir && mkdir -p current && ln -s /etc/sv/dynuserd /etc/sv/web current',
  ]);
  await runSupervisor(machine, ['runsvdir', '-P', '/etc/service']);
  const sv = (verb: string, service: string) => machine.run(['sv', verb, service]);
  return {
    async pid(service) {
      // run: web: (pid 123) 4s, want down
      const pid = /^run: \w+: \(pid (\d+)\)/.exec((await sv('status', service)).stdout)?.[1];
      return pid === undefined ? undefined : Number(pid);
    },
    signal: signal => machine.output(['sv', signal === 'HUP' ? 'hup' : '1', 'web']),
    start: service => sv('start', service),
    stop: service => machine.output(['sv', 'stop', service]),
    restart: service => machine.output(['sv', 'restart', service]),
  };
});
