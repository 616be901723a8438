/** An allocator for the D-Bus interface that is a table: no host, no rights but that root alone acquires. */
import { DynuserError } from '../../src/core/errors.ts';
import type {
  AcquiredOnBus,
  AcquireParameters,
  BusAllocator,
  BusCaller,
  BusUser,
  BusUserChange,
} from '../../src/dbus/port.ts';

export class TableAllocator implements BusAllocator {
  readonly table = new Map<string, BusUser & { readonly lease: string }>();
  readonly #listeners = new Set<(change: BusUserChange) => void>();
  /** what the callers were said to be, and what they asked */
  readonly seen: { readonly parameters: AcquireParameters; readonly caller: BusCaller }[] = [];
  /** what acquire() waits for before it answers */
  gate: () => Promise<void> = () => Promise.resolve();

  async acquire(parameters: AcquireParameters, caller: BusCaller): Promise<AcquiredOnBus> {
    this.seen.push({ parameters, caller });
    await this.gate();
    if (caller.uid !== 0) {
      throw new DynuserError('NotPermitted', `the user ${caller.uid} may not acquire users`);
    }
    if (caller.closed) {
      throw new DynuserError('HostFailed', 'nobody is there any more');
    }
    const name = String(parameters['unit']).replace(/\.service$/, '');
    const uid = 61184 + this.table.size;
    const lease = uid.toString(16).padStart(32, '0');
    this.table.set(name, { uid, name, lease });
    this.#tell({ kind: 'allocated', uid, name });
    if (parameters['lifetime'] !== 'explicit') {
      caller.onClose(() => this.#end(name));
    }
    return { uid, gid: uid, userName: name, dynamic: true, lease };
  }

  async release(lease: string): Promise<void> {
    const user = [...this.table.values()].find(each => each.lease === lease);
    if (user === undefined) {
      throw new DynuserError('NoSuchLease', `no live lease has the id ${lease}`);
    }
    this.#end(user.name);
  }

  uidOf(name: string): number | undefined {
    return this.table.get(name)?.uid;
  }

  nameOf(uid: number): string | undefined {
    return [...this.table.values()].find(user => user.uid === uid)?.name;
  }

  users(): Iterable<BusUser> {
    return this.table.values();
  }

  onChange(listener: (change: BusUserChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #end(name: string): void {
    const user = this.table.get(name);
    if (user !== undefined) {
      this.table.delete(name);
      this.#tell({ kind: 'released', uid: user.uid, name });
    }
  }

  #tell(change: BusUserChange): void {
    for (const listener of this.#listeners) {
      listener(change);
    }
  }
}
