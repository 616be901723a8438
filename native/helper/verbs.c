/* Each verb parses its own argument and writes exactly one answer. */
#include "verbs.h"

#include <stdio.h>
#include <string.h>

#include "accounts.h"
#include "end_processes.h"
#include "identity.h"
#include "ipc_removal.h"
#include "keyrings.h"
#include "manager.h"
#include "owners.h"
#include "places.h"
#include "posix_ipc.h"
#include "processes.h"
#include "sources.h"
#include "sysv_ipc.h"

struct verb {
	const char *name;
	bool asks_nss;
	void (*run)(char *argument, struct context *context, struct answer *answer);
};

static void verb_name(char *name, struct context *context, struct answer *answer)
{
	struct owners owners;
	struct failure failure;
	char ids[32];

	(void)context;
	if (!decode_text(name) || name[0] == '\0') {
		answer_begin(answer, "invalid");
		return;
	}
	if (!find_owners(name, &owners, &failure)) {
		answer_error(answer, failure.call, failure.error);
		return;
	}
	answer_begin(answer, "account");
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
	manager_ask(!manager_locks_tell(MANAGER_LOCKS, MANAGER_SOCKET));
	bool answered = find_in_nss(number, answer);

	manager_ask(true);
	return answered;
}

static bool find_owner(uint32_t number, struct answer *answer)
{
	return find_account(number, answer) || find_sysv_ipc(number, answer) || find_posix_ipc(number, answer);
}

static void verb_owner(char *number, struct context *context, struct answer *answer)
{
	uint32_t id;

	(void)context;
	if (!parse_id(number, &id))
		answer_begin(answer, "invalid");
	else if (!find_owner(id, answer))
		answer_begin(answer, "free");
}

static void verb_uid(char *number, struct context *context, struct answer *answer)
{
	uint32_t id;

	if (!parse_id(number, &id))
		answer_begin(answer, "invalid");
	else if (!find_owner(id, answer) && !find_process(id, &context->credentials, answer))
		answer_begin(answer, "free");
}

/* What ends a user's things takes no number that dynuser cannot have given out, whatever the daemon says. */
static bool parse_ours(const char *number, uid_t *uid, struct answer *answer)
{
	bool good = uid_from_text(number, strlen(number), uid);

	if (!good)
		answer_begin(answer, "invalid");
	return good;
}

static bool parse_numbers(char *text, struct numbers *numbers, struct answer *answer)
{
	char *rest = NULL;

	for (char *number = strtok_r(text, ",", &rest); number != NULL; number = strtok_r(NULL, ",", &rest)) {
		uid_t uid;

		if (numbers->count == NUMBERS_MAX) {
			answer_begin(answer, "invalid");
			return false;
		}
		if (!parse_ours(number, &uid, answer))
			return false;
		numbers->number[numbers->count++] = uid;
	}
	if (numbers->count == 0)
		answer_begin(answer, "invalid");
	return numbers->count > 0;
}

static void verb_running(char *text, struct context *context, struct answer *answer)
{
	struct numbers numbers = { .count = 0 };

	if (!parse_numbers(text, &numbers, answer) || !find_numbers(&numbers, &context->credentials, answer))
		return;
	answer_begin(answer, "running");
	for (size_t i = 0; i < numbers.count; i++) {
		if (numbers.running[i])
			answer_number(answer, numbers.number[i]);
	}
}

static void verb_find_processes(char *number, struct context *context, struct answer *answer)
{
	uid_t uid;

	if (parse_ours(number, &uid, answer) && !find_running(uid, &context->credentials, answer))
		answer_begin(answer, "free");
}

static void verb_terminate_processes(char *number, struct context *context, struct answer *answer)
{
	uid_t uid;

	if (parse_ours(number, &uid, answer))
		terminate_processes(uid, &context->credentials, answer);
}

static void verb_kill_processes(char *number, struct context *context, struct answer *answer)
{
	uid_t uid;

	if (parse_ours(number, &uid, answer))
		kill_processes(uid, &context->credentials, answer);
}

static void verb_remove_ipc(char *number, struct context *context, struct answer *answer)
{
	uid_t uid;

	(void)context;
	if (!parse_ours(number, &uid, answer))
		return;
	/* One question for both: most users leave neither. */
	clear_keyrings(uid);
	remove_ipc(uid, answer);
}

static void verb_clear_keyrings(char *number, struct context *context, struct answer *answer)
{
	uid_t uid;

	(void)context;
	if (!parse_ours(number, &uid, answer))
		return;
	clear_keyrings(uid);
	answer_begin(answer, "free");
}

static void verb_places(char *argument, struct context *context, struct answer *answer)
{
	(void)context;
	look_at_places(argument, answer);
}

static const struct verb verbs[] = {
	{ "name", true, verb_name },
	{ "uid", true, verb_uid },
	{ "owner", true, verb_owner },
	{ "running", false, verb_running },
	{ "places", false, verb_places },
	{ "find-processes", false, verb_find_processes },
	{ "terminate-processes", false, verb_terminate_processes },
	{ "kill-processes", false, verb_kill_processes },
	{ "remove-ipc", false, verb_remove_ipc },
	{ "clear-keyrings", false, verb_clear_keyrings },
};

static void run_verb(const struct verb *verb, char *argument, struct context *context, struct answer *answer)
{
	if (verb->asks_nss && context->sources_error != 0)
		answer_error(answer, NSSWITCH_CONF, context->sources_error);
	else
		verb->run(argument, context, answer);
}

void answer_question(char *line, struct context *context, struct answer *answer)
{
	char *space = strchr(line, ' ');

	if (space != NULL) {
		*space = '\0';
		for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
			if (strcmp(line, verbs[i].name) == 0) {
				run_verb(&verbs[i], space + 1, context, answer);
				return;
			}
		}
	}
	answer_begin(answer, "invalid");
}
