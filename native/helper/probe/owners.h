/*
 * Owns who has a name or a number on this host: what NSS says, and the service manager's dynamic users, whether NSS has them or
 * not.
 */
#ifndef DYNUSER_HELPER_PROBE_OWNERS_H
#define DYNUSER_HELPER_PROBE_OWNERS_H

#include <stdbool.h>

#include "accounts.h"

struct owners {
	bool has_user, has_group;
	struct account user, group;
};

/* Looks for a user and for a group of that name. Returns false with the error as the answer if a source failed to say. */
bool find_owners(const char *name, struct owners *owners, struct answer *answer);

struct owner {
	bool is_group;
	struct account account;
};

/* Looks for a user with that number, or else for a group; as those of accounts.h. */
enum lookup find_owner(uint32_t number, struct owner *owner, struct answer *answer);

#endif
