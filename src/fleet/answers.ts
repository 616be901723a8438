/** What answers of the companion mean, and the errors that are made of them. */
import { DynuserError, reasonOf } from '../core/errors.ts';
import { VarlinkError } from '../varlink/errors.ts';

/** @returns which error of its interface the companion has answered with; undefined if it is something else */
export function codeOf(error: unknown): string | undefined {
  return error instanceof VarlinkError ? error.error.slice(error.error.lastIndexOf('.') + 1) : undefined;
}

/** What an answer of the companion means for whoever reads the log. */
export function wordsOf(error: unknown): string {
  if (!(error instanceof VarlinkError)) {
    return reasonOf(error);
  }
  const { parameters } = error;
  const said = (key: string) => JSON.stringify(String(parameters[key] ?? '').slice(0, 200));
  switch (codeOf(error)) {
    case 'StoreUnavailable':
      return `the store of the fleet does not answer: ${said('reason')}`;
    case 'NoFleet':
      return `the store has no fleet ${said('fleet')}; create it ('dynuserctl fleet create')`;
    case 'RangesDiffer':
      return `the fleet gives out the UIDs ${said('ranges')}, but FleetUidRange= names others; make them the same on all hosts`;
    case 'HostAlive':
      return `another machine with the same /etc/machine-id is a member, and is called ${said('hostName')}; give one of the two another (systemd-machine-id-setup), or wait a minute if it was this one`;
    case 'NotMember':
      return 'the store knows this host by another incarnation: it was given up, or another machine has taken its place';
    case 'Restoring':
      return 'the store was restored from a backup, and names get no UID before all hosts have put their bindings again';
    case 'NotPermitted':
      return `dynuser-fleetd serves root alone: ${said('reason')}`;
    default:
      return `dynuser-fleetd has answered ${error.error.slice(0, 100)}`;
  }
}

export function conflictOf(reason: string, field = 'fleet'): DynuserError {
  return new DynuserError('FleetConflict', reason, { field });
}
