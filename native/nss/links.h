/*
 * Owns the reading of the links by which the daemon publishes its users: <runtime>/by-uid/<uid> says the name,
 * <runtime>/by-name/<name> says the number. One readlink(2) is a whole lookup: no daemon is asked, and there is no
 * state between an old and a new answer.
 */
#ifndef DYNUSER_NSS_LINKS_H
#define DYNUSER_NSS_LINKS_H

#include "identity.h"

enum links_answer {
	LINKS_FOUND,
	LINKS_ABSENT,  /* there is no such user: no such link, or one that says nothing that makes sense */
	LINKS_UNKNOWN, /* the links are not there to see, as in a chroot that has just the socket */
};

/* By number, which must be possible. runtime has at most RUNTIME_DIRECTORY_MAX bytes. *who is set where found. */
enum links_answer links_by_uid(const char *runtime, uid_t uid, struct identity *who);

/* The same by name, which must be possible. */
enum links_answer links_by_name(const char *runtime, const char *name, struct identity *who);

#endif
