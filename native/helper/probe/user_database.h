/*
 * Owns what nss-systemd(8) would look through beside the service manager: the services that have a socket, and records in
 * files (systemd's docs/USER_GROUP_API.md, nss-systemd(8)). Most hosts have neither, and it takes hundreds of system calls to
 * find that out, for each lookup anew.
 */
#ifndef DYNUSER_HELPER_PROBE_USER_DATABASE_H
#define DYNUSER_HELPER_PROBE_USER_DATABASE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Whether a name, or a number, may be known to nss-systemd beside the manager's users: there is a record in a file, or a socket
 * of others than the manager, dynuser and those who tell what others know, or it is one that nss-systemd makes up itself.
 * True also if that cannot be told.
 */
bool user_database_may_have_name(const char *name);
bool user_database_may_have_number(uint32_t number);

#endif
