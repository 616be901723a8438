/** What the connections of a server share, and what the server knows of each: types alone. */
import type { ConnectionTable } from './connection-table.ts';
import type { Services } from './dispatch.ts';
import type { ServerLimits } from './limits.ts';
import type { OutputBudget } from './output-budget.ts';
import type { ServerConnection } from './server-connection.ts';
import type { Rank, Turns } from './turns.ts';

/** What went wrong without anybody to be told on the wire. */
export interface Failure {
  /** the connection that it happened on, Connection.id */
  readonly connection?: number;
  /** a peer's faults are its own, and it can cause any number of them; the service's are for its operators to mend */
  readonly fault: 'peer' | 'service';
  readonly what: string;
  readonly cause?: unknown;
}

/** What the connections of a server share. */
export interface ConnectionHost<P> extends Services<P> {
  readonly limits: ServerLimits;
  readonly table: ConnectionTable<ServerConnection<P>>;
  readonly budget: OutputBudget<ServerConnection<P>>;
  /** when requests are answered */
  readonly turns: Turns;
  /** what peers send is read into one of these, of privileged peers and of others */
  readonly input: { readonly privileged: Buffer; readonly others: Buffer };
  /** whether connections are to end as soon as they have nothing under way */
  readonly draining: boolean;
  /** milliseconds that only ever grow */
  now(): number;
  onFailure(failure: Failure): void;
}

/** Whose connection it is. */
export interface Identity<P> {
  readonly peer: P;
  readonly quotaKey: string | number;
  readonly privileged: boolean;
  readonly rank: Rank;
}
