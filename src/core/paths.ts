/** Names and places that the daemon, its clients and the native code share (native/include/dynuser.h). */

export const RUNTIME_DIRECTORY = '/run/dynuser';
/** The environment variable that names another one. */
export const RUNTIME_DIRECTORY_VARIABLE = 'DYNUSER_RUNTIME_DIRECTORY';
/** Who had which UID, and the environment variable that names another directory for it. */
export const HISTORY_DIRECTORY = '/var/lib/dynuser/history';
export const HISTORY_DIRECTORY_VARIABLE = 'DYNUSER_HISTORY_DIRECTORY';
/** Links uid → name, one for each live dynamic user: what the NSS module reads. */
export const BY_UID = 'by-uid';
/** Links name → uid. */
export const BY_NAME = 'by-name';
/** Links uid → the process that the user lasts as long as, if there is one; who finds it gone asks the daemon to look. */
export const HOLDERS = 'holders';
/** Links gid → the members of a shared group, "NAME,NAME…", or MEMBERS_ASKED if there are more than a link has room for. */
export const MEMBERS = 'members';
/** Links name → the gids of the shared groups that a user is in, "GID,GID…". */
export const GROUPS = 'groups';
/** Instead of the members: the daemon is asked for them. */
export const MEMBERS_ASKED = '*';
/** The socket, named after the service in the user database. */
export const SOCKET = 'io.dynuser.DynamicUser';
/** What systemd-report(1) calls this service, and each of its metrics begins with: a link to the socket has this name. */
export const METRICS_SERVICE = 'io.dynuser';
/** The socket of those who may acquire, to which nobody else can connect. */
export const ALLOCATOR_SOCKET = 'io.dynuser.Allocator';
/** The directory with the socket of nscd's protocol: bound to /run/nscd, it is where programs that ask no NSS module look. */
export const NSCD_DIRECTORY = 'nscd';
/** The directory that launchers mount the images of a service at, each in a mount namespace that nobody else sees. */
export const IMAGES_DIRECTORY = 'images';
/** The program that holds the connection to the store of a fleet: its socket, which root alone can connect to, and the user that it runs as. */
export const COMPANION_SOCKET = '/run/dynuser-fleetd/io.dynuser.Fleet';
export const COMPANION_USER = 'dynuser-fleetd';
/** The users of other hosts of the fleet, below the runtime directory: what the NSS module searches after the links. */
export const FLEET_SNAPSHOT = 'fleet.snapshot';
/** What this host holds of a fleet: it outlives the boot. */
export const FLEET_DIRECTORY = '/var/lib/dynuser/fleet';
