/** Whether the daemon answers, and is of the same version as this command. */
import type { Lease } from '../../../api/generated/io-dynuser-allocator.ts';
import type { DaemonInfo } from '../../../client/client.ts';
import { type Finding, findingsOf } from '../finding.ts';

export type DaemonFacts =
  | { readonly reachable: true; readonly service: DaemonInfo; readonly leases: readonly Lease[] }
  | { readonly reachable: false; readonly problem: string };

/** @param version of this command */
export function judgeDaemon(daemon: DaemonFacts, version: string): Finding[] {
  const { ok, warning, problem } = findingsOf('Daemon');
  if (!daemon.reachable) {
    return [problem(daemon.problem, 'start it, or restart it if it hangs; live users still resolve meanwhile')];
  }
  const { service } = daemon;
  const name = `${service.product} ${service.version}`;
  return service.version === version
    ? [ok(`${name} answers`)]
    : [warning(`${name} answers, and this command is of version ${version}`, 'restart dynuserd after an update')];
}
