/* The lines that are wanted stand at the start of the file, and fit into one read unless a thread has hundreds of groups. */
#include "credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STATUS_HEAD 4096
/* All groups with ten digits and a space each, and what stands before and behind them. */
#define STATUS_MAX (STATUS_HEAD + GROUPS_MAX * 11)

#define USERS_LABEL "\nUid:\t"
#define GROUPS_LABEL "\nGid:\t"
#define SUPPLEMENTARY_LABEL "\nGroups:\t"
#define KERNEL_LABEL "\nKthread:\t1\n"
#define THREADS_LABEL "\nThreads:\t"

enum holding credentials_hold(const struct credentials *credentials, uint32_t number)
{
	for (int i = 0; i < 4; i++) {
		if (credentials->uids[i] == number)
			return HOLDS_AS_USER;
	}
	for (int i = 0; i < 4; i++) {
		if (credentials->gids[i] == number)
			return HOLDS_AS_GROUP;
	}
	for (size_t i = 0; i < credentials->group_count; i++) {
		if (credentials->groups[i] == number)
			return HOLDS_AS_SUPPLEMENTARY;
	}
	return HOLDS_NOT;
}

/* Reads a number up to one of the bytes that may follow it. Returns where it ended, NULL if there is no number. */
static const char *parse_number(const char *text, char after, uint32_t *number)
{
	uint64_t value = 0;
	const char *at = text;

	for (; *at >= '0' && *at <= '9' && at - text < 10; at++)
		value = value * 10 + (uint64_t)(*at - '0');
	if (at == text || *at != after || value > UINT32_MAX)
		return NULL;
	*number = (uint32_t)value;
	return at + 1;
}

static bool parse_ids(const char *text, const char *label, uint32_t ids[4])
{
	const char *at = strstr(text, label);

	if (at == NULL)
		return false;
	at += strlen(label);
	for (int i = 0; i < 4 && at != NULL; i++)
		at = parse_number(at, i < 3 ? '\t' : '\n', &ids[i]);
	return at != NULL;
}

/* Each group has a space behind it; the line of none has one as well. */
static bool parse_groups(const char *text, struct credentials *credentials)
{
	const char *at = strstr(text, SUPPLEMENTARY_LABEL);

	credentials->group_count = 0;
	if (at == NULL)
		return false;
	at += strlen(SUPPLEMENTARY_LABEL);
	while (*at >= '0' && *at <= '9') {
		if (credentials->group_count == GROUPS_MAX)
			return false;
		at = parse_number(at, ' ', &credentials->groups[credentials->group_count]);
		if (at == NULL)
			return false;
		credentials->group_count++;
	}
	return *at == '\n' || (at[0] == ' ' && at[1] == '\n');
}

static bool parse_threads(const char *text, uint32_t *threads)
{
	const char *at = strstr(text, THREADS_LABEL);

	return at != NULL && parse_number(at + strlen(THREADS_LABEL), '\n', threads) != NULL;
}

/* The labels start lines: a newline in the name of the process is escaped. */
static int parse(const char *text, struct credentials *credentials)
{
	if (!parse_ids(text, USERS_LABEL, credentials->uids) || !parse_ids(text, GROUPS_LABEL, credentials->gids) ||
	    !parse_groups(text, credentials) || !parse_threads(text, &credentials->threads))
		return EBADMSG;
	credentials->is_kernel = strstr(text, KERNEL_LABEL) != NULL;
	return 0;
}

/* What fits into no short read: one long one, in pieces of the same text, since the kernel continues where it stopped. */
static int read_long(int descriptor, struct credentials *credentials)
{
	char *text = malloc(STATUS_MAX + 1);
	size_t length = 0;
	ssize_t got = 1;

	if (text == NULL)
		return ENOMEM;
	while (got > 0 && length < STATUS_MAX) {
		got = pread(descriptor, text + length, STATUS_MAX - length, (off_t)length);
		length += got > 0 ? (size_t)got : 0;
	}
	int error = got < 0 ? errno : 0;

	text[length] = '\0';
	if (error == 0)
		error = parse(text, credentials);
	free(text);
	return error;
}

int credentials_of(int descriptor, struct credentials *credentials)
{
	char text[STATUS_HEAD + 1];
	ssize_t length = pread(descriptor, text, STATUS_HEAD, 0);

	if (length < 0)
		return errno;
	if (length == STATUS_HEAD)
		return read_long(descriptor, credentials);
	text[length] = '\0';
	return parse(text, credentials);
}

int credentials_open(int directory, pid_t thread)
{
	char name[32];

	(void)snprintf(name, sizeof(name), "%d/status", thread);
	int descriptor = openat(directory, name, O_RDONLY | O_CLOEXEC);

	if (descriptor < 0 && errno == ENOENT)
		errno = ESRCH;
	return descriptor;
}

int credentials_read(int directory, pid_t thread, struct credentials *credentials)
{
	int descriptor = credentials_open(directory, thread);

	if (descriptor < 0)
		return errno;
	int error = credentials_of(descriptor, credentials);

	close(descriptor);
	return error;
}
