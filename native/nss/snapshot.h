/*
 * Owns the list of all dynamic users at one moment, for enumeration: asked for once, whole or not at all. It is plain
 * memory, without descriptor or lock, so a process that inherits it by fork(2) has its own.
 */
#ifndef DYNUSER_NSS_SNAPSHOT_H
#define DYNUSER_NSS_SNAPSHOT_H

#include "reply.h"

struct snapshot {
	size_t count, capacity;
	struct identity users[];
};

/* Asks for all users. 0 and a snapshot for free(3), an empty one where no daemon is there; or the errors of userdb.h. */
int snapshot_take(enum record_kind kind, struct snapshot **snapshot);

#endif
