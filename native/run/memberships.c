/* Groups, home and shell by /etc/group, getgrouplist(3), getgrnam(3) and getpwnam(3); see memberships.h. */
#include "memberships.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "group_file.h"

/* NGROUPS_MAX of Linux since 2.6.4 (setgroups(2)). */
#define GROUPS_MAX 65536
#define GROUPS_USUAL 32
#define GROUP_FILE "/etc/group"

static gid_t *room_for(gid_t *ids, size_t count)
{
	gid_t *room = realloc(ids, count * sizeof(*room));

	if (room == NULL)
		fail(STATUS_LAUNCHER, "out of memory");
	return room;
}

struct list {
	const struct plan *plan;
	struct groups groups;
};

static void add_group(void *context, gid_t id)
{
	struct list *list = context;
	struct groups *groups = &list->groups;

	if (groups->count == GROUPS_MAX)
		fail(STATUS_LAUNCHER, "the user %s is in more than %d groups", list->plan->user_name, GROUPS_MAX);
	if (groups->count % GROUPS_USUAL == 0)
		groups->ids = room_for(groups->ids, groups->count + GROUPS_USUAL);
	groups->ids[groups->count++] = id;
}

/*
 * A dynamic user was in no database until now but in dynuser's own, which has no memberships: it is looked for in /etc/group
 * alone, where an operator can name it before it exists. All sources would be asked anew in each launch, over sockets, and take
 * longer than all else together.
 */
static struct groups groups_of_dynamic(const struct plan *plan)
{
	struct list list = { .plan = plan };
	FILE *file = fopen(GROUP_FILE, "re");

	add_group(&list, plan->gid);
	if (file == NULL && errno == ENOENT)
		return list.groups;
	if (file == NULL || !group_file_read(file, plan->user_name, add_group, &list))
		fail_errno(errno, "cannot read %s", GROUP_FILE);
	(void)fclose(file);
	return list.groups;
}

/* What initgroups(3) would set. */
static struct groups groups_of_static(const struct plan *plan)
{
	struct groups groups = { .ids = room_for(NULL, GROUPS_USUAL) };
	int count = GROUPS_USUAL;

	while (getgrouplist(plan->user_name, plan->gid, groups.ids, &count) < 0) {
		/* It says how many there are; two in a row may differ while the database changes. */
		if (count > GROUPS_MAX)
			fail(STATUS_LAUNCHER, "the user %s is in more than %d groups", plan->user_name, GROUPS_MAX);
		groups.ids = room_for(groups.ids, (size_t)count);
	}
	groups.count = (size_t)count;
	return groups;
}

static gid_t group_of(const char *text)
{
	const struct group *group;
	char *end = NULL;
	unsigned long long number;

	errno = 0;
	number = strtoull(text, &end, 10);
	/* The last number is setgroups(2)'s "no change" elsewhere, and nobody's. */
	if (errno == 0 && text[0] >= '0' && text[0] <= '9' && *end == '\0' && number < UINT32_MAX)
		return (gid_t)number;
	errno = 0;
	group = getgrnam(text);
	if (group != NULL)
		return group->gr_gid;
	/* getgrnam(3): what else than not found these errors can mean depends on the module. */
	if (errno != 0 && errno != ENOENT && errno != ESRCH)
		fail_errno(errno, "cannot look for the group '%s'", text);
	fail(STATUS_LAUNCHER, "there is no group '%s'", text);
}

static int by_number(const void *one, const void *other)
{
	gid_t first = *(const gid_t *)one, second = *(const gid_t *)other;

	return (first > second) - (first < second);
}

struct groups memberships_groups(const struct plan *plan)
{
	struct groups groups = { 0 };
	size_t kept = 0;

	/* With root's group there are none but those of the plan, as systemd has it. */
	if (plan->gid != 0)
		groups = plan->dynamic ? groups_of_dynamic(plan) : groups_of_static(plan);
	/* One more: no room at all cannot be told from no memory (realloc(3)). */
	groups.ids = room_for(groups.ids, groups.count + plan->groups.count + 1);
	for (size_t i = 0; i < plan->groups.count; i++)
		groups.ids[groups.count++] = group_of(plan->groups.items[i]);
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

static char *copy(const char *text)
{
	char *copied = strdup(text);

	if (copied == NULL)
		fail(STATUS_LAUNCHER, "out of memory");
	return copied;
}

struct account memberships_account(const struct plan *plan)
{
	struct account account = { 0 };
	const struct passwd *entry;

	if (!plan->account_environment)
		return account;
	errno = 0;
	entry = getpwnam(plan->user_name);
	if (entry == NULL && errno != 0 && errno != ENOENT && errno != ESRCH)
		fail_errno(errno, "cannot look for the user '%s'", plan->user_name);
	if (entry == NULL)
		fail(STATUS_LAUNCHER, "there is no user '%s'", plan->user_name);
	if (is_home(entry->pw_dir))
		account.home = copy(entry->pw_dir);
	if (is_shell(entry->pw_shell))
		account.shell = copy(entry->pw_shell);
	return account;
}
