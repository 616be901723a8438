/* What of the answers of databases counts; see memberships.h. */
#include "memberships.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accounts.h"
#include "cli/fail.h"
#include "group_file.h"

#define GROUPS_USUAL 32U
#define GROUP_FILE "/etc/group"

struct list {
	const struct plan *plan;
	struct groups groups;
	size_t room;
};

static void add_group(void *context, gid_t id)
{
	struct list *list = context;
	struct groups *groups = &list->groups;

	if (groups->count == GROUPS_MAX)
		fail(STATUS_LAUNCHER, "the user %s is in more than %d groups", list->plan->user_name, GROUPS_MAX);
	if (groups->count == list->room) {
		list->room = list->room == 0 ? GROUPS_USUAL : list->room * 2;
		groups->ids = realloc(groups->ids, list->room * sizeof(*groups->ids));
		if (groups->ids == NULL)
			fail(STATUS_LAUNCHER, "out of memory");
	}
	groups->ids[groups->count++] = id;
}

/*
 * A dynamic user was in no database until now but in dynuser's own, which has no memberships: it is looked for in /etc/group
 * alone, where an operator can name it before it exists. All sources would be asked anew in each launch, over sockets, and take
 * longer than all else together.
 */
static void add_groups_of_dynamic(struct list *list)
{
	FILE *file = fopen(GROUP_FILE, "re");

	if (file == NULL && errno == ENOENT)
		return;
	if (file == NULL || !group_file_read(file, list->plan->user_name, add_group, list))
		fail_errno(errno, "cannot read %s", GROUP_FILE);
	(void)fclose(file);
}

/* What initgroups(3) would set. */
static void add_groups_of_user(struct list *list)
{
	const struct plan *plan = list->plan;

	add_group(list, plan->gid);
	if (plan->dynamic)
		add_groups_of_dynamic(list);
	else
		accounts_groups_of(plan->user_name, plan->gid, add_group, list);
}

static bool is_id(const char *text, gid_t *id)
{
	char *end = NULL;
	unsigned long long number;

	errno = 0;
	number = strtoull(text, &end, 10);
	/* The last number is setgroups(2)'s "no change" elsewhere, and nobody's. */
	if (errno != 0 || text[0] < '0' || text[0] > '9' || *end != '\0' || number >= UINT32_MAX)
		return false;
	*id = (gid_t)number;
	return true;
}

static void add_groups_of_plan(struct list *list)
{
	const struct strings *groups = &list->plan->groups;
	const char **names = groups->count == 0 ? NULL : malloc(groups->count * sizeof(*names));
	size_t count = 0;

	if (groups->count > 0 && names == NULL)
		fail(STATUS_LAUNCHER, "out of memory");
	for (size_t i = 0; i < groups->count; i++) {
		gid_t id;

		if (is_id(groups->items[i], &id))
			add_group(list, id);
		else
			names[count++] = groups->items[i];
	}
	if (count > 0)
		accounts_groups_named(names, count, add_group, list);
	free(names);
}

static int by_number(const void *one, const void *other)
{
	gid_t first = *(const gid_t *)one, second = *(const gid_t *)other;

	return (first > second) - (first < second);
}

struct groups memberships_groups(const struct plan *plan)
{
	struct list list = { .plan = plan };
	struct groups groups;
	size_t kept = 0;

	/* With root's group there are none but those of the plan, as systemd has it. */
	if (plan->gid != 0)
		add_groups_of_user(&list);
	add_groups_of_plan(&list);
	groups = list.groups;
	if (groups.count > 1)
		qsort(groups.ids, groups.count, sizeof(*groups.ids), by_number);
	for (size_t i = 0; i < groups.count; i++) {
		if (i == 0 || groups.ids[i] != groups.ids[kept - 1])
			groups.ids[kept++] = groups.ids[i];
	}
	groups.count = kept;
	return groups;
}

/* What stands for "none" in a record is no home and no shell for a program either (systemd.exec(5), SetLoginEnvironment=). */
static bool is_home(const char *path)
{
	return path[0] == '/' && path[strspn(path, "/")] != '\0';
}

static bool is_shell(const char *path)
{
	static const char *const none[] = { "nologin", "false", "true" };
	const char *name = strrchr(path, '/');

	if (path[0] != '/' || name[1] == '\0')
		return false;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		if (strcmp(name + 1, none[i]) == 0)
			return false;
	}
	return true;
}

struct account memberships_account(const struct plan *plan)
{
	struct account account = { 0 };
	struct account_user user;

	if (!plan->account_environment)
		return account;
	user = accounts_user(plan->user_name);
	if (is_home(user.home))
		account.home = user.home;
	if (is_shell(user.shell))
		account.shell = user.shell;
	return account;
}
