/*
 * The list of all dynamic users at one moment, for enumeration: whole or not at all. It is plain memory, without descriptor or lock,
 * so that a process that inherits it by fork(2) has its own copy.
 */
#ifndef DYNUSER_NSS_SNAPSHOT_H
#define DYNUSER_NSS_SNAPSHOT_H

#include "bounds.h"
#include "reply.h"

/* Has room for the longest list from the start: memory that is not written to costs nothing. */
struct snapshot {
	size_t count;
	struct identity users[LIST_RECORDS_MAX];
};

/*
 * Asks for all users. Returns 0 and a snapshot for snapshot_free(), an empty one if there is no daemon or another source of the
 * database lists them (sibling.h); or an error of userdb.h.
 */
int snapshot_take(const char *database, enum record_kind kind, struct snapshot **snapshot);

/* NULL is allowed. */
void snapshot_free(struct snapshot *snapshot);

#endif
