/* See questions.h, and protocol.h for what each question means. */
#include "questions.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "identity.h"
#include "posix_ipc.h"
#include "probe/owners.h"
#include "probe/sources.h"
#include "processes.h"
#include "reap/end_processes.h"
#include "reap/ipc_removal.h"
#include "reap/keyrings.h"
#include "tree/inspect.h"

_Static_assert(ANSWER_MAX > GROUPS_ANSWERED * 11 + 16, "an answer holds its groups");

/* All return whether something was found, or failed, and the answer is written. If not, it is "free" unless they say another. */
typedef bool ask_about_text(char *text, struct context *context, struct answer *answer);
typedef bool ask_about_processes(uid_t uid, struct known_threads *known, struct answer *answer);
typedef bool ask_about_ipc(uid_t uid, const struct uid_range *dynamic, struct answer *answer);

struct question {
	const char *name;
	/* the roles that may be asked it */
	unsigned int roles;
	bool asks_nss;
	/* One of these. A UID is one that dynuser can have given out, whatever the daemon says. */
	ask_about_text *text;
	ask_about_processes *processes;
	ask_about_ipc *ipc;
};

static bool parse_name(char *name)
{
	return decode_text(name) && name[0] != '\0';
}

/* Of a UID that dynuser can have given out. */
static bool parse_ours(const char *number, uid_t *uid)
{
	return uid_from_text(number, strlen(number), uid);
}

static bool ask_name(char *name, struct context *context, struct answer *answer)
{
	struct owners owners;
	char ids[32] = "-";

	(void)context;
	if (!parse_name(name))
		return answer_invalid(answer);
	if (!find_owners(name, &owners, answer))
		return true;
	answer_begin(answer, "account");
	if (owners.has_user)
		(void)snprintf(ids, sizeof(ids), "%u:%u", owners.user.number, owners.user.group);
	answer_word(answer, ids);
	if (owners.has_group)
		answer_number(answer, owners.group.number);
	else
		answer_word(answer, "-");
	return owners.has_user || owners.has_group;
}

static bool ask_owner(char *text, struct context *context, struct answer *answer)
{
	uint32_t number;
	struct owner owner;
	bool given = false;

	if (!parse_id(text, &number))
		return answer_invalid(answer);
	enum lookup found = find_owner(number, &owner, answer);

	if (found == LOOKUP_FAILED)
		return true;
	if (found == LOOKUP_FOUND) {
		answer_begin(answer, owner.is_group ? "group" : "user");
		answer_text(answer, owner.account.name);
		return true;
	}
	if (find_sysv_ipc(number, &context->dynamic, &given, answer) || find_posix_ipc(number, answer))
		return true;
	if (given)
		answer_begin(answer, "given");
	return false;
}

static int ascending(const void *one, const void *other)
{
	gid_t first = *(const gid_t *)one, second = *(const gid_t *)other;

	return (first > second) - (first < second);
}

static bool ask_groups(char *argument, struct context *context, struct answer *answer)
{
	char *rest = NULL;
	char *name = strtok_r(argument, " ", &rest);
	char *group = strtok_r(NULL, " ", &rest), *first = strtok_r(NULL, " ", &rest);
	uint32_t gid, from;
	int count;
	unsigned int answered = 0;

	(void)context;
	if (name == NULL || group == NULL || first == NULL || !parse_id(group, &gid) || !parse_id(first, &from) ||
	    !parse_name(name))
		return answer_invalid(answer);
	gid_t *groups = groups_of_user(name, gid, &count);

	if (groups == NULL)
		return answer_error(answer, "getgrouplist", errno);
	qsort(groups, (size_t)count, sizeof(*groups), ascending);
	answer_begin(answer, "groups");
	for (int i = 0; i < count && answered < GROUPS_ANSWERED; i++) {
		if (groups[i] < from || (i > 0 && groups[i] == groups[i - 1]))
			continue;
		answer_number(answer, groups[i]);
		answered++;
	}
	return true;
}

static bool ask_login(char *name, struct context *context, struct answer *answer)
{
	struct account account;

	(void)context;
	if (!parse_name(name))
		return answer_invalid(answer);
	enum lookup found = user_by_name(name, &account, answer);

	if (found == LOOKUP_FAILED)
		return true;
	if (found == LOOKUP_FOUND && account.is_cut)
		return answer_error(answer, "getpwnam_r", ENAMETOOLONG);
	answer_begin(answer, "login");
	if (found == LOOKUP_FOUND) {
		answer_text(answer, account.home);
		answer_text(answer, account.shell);
	}
	return true;
}

static bool ask_process(char *text, struct context *context, struct answer *answer)
{
	uint32_t number;

	if (!parse_id(text, &number))
		return answer_invalid(answer);
	return find_process(number, &context->threads, answer);
}

/* Numbers of dynamic users, 1 to NUMBERS_MAX of them with commas in between. */
static bool parse_numbers(char *text, struct numbers *numbers)
{
	char *rest = NULL;

	for (char *number = strtok_r(text, ",", &rest); number != NULL; number = strtok_r(NULL, ",", &rest)) {
		if (numbers->count == NUMBERS_MAX || !parse_ours(number, &numbers->number[numbers->count]))
			return false;
		numbers->count++;
	}
	return numbers->count > 0;
}

static bool ask_running(char *text, struct context *context, struct answer *answer)
{
	struct numbers numbers = { .count = 0 };
	bool found = false;

	if (!parse_numbers(text, &numbers))
		return answer_invalid(answer);
	if (!find_numbers(&numbers, &context->threads, answer))
		return true;
	answer_begin(answer, "running");
	for (size_t i = 0; i < numbers.count; i++) {
		if (numbers.running[i])
			answer_number(answer, numbers.number[i]);
		found = found || numbers.running[i];
	}
	return found;
}

/* Only looks, so it may be about any user. */
static bool ask_find_processes(char *text, struct context *context, struct answer *answer)
{
	uint32_t uid;

	if (!parse_id(text, &uid))
		return answer_invalid(answer);
	if (find_running(uid, &context->threads, answer))
		return true;
	/* What was found at first may be gone in the end. */
	answer_begin(answer, "free");
	return false;
}

static bool ask_keyrings(char *text, struct context *context, struct answer *answer)
{
	uid_t uid;

	(void)context;
	if (!parse_ours(text, &uid))
		return answer_invalid(answer);
	clear_keyrings(uid);
	return false;
}

static bool ask_account_ipc(char *text, struct context *context, struct answer *answer)
{
	const char *user = strsep(&text, ",");
	uint32_t uid, gid;

	(void)context;
	if (text == NULL || !parse_id(user, &uid) || !parse_id(text, &gid))
		return answer_invalid(answer);
	remove_account_ipc(uid, gid);
	return false;
}

static const struct question questions[] = {
	{ "name", ROLE_PROBE, true, .text = ask_name },
	{ "owner", ROLE_PROBE, true, .text = ask_owner },
	{ "groups", ROLE_PROBE, true, .text = ask_groups },
	{ "login", ROLE_PROBE, true, .text = ask_login },
	{ "process", ROLE_PROBE, false, .text = ask_process },
	{ "running", ROLE_PROBE | ROLE_REAPER, false, .text = ask_running },
	{ "find-processes", ROLE_REAPER, false, .text = ask_find_processes },
	{ "terminate-processes", ROLE_REAPER, false, .processes = terminate_processes },
	{ "kill-processes", ROLE_REAPER, false, .processes = kill_processes },
	{ "clear-keyrings", ROLE_REAPER, false, .text = ask_keyrings },
	{ "remove-ipc", ROLE_REAPER, false, .ipc = remove_ipc },
	{ "remove-given", ROLE_REAPER, false, .ipc = remove_given_ipc },
	{ "remove-account-ipc", ROLE_REAPER, false, .text = ask_account_ipc },
	{ "inspect", ROLE_INSPECT, false, .text = inspect_paths },
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

	if (argument != NULL)
		*argument++ = '\0';
	if (argument == NULL || (question = find_question(text, role)) == NULL)
		return answer_invalid(answer);
	if (question->asks_nss && context->sources_error != 0)
		return answer_error(answer, NSSWITCH_CONF, context->sources_error);
	answer_begin(answer, "free");
	if (question->text != NULL)
		return question->text(argument, context, answer);
	if (!parse_ours(argument, &uid))
		return answer_invalid(answer);
	if (question->processes != NULL ? question->processes(uid, &context->threads, answer) :
					  question->ipc(uid, &context->dynamic, answer))
		return true;
	/* What was found at first may be gone in the end. */
	answer_begin(answer, "free");
	return false;
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
	if (count_questions(line) > QUESTIONS_MAX) {
		(void)answer_invalid(answer);
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
