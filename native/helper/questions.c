/* See questions.h, and protocol.h for what each question means. */
#include "questions.h"

#include <string.h>

#include "arguments.h"
#include "probe/availability.h"
#include "probe/memberships.h"
#include "probe/sources.h"
#include "reap/account_ipc.h"
#include "reap/end_processes.h"
#include "reap/ipc_removal.h"
#include "reap/keyrings.h"
#include "tree/inspect.h"

/* All return whether the answer is written: something was found, or failed. Otherwise the answer is "free". */
typedef bool ask_about_uid(uid_t uid, struct context *context, struct answer *answer);
typedef bool ask_about_text(char *text, struct context *context, struct answer *answer);

struct question {
	const char *name;
	/* the roles that may be asked it */
	unsigned int roles;
	bool asks_nss;
	/* One of the two. A UID is one that dynuser can have given out, whatever the daemon says. */
	ask_about_uid *uid;
	ask_about_text *text;
};

static bool find_running_processes(uid_t uid, struct context *context, struct answer *answer)
{
	return find_running(uid, &context->threads, answer);
}

static bool terminate(uid_t uid, struct context *context, struct answer *answer)
{
	return terminate_processes(uid, &context->threads, answer);
}

static bool kill_all(uid_t uid, struct context *context, struct answer *answer)
{
	return kill_processes(uid, &context->threads, answer);
}

static bool clear(uid_t uid, struct context *context, struct answer *answer)
{
	(void)context;
	(void)answer;
	clear_keyrings(uid);
	return false;
}

static bool remove_all_ipc(uid_t uid, struct context *context, struct answer *answer)
{
	return remove_ipc(uid, &context->dynamic, answer);
}

static bool remove_given(uid_t uid, struct context *context, struct answer *answer)
{
	remove_given_ipc(uid, &context->dynamic, answer);
	return true;
}

static bool remove_of_account(char *text, struct context *context, struct answer *answer)
{
	(void)context;
	return remove_account_ipc(text, answer);
}

static bool ask_paths(char *text, struct context *context, struct answer *answer)
{
	(void)context;
	inspect_paths(text, answer);
	return true;
}

static const struct question questions[] = {
	{ "name", ROLE_PROBE, true, .text = ask_name },
	{ "owner", ROLE_PROBE, true, .text = ask_owner },
	{ "groups", ROLE_PROBE, true, .text = ask_groups },
	{ "login", ROLE_PROBE, true, .text = ask_login },
	{ "process", ROLE_PROBE, false, .text = ask_process },
	{ "running", ROLE_PROBE | ROLE_REAPER, false, .text = ask_running },
	{ "find-processes", ROLE_REAPER, false, .uid = find_running_processes },
	{ "terminate-processes", ROLE_REAPER, false, .uid = terminate },
	{ "kill-processes", ROLE_REAPER, false, .uid = kill_all },
	{ "clear-keyrings", ROLE_REAPER, false, .uid = clear },
	{ "remove-ipc", ROLE_REAPER, false, .uid = remove_all_ipc },
	{ "remove-given", ROLE_REAPER, false, .uid = remove_given },
	{ "remove-account-ipc", ROLE_REAPER, false, .text = remove_of_account },
	{ "inspect", ROLE_INSPECT, false, .text = ask_paths },
};

static const struct question *find_question(const char *name, enum role role)
{
	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
		if ((questions[i].roles & role) != 0 && strcmp(name, questions[i].name) == 0)
			return &questions[i];
	}
	return NULL;
}

/* Writes the answer to one question. Returns whether it ends the line. */
static bool answer_question(char *text, enum role role, struct context *context, struct answer *answer)
{
	char *argument = strchr(text, ' ');
	const struct question *question;
	uid_t uid;
	bool ends;

	if (argument != NULL)
		*argument++ = '\0';
	if (argument == NULL || (question = find_question(text, role)) == NULL) {
		answer_begin(answer, "invalid");
		return true;
	}
	if (question->asks_nss && context->sources_error != 0) {
		answer_error(answer, NSSWITCH_CONF, context->sources_error);
		return true;
	}
	if (question->text != NULL)
		return question->text(argument, context, answer);
	ends = !parse_ours(argument, &uid, answer) || question->uid(uid, context, answer);
	if (!ends)
		answer_begin(answer, "free");
	return ends;
}

static size_t count_questions(const char *line)
{
	size_t count = 1;

	while ((line = strstr(line, QUESTION_SEPARATOR)) != NULL) {
		line += strlen(QUESTION_SEPARATOR);
		count++;
	}
	return count;
}

void answer_line(char *line, enum role role, struct context *context, struct answer *answer)
{
	answer_clear(answer);
	if (count_questions(line) > QUESTIONS_MAX) {
		answer_begin(answer, "invalid");
		return;
	}
	for (char *text = line, *next; text != NULL; text = next) {
		next = strstr(text, QUESTION_SEPARATOR);
		if (next != NULL) {
			*next = '\0';
			next += strlen(QUESTION_SEPARATOR);
		}
		if (answer_question(text, role, context, answer))
			return;
		if (next != NULL)
			answer_next(answer);
	}
}
