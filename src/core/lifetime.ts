/** The lifetimes of leases: one row for each name of the interface definition. */
import { LIFETIMES, type Lifetime } from './wire-names.ts';

export { LIFETIMES, type Lifetime };

/** What a lease of a lifetime keeps of a process: the one that it ends with, the one that may claim it from the next daemon, or none. */
export type KeptProcess = 'bound' | 'claimant' | 'none';

const KEPT_PROCESS: Readonly<Record<Lifetime, KeptProcess>> = {
  connection: 'claimant',
  process: 'bound',
  unit: 'none',
  explicit: 'none',
};

export function keptProcess(lifetime: Lifetime): KeptProcess {
  return KEPT_PROCESS[lifetime];
}

/** Whether a lease of that lifetime may be as it was read, with a process or without one. */
export function fitsLifetime(lifetime: Lifetime, hasProcess: boolean): boolean {
  const kept = keptProcess(lifetime);
  // A claimant that could not be seen is not kept, and cannot come back.
  return hasProcess ? kept !== 'none' : kept !== 'bound';
}
