/** The bounds on the bus. Times are in milliseconds. */

/** The whole of opening a connection: socket, authentication, Hello. */
export const OPEN_TIMEOUT_MS = 5_000;
/** One call to the bus or to systemd. */
export const CALL_TIMEOUT_MS = 5_000;
/** Between two attempts to reach the bus: from the first to the last, doubling. */
export const RETRY_FIRST_MS = 250;
export const RETRY_LAST_MS = 10_000;
/** How long signals wait for others: most users that live for a moment cost the bus and its listeners one wake-up then. */
export const SIGNAL_DELAY_MS = 20;
/** Until systemd is asked again if it did not answer: it hears nothing while it reloads its units. */
export const LOOK_RETRY_MS = 2_000;
/**
 * How long a request waits for a systemd that is not on the bus, or did not take a subscription: it is away for a moment while it
 * executes itself anew. Longer than LOOK_RETRY_MS, so that the wait includes the second attempt.
 */
export const SYSTEMD_WAIT_MS = 5_000;
/**
 * How long a caller that holds a lease stays believed in while the bus is away. A bus that is gone for good has ended
 * the connections of its clients too.
 */
export const CALLER_GRACE_MS = 10_000;

/**
 * The longest message that is read; the bus itself lets any user send 32 MiB and more (dbus-daemon(1),
 * max_message_size).
 */
export const MESSAGE_BYTES_MAX = 64 * 1024;
/**
 * How many values the body of a message may hold: to decode 16,000 of them, which have room in MESSAGE_BYTES_MAX, takes a tenth of a
 * second. The most that we ask for is systemd's answer about UNITS_PER_LOOK units, eleven values each; an Acquire of all options with
 * the most directories has fewer.
 */
export const VALUES_MAX = 1_024;
/** The same for the bus itself: the groups of a caller may be many, and nobody else can send as the bus. */
export const VALUES_FROM_BUS_MAX = 20_000;
/** How deep containers and variants may lie in each other; the deepest that we ask for is 4. */
export const DEPTH_MAX = 16;
/** The specification has nine header fields, none of which is a container. */
export const HEADER_FIELDS_MAX = 32;
export const HEADER_VALUES_MAX = 256;
/** Calls and signals of one sender that wait for their turn; a further one is refused. */
export const QUEUED_PER_SENDER_MAX = 256;
/** What may wait of all senders together; beyond that the last message of the sender with the most is refused. */
export const QUEUED_BYTES_MAX = 4 * 1024 * 1024;
/** What may wait to be taken by the bus; beyond that the connection is given up. */
export const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;
/** Units in one question to systemd. */
export const UNITS_PER_LOOK = 32;
/** Acquire and Release calls under way: of one caller, and of all but root. */
export const CALLS_PER_CALLER_MAX = 16;
export const CALLS_MAX = 256;
