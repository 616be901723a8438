/*
 * Owns the question whether somebody else lists our users in the same enumeration: nss-systemd, and systemd-userdbd, ask the
 * daemon by its socket in the user database. To be listed once, our module then lists nobody. Lookups by name and number
 * are not concerned: the first source that knows a user ends them.
 */
#ifndef DYNUSER_NSS_SIBLING_H
#define DYNUSER_NSS_SIBLING_H

#include <stdbool.h>
#include <stddef.h>

/* A file that is longer counts as one that does not name systemd. */
#define SWITCH_FILE_MAX (32U * 1024U)

/*
 * Whether another source lists our users. database: of nsswitch.conf(5), such as "passwd". Where that cannot be told the answer
 * is no: to be listed twice is better than not at all. buffer: of SWITCH_FILE_MAX + 1 bytes at least.
 */
bool sibling_lists_us(const char *runtime, const char *database, char *buffer);

/* Whether the text of an nsswitch.conf names the service for the database, in its last line for it, as glibc reads it. */
bool switch_names(const char *text, const char *database, const char *service);

#endif
