/*
 * Owns the place of a process in the list of all users, one for each database: the state behind setXent(3) and its kin, which the
 * interface makes global. The list is of one moment, whole or not at all, and plain memory, without descriptor or lock. The socket is
 * asked outside of the lock, and the state is right at every moment, so a fork(2) at any time, by any thread, leaves a child that can
 * go on with its own copy.
 */
#ifndef DYNUSER_NSS_ENUMERATION_H
#define DYNUSER_NSS_ENUMERATION_H

#include "fork_lock.h"
#include "packing.h"
#include "reply.h"

struct snapshot;

/* All zeros but the first two: not begun. */
struct enumeration {
	const char *database; /* of nsswitch.conf(5) */
	enum record_kind kind;
	struct fork_lock lock;
	_Atomic(struct snapshot *) snapshot;
	_Atomic(size_t) position;
};

/*
 * Forgets list and place: for setXent and endXent. The next step asks anew. False: another thread blocks the list, and
 * it stays. errno is left alone.
 */
bool enumeration_reset(struct enumeration *enumeration);

/*
 * Packs the next user. 0; ENOENT at the end; ERANGE if the buffer is too small, and the same user is then the next again; EAGAIN if
 * another thread blocks the list; ENOMEM; or the errors of userdb.h. The list is empty if there is no daemon, or another source of the
 * database lists the users (sibling.h). errno is left alone.
 */
int enumeration_next(struct enumeration *enumeration, const struct destination *destination);

#endif
