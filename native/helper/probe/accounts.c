/*
 * getpwnam_r(3), getgrnam_r(3): the manual pages name ENOENT, ESRCH, EBADF and EPERM as "not found" of one source or
 * another. A source whose server is away (ECONNREFUSED, EHOSTDOWN) knows nobody either. Everything else is
 * an error, so that a number is not given out because a directory server timed out.
 */
#include "accounts.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>

/* EINTR is asked again, but not for ever: no signal is expected here, so a source that keeps saying it is broken. */
#define INTERRUPTIONS_MAX 16

struct question {
	const char *call;
	bool is_group;
	/* NULL: the number is asked for */
	const char *name;
	uint32_t number;
};

/* Of one record at a time. Most of it is never touched. */
static char buffer[RECORD_MAX];

/* Copies a field of a record; returns whether it had to be cut. */
static bool take_text(const char *text, char copy[TEXT_MAX + 1])
{
	return snprintf(copy, TEXT_MAX + 1, "%s", text == NULL ? "" : text) > TEXT_MAX;
}

static int ask_user(const struct question *question, struct account *account, bool *found)
{
	struct passwd record, *result = NULL;
	int error = question->name != NULL ? getpwnam_r(question->name, &record, buffer, sizeof(buffer), &result) :
					     getpwuid_r(question->number, &record, buffer, sizeof(buffer), &result);

	*found = result != NULL;
	if (*found) {
		(void)take_text(record.pw_name, account->name);
		account->is_cut = take_text(record.pw_dir, account->home);
		account->is_cut |= take_text(record.pw_shell, account->shell);
		account->number = record.pw_uid;
		account->group = record.pw_gid;
	}
	return error;
}

static int ask_group(const struct question *question, struct account *account, bool *found)
{
	struct group record, *result = NULL;
	int error = question->name != NULL ? getgrnam_r(question->name, &record, buffer, sizeof(buffer), &result) :
					     getgrgid_r(question->number, &record, buffer, sizeof(buffer), &result);

	*found = result != NULL;
	if (*found) {
		(void)take_text(record.gr_name, account->name);
		account->number = account->group = record.gr_gid;
	}
	return error;
}

static bool means_not_found(int error)
{
	return error == 0 || error == ENOENT || error == ESRCH || error == EBADF || error == EPERM ||
	       error == ECONNREFUSED || error == EHOSTDOWN;
}

static enum lookup look_up(const struct question *question, struct account *account, struct answer *answer)
{
	int error = EINTR;
	bool found = false;

	for (int i = 0; error == EINTR && i < INTERRUPTIONS_MAX; i++)
		error = question->is_group ? ask_group(question, account, &found) : ask_user(question, account, &found);
	if (found && error == 0)
		return LOOKUP_FOUND;
	if (means_not_found(error))
		return LOOKUP_NOT_FOUND;
	(void)answer_error(answer, question->call, error);
	return LOOKUP_FAILED;
}

enum lookup user_by_name(const char *name, struct account *account, struct answer *answer)
{
	return look_up(&(struct question){ "getpwnam_r", .name = name }, account, answer);
}

enum lookup user_by_number(uint32_t uid, struct account *account, struct answer *answer)
{
	return look_up(&(struct question){ "getpwuid_r", .number = uid }, account, answer);
}

enum lookup group_by_name(const char *name, struct account *account, struct answer *answer)
{
	return look_up(&(struct question){ "getgrnam_r", true, .name = name }, account, answer);
}

enum lookup group_by_number(uint32_t gid, struct account *account, struct answer *answer)
{
	return look_up(&(struct question){ "getgrgid_r", true, .number = gid }, account, answer);
}

gid_t *groups_of_user(const char *user, gid_t gid, int *count)
{
	static gid_t groups[NGROUPS_MAX];

	*count = NGROUPS_MAX;
	if (getgrouplist(user, gid, groups, count) >= 0)
		return groups;
	/* It says how many there are, if there are more; if not, it had no memory. */
	errno = *count > NGROUPS_MAX ? EOVERFLOW : ENOMEM;
	return NULL;
}
