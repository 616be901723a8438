/*
 * Owns the one question behind all entry points, "who is this?", and the choice of whom to ask: the rules for numbers
 * and names first (no system call), then the links, and the socket where the links are not there to see or the
 * environment says so. Errno is left alone.
 */
#ifndef DYNUSER_NSS_LOOKUP_H
#define DYNUSER_NSS_LOOKUP_H

#include "reply.h"

/*
 * Both take anything, set *who on success, and return 0, ENOENT (no such dynamic user, or nobody to ask), or the errors
 * of userdb.h where a daemon is there that gives no answer.
 */
int lookup_by_uid(enum record_kind kind, uid_t uid, struct identity *who);
int lookup_by_name(enum record_kind kind, const char *name, struct identity *who);

#endif
