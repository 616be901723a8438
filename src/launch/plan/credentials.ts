/** Where a service finds its credentials, and how they come into its plan. Pure. */
import type { LaunchPlan } from '../../api/generated/io-dynuser-allocator.ts';
import { defined } from '../defined.ts';
import { CREDENTIALS, credentialsOf } from '../properties/credentials.ts';
import type { ResolvedLaunch } from './request.ts';

type Launched = Pick<ResolvedLaunch, 'settings' | 'unit'>;

/** @returns undefined if the service is given none */
export function credentialsDirectory({ settings, unit = '' }: Launched): string | undefined {
  const { LoadCredential, ImportCredential, SetCredential } = settings;
  const isGiven = [LoadCredential, ImportCredential, SetCredential].some(list => list.length > 0);
  return isGiven ? `${CREDENTIALS}/${fullName(unit)}` : undefined;
}

/** @returns the fields of the plan */
export function planCredentials({ settings, unit }: Launched): Pick<LaunchPlan, 'credentials' | 'unit'> {
  const { LoadCredential, ImportCredential, SetCredential } = settings;
  const credentials = credentialsOf(LoadCredential, ImportCredential, SetCredential);
  return credentials.length === 0 ? {} : defined({ credentials, unit: unit && fullName(unit) });
}

function fullName(unit: string): string {
  return unit.endsWith('.service') ? unit : `${unit}.service`;
}
