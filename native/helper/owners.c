/*
 * Where nss-systemd is among the sources, the service manager is asked past it, once instead of three times. What is not
 * clear then, or not possible, nss-systemd is asked for.
 */
#include "owners.h"

#include <stdio.h>

#include "manager.h"
#include "manager_question.h"
#include "sources.h"
#include "user_database.h"

static bool ask_sources(const char *name, struct owners *owners, struct failure *failure)
{
	enum lookup user = user_by_name(name, &owners->user, failure);
	enum lookup group = user == LOOKUP_FAILED ? LOOKUP_FAILED : group_by_name(name, &owners->group, failure);

	owners->has_user = user == LOOKUP_FOUND;
	owners->has_group = group == LOOKUP_FOUND;
	return group != LOOKUP_FAILED;
}

/* As after any other source, the manager's user is the answer where there was none. */
static void take_user(struct owners *owners, const char *name, uint32_t number)
{
	struct account account = { .number = number, .group = number };

	(void)snprintf(account.name, sizeof(account.name), "%s", name);
	if (!owners->has_user)
		owners->user = account;
	if (!owners->has_group)
		owners->group = account;
	owners->has_user = owners->has_group = true;
}

static bool ask_past_systemd(struct manager_question *question, const char *name, struct owners *owners,
			     struct failure *failure)
{
	uint32_t number = 0;

	manager_ask(false);
	sources_leave_out_systemd(!user_database_may_have_name(name));
	bool told = ask_sources(name, owners, failure);

	sources_leave_out_systemd(false);
	manager_ask(true);
	if (!told || (owners->has_user && owners->has_group)) {
		manager_question_drop(question);
		return told;
	}
	switch (manager_question_end(question, &number)) {
	case MANAGER_HAS_NONE:
		return true;
	case MANAGER_HAS_USER:
		take_user(owners, name, number);
		return true;
	case MANAGER_UNCLEAR:
		break;
	}
	return ask_sources(name, owners, failure);
}

void owners_begin(struct owners_search *search, const char *name)
{
	search->name = name;
	search->is_manager_asked = sources_have_systemd() &&
				   manager_question_begin(&search->question, MANAGER_SOCKET, name);
}

bool owners_end(struct owners_search *search, struct owners *owners, struct failure *failure)
{
	return search->is_manager_asked ? ask_past_systemd(&search->question, search->name, owners, failure) :
					  ask_sources(search->name, owners, failure);
}
