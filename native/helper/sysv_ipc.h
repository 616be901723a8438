/*
 * Owns the search for System V IPC objects (sysvipc(7)) of a UID or GID, in this process's IPC namespace, and what such an object
 * says. Reads only.
 *
 * Whoever has an object can give it to any UID and GID (IPC_SET of shmctl(2), semctl(2), msgctl(2)), so its owner proves nothing.
 * Its creator cannot be changed, and keeps the owner's rights. An object counts for the number that created it, and for the one
 * that has it if its creator is a dynamic user; any other was given by a stranger. A segment that is marked for destruction
 * (SHM_DEST) counts for nobody.
 */
#ifndef DYNUSER_HELPER_SYSV_IPC_H
#define DYNUSER_HELPER_SYSV_IPC_H

#include "protocol.h"
#include "uid_range.h"

struct sysv_kind;

/* An object as it was found. */
struct sysv_object {
	const struct sysv_kind *kind;
	const char *name; /* of the kind: the word of the protocol */
	/* has a sequence number in it, so that it is never that of an object which came to the same place later */
	int id;
	uint32_t uid, gid, creator_uid, creator_gid;
	bool is_doomed; /* marked for destruction */
	bool is_attached;
};

/* Whether a stranger gave it to the number. */
bool sysv_was_given(const struct sysv_object *object, uint32_t number, const struct uid_range *dynamic);

/* Is told of each object; returns whether the walk is to end. */
typedef bool visit_sysv(void *data, const struct sysv_object *object);

/* Visits all objects. Returns false if the kernel refuses to tell of one, with errno set. */
bool walk_sysv(visit_sysv *visit, void *data);

/*
 * Looks for an object that counts for the number. *given becomes true if one was met before it that a stranger gave.
 * Returns whether the answer was written: the first object, or an error.
 */
bool find_sysv_ipc(uint32_t number, const struct uid_range *dynamic, bool *given, struct answer *answer);

/*
 * Removes an object, if the caller may do so; if not, errno is EPERM. An attached segment lives on, marked for destruction, as one that
 * is root's and that nobody has a right to attach.
 */
bool sysv_remove(const struct sysv_object *object);

#endif
