/*
 * getpwnam_r(3), getgrnam_r(3): the manual pages name ENOENT, ESRCH, EBADF and EPERM as "not found" of one source or
 * another. A source whose server is away (ECONNREFUSED, EHOSTDOWN) knows nobody either. Everything else is
 * told, so that a number is not given out because a directory server timed out.
 */
#include "accounts.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>

#define RECORD_START 4096

struct key {
	const char *name;
	uint32_t number;
};

struct question {
	const char *call;
	int (*ask)(const struct key *key, char *buffer, size_t size, struct account *account, bool *found);
};

/* Copies a field of a record; returns whether it had to be cut. */
static bool take_text(const char *text, char copy[TEXT_MAX + 1])
{
	return snprintf(copy, TEXT_MAX + 1, "%s", text == NULL ? "" : text) > TEXT_MAX;
}

static void take_user(const struct passwd *record, struct account *account, bool *found)
{
	*found = record != NULL;
	if (record == NULL)
		return;
	(void)take_text(record->pw_name, account->name);
	account->is_cut = take_text(record->pw_dir, account->home);
	account->is_cut |= take_text(record->pw_shell, account->shell);
	account->number = record->pw_uid;
	account->group = record->pw_gid;
}

static void take_group(const struct group *record, struct account *account, bool *found)
{
	*found = record != NULL;
	if (record == NULL)
		return;
	(void)take_text(record->gr_name, account->name);
	account->number = record->gr_gid;
	account->group = record->gr_gid;
}

static int ask_user_name(const struct key *key, char *buffer, size_t size, struct account *account, bool *found)
{
	struct passwd record, *result = NULL;
	int error = getpwnam_r(key->name, &record, buffer, size, &result);

	take_user(result, account, found);
	return error;
}

static int ask_user_number(const struct key *key, char *buffer, size_t size, struct account *account, bool *found)
{
	struct passwd record, *result = NULL;
	int error = getpwuid_r(key->number, &record, buffer, size, &result);

	take_user(result, account, found);
	return error;
}

static int ask_group_name(const struct key *key, char *buffer, size_t size, struct account *account, bool *found)
{
	struct group record, *result = NULL;
	int error = getgrnam_r(key->name, &record, buffer, size, &result);

	take_group(result, account, found);
	return error;
}

static int ask_group_number(const struct key *key, char *buffer, size_t size, struct account *account, bool *found)
{
	struct group record, *result = NULL;
	int error = getgrgid_r(key->number, &record, buffer, size, &result);

	take_group(result, account, found);
	return error;
}

static bool means_not_found(int error)
{
	switch (error) {
	case 0:
	case ENOENT:
	case ESRCH:
	case EBADF:
	case EPERM:
	case ECONNREFUSED:
	case EHOSTDOWN:
		return true;
	default:
		return false;
	}
}

/* EINTR is asked again, but not for ever: no signal is expected here, so a source that keeps saying it is broken. */
#define INTERRUPTIONS_MAX 16

static enum lookup look_up(struct question question, struct key key, struct account *account, struct failure *failure)
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
		error = question.ask(&key, buffer, size, account, &found);
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
	*failure = (struct failure){ .call = question.call, .error = error };
	return LOOKUP_FAILED;
}

enum lookup user_by_name(const char *name, struct account *account, struct failure *failure)
{
	return look_up((struct question){ "getpwnam_r", ask_user_name }, (struct key){ .name = name }, account, failure);
}

enum lookup user_by_number(uint32_t uid, struct account *account, struct failure *failure)
{
	return look_up((struct question){ "getpwuid_r", ask_user_number }, (struct key){ .number = uid }, account, failure);
}

enum lookup group_by_name(const char *name, struct account *account, struct failure *failure)
{
	return look_up((struct question){ "getgrnam_r", ask_group_name }, (struct key){ .name = name }, account, failure);
}

enum lookup group_by_number(uint32_t gid, struct account *account, struct failure *failure)
{
	return look_up((struct question){ "getgrgid_r", ask_group_number }, (struct key){ .number = gid }, account,
		       failure);
}
