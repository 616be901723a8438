/** Names and places that the daemon, its clients and the native code share (native/include/dynuser.h). */

export const RUNTIME_DIRECTORY = '/run/dynuser';
/** The environment variable that names another one. */
export const RUNTIME_DIRECTORY_VARIABLE = 'DYNUSER_RUNTIME_DIRECTORY';
/** Links uid → name, one for each live dynamic user: what the NSS module reads. */
export const BY_UID = 'by-uid';
/** Links name → uid. */
export const BY_NAME = 'by-name';
/** The socket, named after the service in the user database. */
export const SOCKET = 'io.dynuser.DynamicUser';
/** The socket of those who may acquire, to which nobody else can connect. */
export const ALLOCATOR_SOCKET = 'io.dynuser.Allocator';
