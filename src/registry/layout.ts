/** The names below the runtime directory; native/include/dynuser.h says the public ones to the native code. */

export const RUNTIME_DIRECTORY = '/run/dynuser';
/** Links uid → name, one for each live dynamic user: what the NSS module reads. */
export const BY_UID = 'by-uid';
/** Links name → uid. */
export const BY_NAME = 'by-name';
/** The socket, named after the service in the user database. */
export const SOCKET = 'io.dynuser.DynamicUser';
/** The socket of those who may acquire, to which nobody else can connect. */
export const ALLOCATOR_SOCKET = 'io.dynuser.Allocator';
/** Lease files of dynamic users, by UID. Not for others to read: the public part is the links and the socket. */
export const LEASES = 'leases';
/** Lease files of static users that are in use, by name, since several names may share a number. */
export const STATIC_LEASES = 'static';
/** Files that were found where leases belong and are none. */
export const SET_ASIDE = 'set-aside';
/** Held by the one daemon of the runtime directory. */
export const DAEMON_LOCK = 'dynuserd.lock';
/** Marks a lease file that is being written: an intent until it is renamed. */
export const INTENT_SUFFIX = '.new';
/** Marks the lease file of a user that ends. */
export const ENDING_SUFFIX = '.end';

export const PUBLIC_MODE = 0o755;
export const PRIVATE_MODE = 0o700;
