/*
 * Owns the question who is in which shared group. A link says it: <runtime>/members/<gid> leads to "NAME,NAME…" and
 * <runtime>/groups/<name> to "GID,GID…"; without one there are no members or groups. The daemon is asked if the links are not
 * visible, the environment says so, or the link says that the list is too long for one. If the answer cannot be found out, it is an empty
 * list: a group has a name even while the daemon is away. Errno is left alone.
 */
#ifndef DYNUSER_NSS_MEMBERSHIPS_H
#define DYNUSER_NSS_MEMBERSHIPS_H

#include "bounds.h"
#include "identity.h"

/*
 * Writes the names of the members of a group into size bytes at text, with commas in between and a NUL, and their length without it to
 * *length. 0, or ERANGE: there is no room.
 */
int members_of(const struct identity *group, char *text, size_t size, size_t *length);

/* Writes the numbers of the shared groups of a user, any text, to gids, and returns how many there are. */
size_t groups_of(const char *user, gid_t gids[GROUPS_MAX]);

#endif
