/** OpenRC: services under supervise-daemon. */
import { exampleFiles } from '../../support/examples.ts';
import { proveSupervisor } from '../../support/supervisors/proofs.ts';
import { BOOTED } from './openrc-boot.ts';

proveSupervisor('OpenRC', ['openrc'], async ({ machine }) => {
  for (const { path, text } of exampleFiles('docs/supervisors.md', 'OpenRC')) {
    await machine.write(path, text, 0o755);
  }
  await machine.sh(BOOTED);
  const service = (name: string, ...verb: string[]) => machine.output(['rc-service', name, ...verb]);
  await service('web', 'start');
  return {
    async pid(name) {
      // What supervise-daemon keeps of the process that it started; openrc-run(8), service_get_value.
      const { stdout } = await machine.run(['cat', `/run/openrc/options/${name}/child_pid`]);
      return stdout === '' ? undefined : Number(stdout);
    },
    signal: signal => machine.output(['supervise-daemon', 'web', '--signal', signal], { env: { RC_SVCNAME: 'web' } }),
    start: name => service(name, 'start'),
    stop: name => service(name, 'stop'),
    restart: name => service(name, 'restart'),
  };
});
