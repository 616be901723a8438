/*
 * Owns the one question behind all entry points, "who is this?", and the choice of whom to ask: the rules for numbers and names first
 * (no system call), then the links by which the daemon publishes its users, and the socket if the links are not there to see or the
 * environment says so. Those that live on other hosts of a fleet come last. Errno is left alone.
 */
#ifndef DYNUSER_NSS_LOOKUP_H
#define DYNUSER_NSS_LOOKUP_H

#include "userdb.h"

/*
 * Takes anything, sets *who on success, and returns 0, ENOENT (no such dynamic user, or nobody to ask), or the errors of userdb.h if a
 * daemon is there that gives no answer.
 */
int lookup(const struct query *query, struct identity *who);

#endif
