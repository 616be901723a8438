/* Owns who may see the shadow databases: root alone. */
#ifndef DYNUSER_NSS_SHADOW_ACCESS_H
#define DYNUSER_NSS_SHADOW_ACCESS_H

#include <stdbool.h>
#include <unistd.h>

/*
 * Whether the caller is root by its effective UID, as for shadow(5) itself. Nothing in our records is secret, but
 * programs take a record that they can read for the right to check a password with it.
 */
static inline bool caller_sees_shadow(void)
{
	return geteuid() == 0;
}

#endif
