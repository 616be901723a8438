/* Groups, home and shell by getgrouplist(3), getgrnam(3) and getpwnam(3); see memberships.h. */
#include "memberships.h"

#include <errno.h>
#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"

/* NGROUPS_MAX of Linux since 2.6.4 (setgroups(2)). */
#define GROUPS_MAX 65536
#define GROUPS_USUAL 32

static gid_t *room_for(gid_t *ids, size_t count)
{
	gid_t *room = realloc(ids, count * sizeof(*room));

	if (room == NULL)
		fail(STATUS_LAUNCHER, "out of memory");
	return room;
}

/*
 * What initgroups(3) would set. A dynamic user was in no database until now but in dynuser's own, which has no memberships:
 * it is looked for in /etc/group alone, where an operator can name it before it exists. All sources would be asked anew in
 * each launch, over sockets, and take longer than all else together.
 */
static struct groups groups_of_name(const struct plan *plan, size_t more)
{
	if (plan->dynamic &&
	    (__nss_configure_lookup("group", "files") != 0 || __nss_configure_lookup("initgroups", "files") != 0))
		fail_errno(errno, "cannot choose the group database");

	struct groups groups = { .ids = room_for(NULL, GROUPS_USUAL + more) };
	int count = GROUPS_USUAL;

	while (getgrouplist(plan->user_name, plan->gid, groups.ids, &count) < 0) {
		/* It says how many there are; two in a row may differ while the database changes. */
		if (count > GROUPS_MAX)
			fail(STATUS_LAUNCHER, "the user %s is in more than %d groups", plan->user_name, GROUPS_MAX);
		groups.ids = room_for(groups.ids, (size_t)count + more);
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
	/* Those that the plan names come from any source: they are looked for first. */
	gid_t *named = room_for(NULL, plan->groups.count + 1);
	struct groups groups;
	size_t kept = 0;

	for (size_t i = 0; i < plan->groups.count; i++)
		named[i] = group_of(plan->groups.items[i]);
	groups = groups_of_name(plan, plan->groups.count);
	for (size_t i = 0; i < plan->groups.count; i++)
		groups.ids[groups.count++] = named[i];
	free(named);
	if (groups.count > 1)
		qsort(groups.ids, groups.count, sizeof(*groups.ids), by_number);
	for (size_t i = 0; i < groups.count; i++) {
		if (i == 0 || groups.ids[i] != groups.ids[kept - 1])
			groups.ids[kept++] = groups.ids[i];
	}
	groups.count = kept;
	return groups;
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
	account = (struct account){ .home = strdup(entry->pw_dir), .shell = strdup(entry->pw_shell) };
	if (account.home == NULL || account.shell == NULL)
		fail(STATUS_LAUNCHER, "out of memory");
	return account;
}
