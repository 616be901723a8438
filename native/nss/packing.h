/*
 * Owns the records of a dynamic user as C structures: which fields they have and how they lie in the caller's buffer.
 * Every string and every array is in there, the arrays aligned whatever the buffer's alignment, since callers pass any.
 * Pure; touches errno not at all.
 */
#ifndef DYNUSER_NSS_PACKING_H
#define DYNUSER_NSS_PACKING_H

#include "identity.h"

/*
 * Packs a user into a record and size bytes at buffer. 0, or ERANGE with nothing written: the buffer is too small.
 * One signature for all, so that enumeration.h can call each: record is a struct passwd (pwd.h), struct group (grp.h),
 * struct spwd (shadow.h) or struct sgrp (gshadow.h), in this order.
 */
typedef int pack_function(const struct identity *who, void *record, char *buffer, size_t size);

pack_function pack_passwd;
pack_function pack_group;
pack_function pack_shadow;
pack_function pack_gshadow;

#endif
