/* See availability.h. */
#include "availability.h"

#include <stdio.h>

#include "arguments.h"
#include "owners.h"
#include "pid1_lookup.h"
#include "posix_ipc.h"
#include "processes.h"
#include "sources.h"
#include "sysv_ipc.h"
#include "user_database.h"

static void answer_account(const struct owners *owners, struct answer *answer)
{
	char ids[32];

	answer_begin(answer, "account");
	if (owners->has_user) {
		(void)snprintf(ids, sizeof(ids), "%u:%u", owners->user.number, owners->user.group);
		answer_word(answer, ids);
	} else {
		answer_word(answer, "-");
	}
	if (owners->has_group)
		answer_number(answer, owners->group.number);
	else
		answer_word(answer, "-");
}

bool ask_name(char *name, struct context *context, struct answer *answer)
{
	struct owners owners;
	struct failure failure;

	(void)context;
	if (!parse_name(name, answer))
		return true;
	if (!find_owners(name, &owners, &failure)) {
		answer_error(answer, failure.call, failure.error);
		return true;
	}
	answer_account(&owners, answer);
	return owners.has_user || owners.has_group;
}

/* Answers if NSS knows the number, or failed to say. */
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

static bool parse_number(const char *text, uint32_t *number, struct answer *answer)
{
	bool good = parse_id(text, number);

	if (!good)
		answer_begin(answer, "invalid");
	return good;
}

bool ask_owner(char *text, struct context *context, struct answer *answer)
{
	uint32_t number;
	bool given = false;

	if (!parse_number(text, &number, answer) || find_account(number, answer) ||
	    find_sysv_ipc(number, &context->dynamic, &given, answer) || find_posix_ipc(number, answer))
		return true;
	answer_begin(answer, given ? "given" : "free");
	return false;
}

bool ask_process(char *text, struct context *context, struct answer *answer)
{
	uint32_t number;

	if (!parse_number(text, &number, answer) || find_process(number, &context->threads, answer))
		return true;
	answer_begin(answer, "free");
	return false;
}

bool ask_running(char *text, struct context *context, struct answer *answer)
{
	struct numbers numbers = { .count = 0 };
	bool found = false;

	if (!parse_numbers(text, &numbers, answer) || !find_numbers(&numbers, &context->threads, answer))
		return true;
	answer_begin(answer, "running");
	for (size_t i = 0; i < numbers.count; i++) {
		if (numbers.running[i])
			answer_number(answer, numbers.number[i]);
		found = found || numbers.running[i];
	}
	return found;
}
