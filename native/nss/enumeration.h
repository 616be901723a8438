/*
 * Owns the place of a process in the list of all users, one for each database: the state behind setXent(3) and its
 * kin, which the interface makes global. The socket is asked outside of the lock, and the state is right at every
 * moment, so a fork(2) at any time, by any thread, leaves a child that can go on.
 */
#ifndef DYNUSER_NSS_ENUMERATION_H
#define DYNUSER_NSS_ENUMERATION_H

#include "fork_lock.h"
#include "packing.h"
#include "snapshot.h"

/* All zeros but the name: not begun. */
struct enumeration {
	const char *database;	/* of nsswitch.conf(5) */
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
 * Packs the next user. 0; ENOENT at the end; ERANGE where the buffer is too small, and the same user is then the next
 * again; EAGAIN where another thread blocks the list; or the errors of userdb.h. errno is left alone.
 */
int enumeration_next(struct enumeration *enumeration, enum record_kind kind, pack_function *pack, void *record,
		     char *buffer, size_t size);

#endif
