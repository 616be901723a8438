/** dynuserctl doctor: looks the host over. */
import type { Client } from '../../client/client.ts';
import type { Handler } from '../command.ts';
import type { DaemonFacts } from '../doctor/checks/daemon.ts';
import { type DoctorInput, examine } from '../doctor/examine.ts';
import type { Finding } from '../doctor/finding.ts';
import type { Host } from '../doctor/host.ts';
import { thisHost } from '../doctor/this-host.ts';
import { beginTrial, endTrial, trialName } from '../doctor/trial.ts';
import { CommandFailure } from '../failure.ts';
import { HOST_LOOKUP_PATHS } from '../host-lookups.ts';
import { layoutOf } from '../layout.ts';
import { listLeases } from '../leases.ts';
import type { ProcessIo } from '../process-io.ts';
import { renderFindings } from '../render/doctor.ts';
import { renderJson } from '../render/json.ts';
import { publicSocket, withClient } from '../with-client.ts';

/** @param hostOf the host that is looked at, with the environment of the programs that are run on it */
export function doctorOf(hostOf: (environment: ProcessIo['environment']) => Host): Handler {
  return async (invocation, io) => {
    // The module's switch is for whoever must not be answered: what is asked here is whether it answers.
    const { DYNUSER_NSS_BYPASS: _, ...environment } = io.environment;
    const host = hostOf(environment);
    const daemon = await askDaemon(io);
    const input: DoctorInput = {
      ...{ host, daemon },
      socket: publicSocket(environment),
      now: io.now(),
      userDatabase: HOST_LOOKUP_PATHS.userDatabase,
    };
    const tries = invocation.options.has('try') && daemon.reachable;
    const findings = await (tries ? examineWithTrial(input, io) : examine(input));
    await io.output.write(
      invocation.json === 'off'
        ? renderFindings(findings, layoutOf(invocation, io))
        : renderJson(findings, invocation.json),
    );
    return findings.some(({ level }) => level === 'problem') ? 1 : 0;
  };
}

export const doctor: Handler = doctorOf(thisHost);

/** @throws CommandFailure if it is interrupted, after which nothing of the trial is left */
async function examineWithTrial(input: DoctorInput, io: ProcessIo): Promise<Finding[]> {
  const interruption = io.listenForInterruption();
  const interrupted = new Promise<never>((_, reject) => {
    interruption.signal.addEventListener('abort', () => reject(new CommandFailure(INTERRUPTED)), { once: true });
  });
  // It may come before anybody waits for it, who then sees it all the same.
  interrupted.catch(() => {});
  try {
    // Leaving withClient closes the client, and that ends the lease.
    return await withClient(io, client => Promise.race([interrupted, tryOnce(client, input)]));
  } finally {
    interruption.dispose();
  }
}

const INTERRUPTED = 'interrupted: the user of the trial ends with this command';

async function tryOnce(client: Client, input: DoctorInput): Promise<Finding[]> {
  const { finding, lease } = await beginTrial(client, trialName());
  if (lease === undefined) {
    return [...(await examine(input)), finding];
  }
  const findings = await examine({ ...input, trial: lease });
  return [...findings, finding, await endTrial(lease, input.host)];
}

async function askDaemon(io: ProcessIo): Promise<DaemonFacts> {
  try {
    return await withClient(io, async client => {
      return { reachable: true, service: client.daemon, leases: await listLeases(client) };
    });
  } catch (error) {
    if (error instanceof CommandFailure) {
      return { reachable: false, problem: error.message };
    }
    throw error;
  }
}
