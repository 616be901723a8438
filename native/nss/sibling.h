/*
 * Whether another source lists our users in the same enumeration: nss-systemd and systemd-userdbd ask the daemon by its socket in the
 * user database. Then our module lists nobody, so that each user is listed once. Lookups by name and number are not affected: they
 * end at the first source that knows the user.
 */
#ifndef DYNUSER_NSS_SIBLING_H
#define DYNUSER_NSS_SIBLING_H

#include <stdbool.h>

/* A longer file counts as one that does not name systemd. */
#define SWITCH_FILE_MAX (32U * 1024U)

/*
 * Whether another source lists our users. database: of nsswitch.conf(5), such as "passwd". False if that cannot be told: a user that
 * is listed twice is better than one that is not. buffer: at least SWITCH_FILE_MAX + 1 bytes.
 */
bool sibling_lists_us(const char *runtime, const char *database, char *buffer);

#endif
