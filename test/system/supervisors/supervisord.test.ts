/** supervisord, with Debian's own main configuration. */
import { exampleFiles } from '../../support/examples.ts';
import { proveSupervisor } from '../../support/supervisors/proofs.ts';
import { runSupervisor } from '../../support/supervisors/service.ts';

proveSupervisor('supervisord', ['supervisor'], async ({ machine }) => {
  for (const { path, text } of exampleFiles('docs/supervisors.md', 'supervisord')) {
    await machine.write(path, text);
  }
  await runSupervisor(machine, ['supervisord', '-n', '-c', '/etc/supervisor/supervisord.conf']);
  const control = (...argv: string[]) => machine.output(['supervisorctl', ...argv]);
  return {
    async pid(service) {
      const pid = Number((await machine.run(['supervisorctl', 'pid', service])).stdout);
      return pid > 0 ? pid : undefined;
    },
    signal: signal => control('signal', signal, 'web'),
    // It says "spawn error" if the program ended at once, and tries again.
    start: service => machine.run(['supervisorctl', 'start', service]),
    stop: service => control('stop', service),
    restart: service => control('restart', service),
  };
});
