/** dynuserctl doctor: looks the host over. */
import type { Handler } from '../commands.ts';
import { withDaemon } from '../daemon.ts';
import type { DaemonFacts } from '../doctor/checks/daemon.ts';
import { examine } from '../doctor/examine.ts';
import type { Host } from '../doctor/host.ts';
import { thisHost } from '../doctor/this-host.ts';
import { CommandFailure } from '../failure.ts';
import { HOST_LOOKUP_PATHS } from '../host-lookups.ts';
import { layoutOf } from '../layout.ts';
import { listLeases } from '../leases.ts';
import { renderFindings } from '../render/doctor.ts';
import { renderJson } from '../render/json.ts';
import { checkServiceInfo } from '../replies.ts';
import { socketPath } from '../socket-path.ts';
import type { Surroundings } from '../surroundings.ts';

/** @param hostOf the host that is looked at, with the environment of the programs that are run on it */
export function doctorOf(hostOf: (environment: Surroundings['environment']) => Host): Handler {
  return async (invocation, surroundings) => {
    // The module's switch is for whoever must not be answered: what is asked here is whether it answers.
    const { DYNUSER_NSS_BYPASS: _, ...environment } = surroundings.environment;
    const findings = await examine({
      host: hostOf(environment),
      socket: socketPath(environment),
      daemon: await askDaemon(surroundings),
      now: surroundings.now(),
      userDatabase: HOST_LOOKUP_PATHS.userDatabase,
    });
    await surroundings.output.write(
      invocation.json === 'off'
        ? renderFindings(findings, layoutOf(invocation, surroundings))
        : renderJson(findings, invocation.json),
    );
    return findings.some(({ level }) => level === 'problem') ? 1 : 0;
  };
}

export const doctor: Handler = doctorOf(thisHost);

async function askDaemon(surroundings: Surroundings): Promise<DaemonFacts> {
  try {
    return await withDaemon(surroundings, async daemon => {
      const service = checkServiceInfo(await daemon.call('org.varlink.service.GetInfo'));
      return { reachable: true, service, leases: await listLeases(daemon) };
    });
  } catch (error) {
    if (error instanceof CommandFailure) {
      return { reachable: false, problem: error.message };
    }
    throw error;
  }
}
