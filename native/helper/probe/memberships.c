/* See memberships.h. */
#include "memberships.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>

#include "accounts.h"
#include "arguments.h"

/* NGROUPS_MAX of Linux since 2.6.4 (setgroups(2)). */
#define GROUPS_MAX 65536
#define GROUPS_USUAL 64

_Static_assert(ANSWER_MAX > GROUPS_ANSWERED * 11 + 16, "an answer holds its groups");

static int ascending(const void *one, const void *other)
{
	gid_t first = *(const gid_t *)one, second = *(const gid_t *)other;

	return (first > second) - (first < second);
}

/* The groups of a user, allocated; null with errno. */
static gid_t *groups_of(const char *user, gid_t gid, int *count)
{
	gid_t *groups = NULL;

	for (int room = GROUPS_USUAL;; room = *count) {
		gid_t *grown = reallocarray(groups, (size_t)room, sizeof(*groups));

		if (grown == NULL) {
			free(groups);
			return NULL;
		}
		groups = grown;
		*count = room;
		if (getgrouplist(user, gid, groups, count) >= 0)
			return groups;
		/* It says how many there are; more of them in a row than fit is a failure of another kind. */
		if (*count <= room || *count > GROUPS_MAX) {
			errno = *count > GROUPS_MAX ? EOVERFLOW : ENOMEM;
			free(groups);
			return NULL;
		}
	}
}

static void answer_groups(const char *user, gid_t gid, gid_t from, struct answer *answer)
{
	int count;
	gid_t *groups = groups_of(user, gid, &count);
	unsigned int answered = 0;

	if (groups == NULL) {
		answer_error(answer, "getgrouplist", errno);
		return;
	}
	qsort(groups, (size_t)count, sizeof(*groups), ascending);
	answer_begin(answer, "groups");
	for (int i = 0; i < count && answered < GROUPS_ANSWERED; i++) {
		if (groups[i] < from || (i > 0 && groups[i] == groups[i - 1]))
			continue;
		answer_number(answer, groups[i]);
		answered++;
	}
	free(groups);
}

bool ask_groups(char *argument, struct context *context, struct answer *answer)
{
	char *rest = NULL;
	char *name = strtok_r(argument, " ", &rest);
	char *group = strtok_r(NULL, " ", &rest), *first = strtok_r(NULL, " ", &rest);
	uint32_t gid, from;

	(void)context;
	if (name == NULL || group == NULL || first == NULL || !parse_id(group, &gid) || !parse_id(first, &from)) {
		answer_begin(answer, "invalid");
		return true;
	}
	if (parse_name(name, answer))
		answer_groups(name, gid, from, answer);
	return true;
}

bool ask_login(char *name, struct context *context, struct answer *answer)
{
	struct account account;
	struct failure failure;
	enum lookup found;

	(void)context;
	if (!parse_name(name, answer))
		return true;
	found = user_by_name(name, &account, &failure);
	if (found == LOOKUP_FOUND && account.is_cut) {
		found = LOOKUP_FAILED;
		failure = (struct failure){ .call = "getpwnam_r", .error = ENAMETOOLONG };
	}
	if (found == LOOKUP_FAILED) {
		answer_error(answer, failure.call, failure.error);
		return true;
	}
	answer_begin(answer, "login");
	if (found == LOOKUP_FOUND) {
		answer_text(answer, account.home);
		answer_text(answer, account.shell);
	}
	return true;
}
