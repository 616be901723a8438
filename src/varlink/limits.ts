/** The bounds of the library: everything that a peer can make grow ends at one of these. */

/** How deep a JSON message may nest. The deepest of a usual service has about ten levels. */
export const JSON_DEPTH_MAX = 64;
/** How deep a type of an interface definition may nest, as systemd's parser has it. */
export const IDL_DEPTH_MAX = 64;
/** The longest path of a UNIX socket in bytes: sun_path of unix(7) without its terminating NUL. */
export const SOCKET_PATH_MAX = 107;
/** Connections that the kernel queues for accept; it cuts this to net.core.somaxconn (listen(2)). */
export const LISTEN_BACKLOG = 4_096;

/** What one server lets its peers use. Counts are of connections, times in milliseconds, sizes in bytes. */
export interface ServerLimits {
  /** the longest request; one that is longer ends its connection as soon as that shows */
  readonly maxFrameBytes: number;
  /** the same for privileged peers */
  readonly maxFrameBytesPrivileged: number;
  /** connections in all */
  readonly maxConnections: number;
  /** connections of one quota key; privileged peers are exempt */
  readonly maxConnectionsPerPeer: number;
  /** of maxConnections, places that only privileged peers may take */
  readonly reservedConnections: number;
  /** how long a connection may stay open without a call under way and without a hold */
  readonly idleTimeoutMs: number;
  /** how long after its first byte a request must be complete */
  readonly frameTimeoutMs: number;
  /** replies that a peer who does not read them may have waiting */
  readonly maxQueuedBytes: number;
  /** the same for all connections together; past it the one with the most waiting is closed */
  readonly maxQueuedBytesInAll: number;
  /** connections that wait for their turn to be admitted, in all and of one quota key; more are closed at once */
  readonly maxNewConnections: number;
  readonly maxNewConnectionsPerPeer: number;
}

export const DEFAULT_SERVER_LIMITS: ServerLimits = {
  maxFrameBytes: 64 * 1024,
  // What a launcher sends: unit files with all that they include, and an environment.
  maxFrameBytesPrivileged: 6 * 1024 * 1024,
  maxConnections: 4_096,
  maxConnectionsPerPeer: 512,
  reservedConnections: 256,
  idleTimeoutMs: 60_000,
  frameTimeoutMs: 10_000,
  // The list of a full table, sent at once to a peer that has yet to read the first of it.
  maxQueuedBytes: 16 * 1024 * 1024,
  maxQueuedBytesInAll: 64 * 1024 * 1024,
  maxNewConnections: 2_048,
  maxNewConnectionsPerPeer: 512,
};

/**
 * What is done in one turn of the event loop for peers of one rank: pieces of work, such as a request, and the milliseconds after
 * which no other is begun. The longest piece that a peer can ask for comes on top.
 */
export const TURN_PIECES_MAX = 64;
export const TURN_MS_MAX = 1;
/** Replies of one call that are one piece of work. */
export const REPLIES_A_PIECE = 64;
/** Connections that one listening socket is asked for in one turn, and the milliseconds after which it is asked no more. */
export const ACCEPTS_PER_TURN_MAX = 512;
export const ACCEPT_MS_MAX = 2;
/** What is read from a peer at a time: a hostile peer cannot keep more than this in memory before it is looked at. */
export const READ_BYTES_MAX = 16 * 1024;
/** The same for privileged peers, whose requests are longer. */
export const READ_BYTES_PRIVILEGED_MAX = 64 * 1024;

/** Waiting output past which a sender is told to slow down, and the next pipelined request waits. */
export const OUTPUT_HIGH_WATER_BYTES = 64 * 1024;
/** Input behind a call that is under way past which no more is read. One read adds at most READ_BYTES_PRIVILEGED_MAX. */
export const READ_AHEAD_BYTES_MAX = 16 * 1024;
/** How often deadlines are looked at; each may be late by this much. */
export const SWEEP_INTERVAL_MS = 1_000;

/** The longest reply that a client takes, as systemd's buffers have it. */
export const CLIENT_FRAME_BYTES_MAX = 16 * 1024 * 1024;
/** How long a client waits for the connection, and for the reply to a call. */
export const CLIENT_TIMEOUT_MS = 90_000;
/** Calls that a client may have under way on one connection. */
export const CLIENT_CALLS_MAX = 1_024;
/** Replies of a stream that wait for their reader; then no more are read from the socket. */
export const CLIENT_STREAM_AHEAD_MAX = 256;
