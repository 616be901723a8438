/*
 * The service manager is asked whenever its socket is there, whatever nsswitch.conf says: one name must not have two users
 * because no program looks up systemd's. If nss-systemd is among the sources, it is bypassed, so that the manager has one
 * question instead of three; it is asked only if the manager's answer is not clear.
 */
#include "owners.h"

#include <errno.h>
#include <stdio.h>

#include "pid1_lookup.h"
#include "pid1_question.h"
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

/* As after any other source, the manager's user is the answer if there was none. */
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

/* Asks the sources, without the manager and without what nss-systemd would look up beside it. */
static bool ask_sources_alone(const char *name, struct owners *owners, struct failure *failure)
{
	pid1_lookup_enable(false);
	sources_leave_out_systemd(!user_database_may_have_name(name));
	bool told = ask_sources(name, owners, failure);

	sources_leave_out_systemd(false);
	pid1_lookup_enable(true);
	return told;
}

/*
 * Whether the sources have said all. Half of a name is completed by the manager's user only if every program of the host is
 * told the same, by nss-systemd: the manager has a "user" of each group too that a unit names.
 */
static bool is_complete(const struct owners *owners)
{
	return sources_have_systemd() ? owners->has_user && owners->has_group : owners->has_user || owners->has_group;
}

/* The manager drops its connections when it executes itself anew: so it is asked a second time. */
static enum pid1_answer ask_again(const char *name, uint32_t *number)
{
	struct pid1_question question;

	return pid1_question_begin(&question, PID1_SOCKET, name) ? pid1_question_end(&question, number) :
									 PID1_HAS_NONE;
}

static bool ask_pid1_too(struct pid1_question *question, const char *name, struct owners *owners,
			    struct failure *failure)
{
	uint32_t number = 0;
	bool told = ask_sources_alone(name, owners, failure);

	if (!told || is_complete(owners)) {
		pid1_question_drop(question);
		return told;
	}
	enum pid1_answer answer = pid1_question_end(question, &number);

	if (answer == PID1_UNCLEAR && sources_have_systemd())
		return ask_sources(name, owners, failure);
	if (answer == PID1_UNCLEAR)
		answer = ask_again(name, &number);
	if (answer == PID1_UNCLEAR) {
		*failure = (struct failure){ .call = PID1_SERVICE, .error = EIO };
		return false;
	}
	if (answer == PID1_HAS_USER)
		take_user(owners, name, number);
	return true;
}

bool find_owners(const char *name, struct owners *owners, struct failure *failure)
{
	struct pid1_question question;

	/* Sent first, so that process 1 answers while the sources are asked. */
	return pid1_question_begin(&question, PID1_SOCKET, name) ? ask_pid1_too(&question, name, owners, failure) :
								   ask_sources(name, owners, failure);
}
