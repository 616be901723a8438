/* Owns who has a name on this host: what NSS says, the service manager's dynamic users among it. */
#ifndef DYNUSER_HELPER_OWNERS_H
#define DYNUSER_HELPER_OWNERS_H

#include <stdbool.h>

#include "accounts.h"

struct owners {
	bool has_user, has_group;
	struct account user, group;
};

/* Looks for a user and for a group of that name. Returns false with *failure set where a source failed to say. */
bool find_owners(const char *name, struct owners *owners, struct failure *failure);

#endif
