/** Writes the lease file of a user that lives anew, in place of the one that it has. */
import type { DynamicUser } from '../core/lease.ts';
import type { Registry } from './ports.ts';

/**
 * Intent and commit, as in making; the user that was there stays if either fails, and no intent is left beside it.
 * @throws DynuserError LimitReached, HostFailed: the registry's
 */
export function writeLease(registry: Pick<Registry, 'intend' | 'commit' | 'forget'>, user: DynamicUser): void {
  registry.intend(user);
  try {
    registry.commit(user);
  } catch (error) {
    registry.forget(user);
    throw error;
  }
}
