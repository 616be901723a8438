/** dynuserctl doctor: looks the host over. */
import type { Client } from '../../client/client.ts';
import type { Handler, Invocation } from '../command.ts';
import { type DoctorInput, examine } from '../doctor/examine.ts';
import type { Finding } from '../doctor/finding.ts';
import { beginTrial, endTrial, trialName } from '../doctor/trial.ts';
import { CommandFailure, type ExitStatus, onFailure } from '../failure.ts';
import { statusHere } from '../fleet/this-host.ts';
import { thisHost } from '../host.ts';
import { askDaemon } from '../leases.ts';
import { print } from '../print.ts';
import type { ProcessIo } from '../process-io.ts';
import { renderFindings } from '../render/doctor.ts';
import { publicSocket, withClient } from '../with-client.ts';

export const doctor: Handler = async (invocation, io) => {
  // The module's switch is for whoever must not be answered: what is asked here is whether it answers.
  const { DYNUSER_NSS_BYPASS: _, ...environment } = io.environment;
  const host = thisHost(environment);
  const daemon = await askDaemon(io);
  // It may not tell this user, or be one that knows of no fleet.
  const fleet = daemon.reachable ? await statusHere(io).catch(onFailure(() => undefined)) : undefined;
  const input: DoctorInput = { host, daemon, socket: publicSocket(environment), now: io.now(), fleet };
  const tries = invocation.options.has('try') && daemon.reachable;
  const findings = await (tries ? examineWithTrial(input, io) : examine(input));
  return await report(findings, invocation, io);
};

/** @returns 1 if there is a problem */
export async function report(findings: readonly Finding[], invocation: Invocation, io: ProcessIo): Promise<ExitStatus> {
  await print(findings, invocation, io, renderFindings);
  return findings.some(({ level }) => level === 'problem') ? 1 : 0;
}

/** @throws CommandFailure if it is interrupted, after which nothing of the trial is left */
async function examineWithTrial(input: DoctorInput, io: ProcessIo): Promise<Finding[]> {
  using interruption = io.listenForInterruption();
  const interrupted = new Promise<never>((_, reject) => {
    interruption.signal.addEventListener('abort', () => reject(new CommandFailure(INTERRUPTED)), { once: true });
  });
  // It may be rejected before anybody waits for it; the race below sees that all the same.
  interrupted.catch(() => {});
  // Leaving withClient closes the client, and that ends the lease.
  return await withClient(io, client => Promise.race([interrupted, tryOnce(client, input)]));
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
