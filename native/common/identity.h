/*
 * What a dynamic user is to native code, a number and a name, and the strict rules for both. Pure: no system call, no allocation, and it
 * reads no more than it says.
 */
#ifndef DYNUSER_IDENTITY_H
#define DYNUSER_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "dynuser.h"

/* A dynamic user. Its group has the same number and the same name. */
struct identity {
	uid_t uid;
	char name[DYNUSER_NAME_MAX + 1];
};

/* Whether a dynamic user can have this number: the configurable bounds without nobody and the 16-bit -1. */
bool uid_is_possible(uid_t uid);

/*
 * Whether a dynamic user can have this name: ^[A-Za-z_][A-Za-z0-9_-]{0,30}$ whatever the locale.
 * Reads at most DYNUSER_NAME_MAX + 1 bytes. A null pointer is not a name.
 */
bool name_is_possible(const char *name);

/*
 * Reads a UID from exactly length bytes of decimal text: no sign, no leading zero, no space, nothing
 * after it, and possible for a dynamic user. False, with *uid untouched, for everything else.
 */
bool uid_from_text(const char *text, size_t length, uid_t *uid);

/* Makes an identity of a name that is possible and a number. */
struct identity identity_of(uid_t uid, const char *name);

#endif
