/*
 * Owns the list of all dynamic users at one moment, for enumeration: asked for once, whole or not at all. It is plain
 * memory, without descriptor or lock, so a process that inherits it by fork(2) has its own.
 */
#ifndef DYNUSER_NSS_SNAPSHOT_H
#define DYNUSER_NSS_SNAPSHOT_H

#include "bounds.h"
#include "reply.h"

/* Memory that is not written to costs nothing, so there is room for the longest list from the start. */
struct snapshot {
	size_t count;
	struct identity users[LIST_RECORDS_MAX];
};

/*
 * Asks for all users. 0 and a snapshot for snapshot_free(), an empty one where no daemon is there, or another source of the
 * database lists them (sibling.h); or the errors of userdb.h.
 */
int snapshot_take(const char *database, enum record_kind kind, struct snapshot **snapshot);

/* NULL is allowed. */
void snapshot_free(struct snapshot *snapshot);

#endif
