/*
 * What the entry points return: how a user that was found becomes what glibc expects (the GNU C Library manual, "The Interface of the
 * Function in NSS Modules").
 *
 * The status that they return:
 *   SUCCESS   found, and packed
 *   NOTFOUND  no such user, or no daemon
 *   TRYAGAIN  *error_number is ERANGE: the buffer is too small; nothing was consumed
 *   UNAVAIL   *error_number says why: the daemon hangs or answers nonsense
 * *error_number is set only with the last two: callers pass &errno, which is otherwise left alone.
 */
#ifndef DYNUSER_NSS_ANSWER_H
#define DYNUSER_NSS_ANSWER_H

#include <nss.h>

#include "enumeration.h"
#include "packing.h"
#include "reply.h"

/* One of the symbols of libnss_dynuser.map, which hides all others. */
#define NSS_EXPORT __attribute__((visibility("default")))

/* What the caller wants a user packed into, and by which function. */
struct destination {
	pack_function *pack;
	void *record;
	char *buffer;
	size_t size;
	int *error_number;
};

enum nss_status answer_uid(enum record_kind kind, uid_t uid, const struct destination *destination);
enum nss_status answer_name(enum record_kind kind, const char *name, const struct destination *destination);
enum nss_status answer_next(struct enumeration *enumeration, enum record_kind kind,
			    const struct destination *destination);
/* For setXent and endXent. */
enum nss_status answer_reset(struct enumeration *enumeration);

#endif
