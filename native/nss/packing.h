/*
 * Owns the records of a dynamic user as C structures: which fields they have and how they lie in the caller's buffer.
 * Every string and every array is in there, the arrays aligned whatever the buffer's alignment, since callers pass any.
 * A group is packed with its members, which are read on the way (memberships.h). errno is left alone.
 */
#ifndef DYNUSER_NSS_PACKING_H
#define DYNUSER_NSS_PACKING_H

#include "identity.h"

struct destination;

/*
 * Packs a user into a destination. 0, or ERANGE: the buffer is too small, and what is in it means nothing. One signature for all: the
 * record is a struct passwd (pwd.h), struct group (grp.h), struct spwd (shadow.h) or struct sgrp (gshadow.h), in this order.
 */
typedef int pack_function(const struct identity *who, const struct destination *destination);

/* What the caller wants a user packed into, and by which function. */
struct destination {
	pack_function *pack;
	void *record;
	char *buffer;
	size_t size;
	int *error_number;
};

pack_function pack_passwd;
pack_function pack_group;
pack_function pack_shadow;
pack_function pack_gshadow;

#endif
