/* Who is asked, and what the answers mean; see accounts.h. */
#include "accounts.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "account_lines.h"
#include "cli/fail.h"
#include "getent.h"

#define GROUPS_USUAL 32

static _Noreturn void fail_no_user(const char *name)
{
	fail(STATUS_LAUNCHER, "there is no user '%s'", name);
}

static _Noreturn void fail_no_group(const char *name)
{
	fail(STATUS_LAUNCHER, "there is no group '%s'", name);
}

static _Noreturn void fail_nonsense(const char *database, const char *key)
{
	fail(STATUS_LAUNCHER, "'getent %s %s' printed what getent(1) does not print; is it the system's own?", database, key);
}

/* Every getent(1) knows these two, so that it says so is no answer. */
static enum getent_end ask(const char *database, const char *const *names, size_t count, struct getent_answer *answer)
{
	enum getent_end end = getent_ask(database, names, count, answer);

	if (end == GETENT_NO_DATABASE)
		fail(STATUS_LAUNCHER, "'getent %s %s' failed with exit status 1", database, names[0]);
	return end;
}

/* getgrnam(3), getpwnam(3): what else than not found these errors can mean depends on the library. */
static bool is_failure(int error)
{
	return error != 0 && error != ENOENT && error != ESRCH;
}

static void groups_of_by_libc(const char *user, gid_t own, account_found *found, void *context)
{
	int room = GROUPS_USUAL, count = room;
	gid_t *ids = malloc(GROUPS_USUAL * sizeof(*ids));

	while (ids != NULL && getgrouplist(user, own, ids, &count) < 0) {
		/* It says how many there are; two in a row may differ while the database changes. */
		if (count > GROUPS_MAX)
			fail(STATUS_LAUNCHER, "the user %s is in more than %d groups", user, GROUPS_MAX);
		if (count <= room)
			fail_errno(errno, "cannot look for the groups of the user '%s'", user);
		free(ids);
		room = count;
		ids = malloc((size_t)room * sizeof(*ids));
	}
	if (ids == NULL)
		fail(STATUS_LAUNCHER, "out of memory");
	for (int i = 0; i < count; i++)
		found(context, ids[i]);
	free(ids);
}

void accounts_groups_of(const char *user, gid_t own, account_found *found, void *context)
{
	struct getent_answer answer;
	enum getent_end end;

	if (!account_name(user))
		fail_no_user(user);
	end = getent_ask("initgroups", &user, 1, &answer);
	if (end == GETENT_ABSENT || end == GETENT_NO_DATABASE)
		groups_of_by_libc(user, own, found, context);
	else if (end == GETENT_FOUND && !account_initgroups(answer.text, answer.length, user, found, context))
		fail_nonsense("initgroups", user);
	free(answer.text);
}

static gid_t group_by_libc(const char *name)
{
	const struct group *group;

	errno = 0;
	group = getgrnam(name);
	if (group == NULL && is_failure(errno))
		fail_errno(errno, "cannot look for the group '%s'", name);
	if (group == NULL)
		fail_no_group(name);
	return group->gr_gid;
}

/*
 * A line for each name that is known, in the order in which they were asked for. The names in them are compared only to tell which
 * one has none: a source may spell a name in another way than it was asked for.
 */
static void read_groups(const char *const *names, size_t count, bool all, const struct getent_answer *answer, account_found *found,
			void *context)
{
	char *text = answer->text;
	const char *end = answer->text + answer->length;

	for (size_t i = 0; i < count; i++) {
		struct account_group group;

		if (!all && text == end)
			fail_no_group(names[i]);
		if (!account_group(&text, end, &group))
			fail_nonsense("group", names[i]);
		if (!all && strcmp(group.name, names[i]) != 0)
			fail_no_group(names[i]);
		found(context, group.id);
	}
	/* Also where all were there though it said that one was not. */
	if (!all || text != end)
		fail_nonsense("group", names[count - 1]);
}

void accounts_groups_named(const char *const *names, size_t count, account_found *found, void *context)
{
	struct getent_answer answer;
	enum getent_end end;

	for (size_t i = 0; i < count; i++) {
		if (!account_name(names[i]))
			fail_no_group(names[i]);
	}
	end = ask("group", names, count, &answer);
	if (end != GETENT_ABSENT)
		read_groups(names, count, end == GETENT_FOUND, &answer, found, context);
	for (size_t i = 0; i < count && end == GETENT_ABSENT; i++)
		found(context, group_by_libc(names[i]));
	free(answer.text);
}

static struct account_user user_by_libc(const char *name)
{
	const struct passwd *entry;

	errno = 0;
	entry = getpwnam(name);
	if (entry == NULL && is_failure(errno))
		fail_errno(errno, "cannot look for the user '%s'", name);
	if (entry == NULL)
		fail_no_user(name);
	return (struct account_user){ .home = entry->pw_dir, .shell = entry->pw_shell };
}

struct account_user accounts_user(const char *name)
{
	struct getent_answer answer;
	struct account_user user;
	enum getent_end end;

	if (!account_name(name))
		fail_no_user(name);
	end = ask("passwd", &name, 1, &answer);
	if (end == GETENT_ABSENT)
		return user_by_libc(name);
	if (end == GETENT_NOT_FOUND)
		fail_no_user(name);
	if (!account_user(answer.text, answer.length, &user))
		fail_nonsense("passwd", name);
	return user;
}
