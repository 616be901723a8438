/* The lines that are wanted stand at the start of the file, and fit into one read unless a thread has hundreds of groups. */
#include "credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "descriptor.h"

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

/* Returns what is behind a label, NULL if it is not in the text. */
static const char *find_label(const char *text, const char *label)
{
	const char *found = strstr(text, label);

	return found == NULL ? NULL : found + strlen(label);
}

/* Reads a number and the byte after it. Returns what is behind that, NULL if there is no such number. */
static const char *parse_number(const char *text, char after, uint32_t *number)
{
	char *end;
	unsigned long long value = strtoull(text, &end, 10);

	if (end == text || *end != after || value > UINT32_MAX)
		return NULL;
	*number = (uint32_t)value;
	return end + 1;
}

static bool parse_ids(const char *text, const char *label, uint32_t ids[4])
{
	const char *at = find_label(text, label);

	for (int i = 0; i < 4 && at != NULL; i++)
		at = parse_number(at, i < 3 ? '\t' : '\n', &ids[i]);
	return at != NULL;
}

/* Each group has a space behind it; the line of none has one as well. */
static bool parse_groups(const char *text, struct credentials *credentials)
{
	const char *at = find_label(text, SUPPLEMENTARY_LABEL);
	size_t count = 0;

	while (at != NULL && *at >= '0' && *at <= '9')
		at = count == GROUPS_MAX ? NULL : parse_number(at, ' ', &credentials->groups[count++]);
	credentials->group_count = count;
	return at != NULL && (*at == '\n' || (at[0] == ' ' && at[1] == '\n'));
}

static bool parse_threads(const char *text, uint32_t *threads)
{
	const char *at = find_label(text, THREADS_LABEL);

	return at != NULL && parse_number(at, '\n', threads) != NULL;
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

/* For what does not fit into a short read. The pieces that it is read in are of one text: the kernel continues where it stopped. */
static int read_long(int descriptor, struct credentials *credentials)
{
	char *text = malloc(STATUS_MAX + 1);

	if (text == NULL)
		return ENOMEM;
	ssize_t length = lseek(descriptor, 0, SEEK_SET) < 0 ? -1 : read_all(descriptor, text, STATUS_MAX);
	int error = length < 0 ? errno : 0;

	if (error == 0) {
		text[length] = '\0';
		error = parse(text, credentials);
	}
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
