/*
 * Owns what nss-systemd(8) would look through beside the service manager: the services that have a socket, and records in
 * files (systemd's docs/USER_GROUP_API.md, nss-systemd(8)). Most hosts have neither, and it takes hundreds of system calls to
 * find that out, for each lookup anew.
 */
#ifndef DYNUSER_HELPER_USER_DATABASE_H
#define DYNUSER_HELPER_USER_DATABASE_H

#include <stdbool.h>

/*
 * Whether nobody but the service manager is there to know users: no records in files, and of sockets only those of the
 * manager, of dynuser, and of those who tell what others know. False also where that cannot be told.
 */
bool user_database_has_manager_alone(void);

#endif
