/* The order in which a name and a number are examined; see probe/availability.h and protocol.h. */
#include "availability.h"

#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "pid1_lookup.h"
#include "owners.h"
#include "posix_ipc.h"
#include "sources.h"
#include "sysv_ipc.h"
#include "user_database.h"

/* Ends the search. Returns false where it failed, and the answer says so. */
static bool answer_owners(const char *word, struct owners_search *search, struct answer *answer)
{
	struct owners owners;
	struct failure failure;
	char ids[32];

	if (!owners_end(search, &owners, &failure)) {
		answer_error(answer, failure.call, failure.error);
		return false;
	}
	answer_begin(answer, word);
	if (owners.has_user) {
		(void)snprintf(ids, sizeof(ids), "%u:%u", owners.user.number, owners.user.group);
		answer_word(answer, ids);
	} else {
		answer_word(answer, "-");
	}
	if (owners.has_group)
		answer_number(answer, owners.group.number);
	else
		answer_word(answer, "-");
	return true;
}

void verb_name(char *name, struct context *context, struct answer *answer)
{
	struct owners_search search;

	(void)context;
	if (!parse_name(name, answer))
		return;
	owners_begin(&search, name);
	(void)answer_owners("account", &search, answer);
}

/* Answers where NSS knows the number, or failed to say. */
static bool find_in_nss(uint32_t number, struct answer *answer)
{
	struct account account;
	struct failure failure;
	const char *kind = "user";
	enum lookup found = user_by_number(number, &account, &failure);

	if (found == LOOKUP_NOT_FOUND) {
		kind = "group";
		found = group_by_number(number, &account, &failure);
	}
	if (found == LOOKUP_NOT_FOUND)
		return false;
	if (found == LOOKUP_FAILED) {
		answer_error(answer, failure.call, failure.error);
		return true;
	}
	answer_begin(answer, kind);
	answer_text(answer, account.name);
	return true;
}

/*
 * The daemon asks for a number that it has locked, or seen unlocked a moment ago. Where that lock is one that the service
 * manager takes too, none of its users has the number, and it need not be asked.
 */
static bool find_account(uint32_t number, struct answer *answer)
{
	bool locks_tell = pid1_locks_tell(PID1_LOCKS, PID1_SOCKET);

	pid1_lookup_enable(!locks_tell);
	sources_leave_out_systemd(locks_tell && !user_database_may_have_number(number));
	bool answered = find_in_nss(number, answer);

	sources_leave_out_systemd(false);
	pid1_lookup_enable(true);
	return answered;
}

static bool find_owner(uint32_t number, const struct context *context, bool *given, struct answer *answer)
{
	*given = false;
	return find_account(number, answer) || find_sysv_ipc(number, &context->dynamic, given, answer) ||
	       find_posix_ipc(number, answer);
}

/* What is answered if nothing speaks against a number. */
static const char *free_word(bool given)
{
	return given ? "given" : "free";
}

void verb_owner(char *number, struct context *context, struct answer *answer)
{
	uint32_t id;
	bool given;

	if (!parse_id(number, &id))
		answer_begin(answer, "invalid");
	else if (!find_owner(id, context, &given, answer))
		answer_begin(answer, free_word(given));
}

void verb_uid(char *number, struct context *context, struct answer *answer)
{
	uint32_t id;
	bool given;

	if (!parse_id(number, &id))
		answer_begin(answer, "invalid");
	else if (!find_owner(id, context, &given, answer) && !find_process(id, &context->threads, answer))
		answer_begin(answer, free_word(given));
}

void answer_running(const struct numbers *numbers, struct answer *answer)
{
	for (size_t i = 0; i < numbers->count; i++) {
		if (numbers->running[i])
			answer_number(answer, numbers->number[i]);
	}
}

void verb_running(char *text, struct context *context, struct answer *answer)
{
	struct numbers numbers = { .count = 0 };

	if (!parse_numbers(text, &numbers, answer) || !find_numbers(&numbers, &context->threads, answer))
		return;
	answer_begin(answer, "running");
	answer_running(&numbers, answer);
}

/* Looks for all that speaks against the number while the manager has the question for the name. */
static void claim(const char *name, uint32_t number, struct numbers *numbers, struct context *context,
		  struct answer *answer)
{
	struct owners_search search;
	struct answer owner;
	bool given;

	owners_begin(&search, name);
	bool is_owned = find_owner(number, context, &given, &owner);

	/* What fails is answered once the search has ended. */
	bool looked = numbers->count == 0 || find_numbers(numbers, &context->threads, &owner);

	if (!answer_owners("claim", &search, answer))
		return;
	if (!looked || (is_owned && answer_is_error(&owner))) {
		*answer = owner;
		return;
	}
	if (numbers->count > 0) {
		answer_word(answer, "running");
		answer_running(numbers, answer);
	}
	if (is_owned)
		answer_append(answer, &owner);
	else
		answer_word(answer, free_word(given));
}

void verb_claim(char *name, struct context *context, struct answer *answer)
{
	struct numbers numbers = { .count = 0 };
	char *rest = NULL;
	char *number = strtok_r(name, " ", &rest) == NULL ? NULL : strtok_r(NULL, " ", &rest);
	char *look = strtok_r(NULL, " ", &rest);
	uint32_t id;

	if (number == NULL || look == NULL || !parse_id(number, &id)) {
		answer_begin(answer, "invalid");
		return;
	}
	if (parse_name(name, answer) && (strcmp(look, "-") == 0 || parse_numbers(look, &numbers, answer)))
		claim(name, id, &numbers, context, answer);
}
