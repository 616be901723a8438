/* Each verb parses its own argument and writes exactly one answer. */
#include "verbs.h"

#include <string.h>

#include "reap/account_ipc.h"
#include "probe/accounts.h"
#include "arguments.h"
#include "probe/availability.h"
#include "reap/end_processes.h"
#include "reap/ipc_removal.h"
#include "reap/keyrings.h"
#include "places.h"
#include "processes.h"
#include "probe/sources.h"

struct verb {
	const char *name;
	/* the roles that have it */
	unsigned int roles;
	bool asks_nss;
	void (*run)(char *argument, struct context *context, struct answer *answer);
};

/* One question for the usual end, where the user's processes have ended before it. */
static void verb_finish(char *number, struct context *context, struct answer *answer)
{
	struct numbers numbers = { .count = 1 };

	if (!parse_ours(number, &numbers.number[0], answer) ||
	    !find_numbers(&numbers, &context->threads, answer))
		return;
	if (numbers.running[0]) {
		answer_begin(answer, "running");
		answer_running(&numbers, answer);
		return;
	}
	clear_keyrings(numbers.number[0]);
	remove_ipc(numbers.number[0], &context->dynamic, answer);
}

static void verb_find_processes(char *number, struct context *context, struct answer *answer)
{
	uid_t uid;

	if (parse_ours(number, &uid, answer) && !find_running(uid, &context->threads, answer))
		answer_begin(answer, "free");
}

static void verb_terminate_processes(char *number, struct context *context, struct answer *answer)
{
	uid_t uid;

	if (parse_ours(number, &uid, answer))
		terminate_processes(uid, &context->threads, answer);
}

static void verb_kill_processes(char *number, struct context *context, struct answer *answer)
{
	uid_t uid;

	if (parse_ours(number, &uid, answer))
		kill_processes(uid, &context->threads, answer);
}

static void verb_remove_ipc(char *number, struct context *context, struct answer *answer)
{
	uid_t uid;

	if (!parse_ours(number, &uid, answer))
		return;
	/* One question for both: most users leave neither. */
	clear_keyrings(uid);
	remove_ipc(uid, &context->dynamic, answer);
}

static void verb_remove_given(char *number, struct context *context, struct answer *answer)
{
	uid_t uid;

	if (parse_ours(number, &uid, answer))
		remove_given_ipc(uid, &context->dynamic, answer);
}

static void verb_remove_account_ipc(char *argument, struct context *context, struct answer *answer)
{
	(void)context;
	remove_account_ipc(argument, answer);
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
	{ "name", ROLE_PROBE, true, verb_name },
	{ "uid", ROLE_PROBE, true, verb_uid },
	{ "owner", ROLE_PROBE, true, verb_owner },
	{ "running", ROLE_PROBE | ROLE_REAPER, false, verb_running },
	{ "claim", ROLE_PROBE, true, verb_claim },
	{ "finish", ROLE_REAPER, false, verb_finish },
	{ "places", ROLE_PLACES, false, verb_places },
	{ "find-processes", ROLE_REAPER, false, verb_find_processes },
	{ "terminate-processes", ROLE_REAPER, false, verb_terminate_processes },
	{ "kill-processes", ROLE_REAPER, false, verb_kill_processes },
	{ "remove-ipc", ROLE_REAPER, false, verb_remove_ipc },
	{ "remove-account-ipc", ROLE_REAPER, false, verb_remove_account_ipc },
	{ "remove-given", ROLE_REAPER, false, verb_remove_given },
	{ "clear-keyrings", ROLE_REAPER, false, verb_clear_keyrings },
};

static void run_verb(const struct verb *verb, char *argument, struct context *context, struct answer *answer)
{
	if (verb->asks_nss && context->sources_error != 0)
		answer_error(answer, NSSWITCH_CONF, context->sources_error);
	else
		verb->run(argument, context, answer);
}

void answer_question(char *line, enum role role, struct context *context, struct answer *answer)
{
	char *space = strchr(line, ' ');

	if (space != NULL) {
		*space = '\0';
		for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
			if ((verbs[i].roles & role) != 0 && strcmp(line, verbs[i].name) == 0) {
				run_verb(&verbs[i], space + 1, context, answer);
				return;
			}
		}
	}
	answer_begin(answer, "invalid");
}
