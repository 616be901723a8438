/*
 * Owns what the account databases say of the service's user. They are asked in the launcher's own world, before any other is
 * made: their sources need their files and sockets. For a dynamic user without groups by name nothing is asked.
 */
#ifndef RUN_MEMBERSHIPS_H
#define RUN_MEMBERSHIPS_H

#include <sys/types.h>

#include "protocol/plan.h"

struct groups {
	gid_t *ids;
	size_t count;
};

/* Home and shell; null where they are not asked for. */
struct account {
	const char *home;
	const char *shell;
};

/*
 * The supplementary groups: those that the database, for a dynamic user /etc/group, gives the user's name, and those of the plan, in order and each once.
 * Ends the launcher where one is not known.
 */
struct groups memberships_groups(const struct plan *plan);

/* Home and shell of the user, where the plan asks for them. Ends the launcher where the user is not known. */
struct account memberships_account(const struct plan *plan);

#endif
