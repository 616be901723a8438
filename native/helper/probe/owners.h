/* Owns who has a name on this host: what NSS says, and the service manager's dynamic users, whether NSS has them or not. */
#ifndef DYNUSER_HELPER_PROBE_OWNERS_H
#define DYNUSER_HELPER_PROBE_OWNERS_H

#include <stdbool.h>

#include "accounts.h"
#include "pid1_question.h"

struct owners {
	bool has_user, has_group;
	struct account user, group;
};

/* A search in two steps: what else there is to do in between costs no time, while the service manager has its question. */
struct owners_search {
	const char *name;
	bool is_manager_asked;
	struct pid1_question question;
};

/* Begins to look for a user and for a group of that name. */
void owners_begin(struct owners_search *search, const char *name);

/* Ends the search; it is called in any case. Returns false with *failure set where a source failed to say. */
bool owners_end(struct owners_search *search, struct owners *owners, struct failure *failure);

#endif
