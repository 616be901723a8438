/*
 * getpwnam_r(3), getgrnam_r(3): the manual pages name ENOENT, ESRCH, EBADF and EPERM as "not found" of one source or
 * another. A source whose server is away (ECONNREFUSED, EHOSTDOWN) knows nobody either. Everything else is
 * told, so that a number is not given out because a directory server timed out.
 */
#include "accounts.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>

#define RECORD_START 4096
#define GROUPS_USUAL 64

struct question {
	const char *call;
	bool is_group;
	/* NULL: the number is asked for */
	const char *name;
	uint32_t number;
};

/* Copies a field of a record; returns whether it had to be cut. */
static bool take_text(const char *text, char copy[TEXT_MAX + 1])
{
	return snprintf(copy, TEXT_MAX + 1, "%s", text == NULL ? "" : text) > TEXT_MAX;
}

static int ask_user(const struct question *question, char *buffer, size_t size, struct account *account, bool *found)
{
	struct passwd record, *result = NULL;
	int error = question->name != NULL ? getpwnam_r(question->name, &record, buffer, size, &result) :
					     getpwuid_r(question->number, &record, buffer, size, &result);

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

static int ask_group(const struct question *question, char *buffer, size_t size, struct account *account, bool *found)
{
	struct group record, *result = NULL;
	int error = question->name != NULL ? getgrnam_r(question->name, &record, buffer, size, &result) :
					     getgrgid_r(question->number, &record, buffer, size, &result);

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

/* EINTR is asked again, but not for ever: no signal is expected here, so a source that keeps saying it is broken. */
#define INTERRUPTIONS_MAX 16

static enum lookup look_up(const struct question *question, struct account *account, struct failure *failure)
{
	int error = ENOMEM;
	bool found = false;
	int interruptions = 0;
	size_t size = RECORD_START;

	while (size <= RECORD_MAX) {
		char *buffer = malloc(size);

		if (buffer == NULL) {
			error = ENOMEM;
			break;
		}
		error = question->is_group ? ask_group(question, buffer, size, account, &found) :
					     ask_user(question, buffer, size, account, &found);
		free(buffer);
		if (error == ERANGE)
			size *= 4;
		else if (error != EINTR || ++interruptions == INTERRUPTIONS_MAX)
			break;
	}
	if (found && error == 0)
		return LOOKUP_FOUND;
	if (means_not_found(error))
		return LOOKUP_NOT_FOUND;
	*failure = (struct failure){ .call = question->call, .error = error };
	return LOOKUP_FAILED;
}

enum lookup user_by_name(const char *name, struct account *account, struct failure *failure)
{
	return look_up(&(struct question){ "getpwnam_r", .name = name }, account, failure);
}

enum lookup user_by_number(uint32_t uid, struct account *account, struct failure *failure)
{
	return look_up(&(struct question){ "getpwuid_r", .number = uid }, account, failure);
}

enum lookup group_by_name(const char *name, struct account *account, struct failure *failure)
{
	return look_up(&(struct question){ "getgrnam_r", true, .name = name }, account, failure);
}

enum lookup group_by_number(uint32_t gid, struct account *account, struct failure *failure)
{
	return look_up(&(struct question){ "getgrgid_r", true, .number = gid }, account, failure);
}

gid_t *groups_of_user(const char *user, gid_t gid, int *count)
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
		if (*count <= room || *count > NGROUPS_MAX) {
			errno = *count > NGROUPS_MAX ? EOVERFLOW : ENOMEM;
			free(groups);
			return NULL;
		}
	}
}
