/*
 * Reads the links by which the daemon publishes its users: <runtime>/by-uid/<uid> leads to the name, <runtime>/by-name/<name> to the
 * number. One readlink(2) is a whole lookup: no daemon is asked, and no reader sees a state between two answers.
 */
#ifndef DYNUSER_NSS_LINKS_H
#define DYNUSER_NSS_LINKS_H

#include "identity.h"

enum links_answer {
	LINKS_FOUND,
	LINKS_ABSENT,  /* there is no such user: no such link, or a malformed one */
	LINKS_UNKNOWN, /* the links are not visible, as in a chroot that has only the socket */
};

/* By number, which must be possible. runtime has at most RUNTIME_DIRECTORY_MAX bytes. *who is set if it is found. */
enum links_answer links_by_uid(const char *runtime, uid_t uid, struct identity *who);

/* The same by name, which must be possible. */
enum links_answer links_by_name(const char *runtime, const char *name, struct identity *who);

#endif
