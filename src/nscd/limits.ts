/** The limits of nscd's clients. They are separate from those of varlink, so that neither can use up what the other has. */

/** How long a connection may take to ask its question and to read the answer, in milliseconds. */
export const QUESTION_MS = 2_000;
/** An answer has less than a kilobyte: what a client does not read stays in its socket. */
const QUEUED_BYTES_MAX = 1024 * 1024;
/** Connections of one socket; one that does not dawdle is over in less than a millisecond. */
const CONNECTIONS_MAX = 512;
/** There is one connection for this many of varlink's. */
const SHARE = 8;
/** The socket for other root directories, and that of the host. */
const SOCKETS = 2;

/** @param connections how many a socket of varlink may have @returns what a socket of nscd's protocol may use */
export function nscdLimits(connections: number) {
  const maxConnections = Math.min(CONNECTIONS_MAX, Math.floor(connections / SHARE));
  // A quarter is root's, and another user has no more than that.
  const quarter = Math.ceil(maxConnections / 4);
  return {
    maxConnections,
    maxConnectionsPerPeer: quarter,
    reservedConnections: quarter,
    maxNewConnections: maxConnections,
    maxNewConnectionsPerPeer: quarter,
    maxQueuedBytesInAll: QUEUED_BYTES_MAX,
  };
}

export type NscdLimits = ReturnType<typeof nscdLimits>;

/** @returns how many descriptors the connections of all sockets may take */
export function nscdDescriptors(connections: number): number {
  const { maxConnections, maxNewConnections } = nscdLimits(connections);
  return SOCKETS * (maxConnections + maxNewConnections);
}
