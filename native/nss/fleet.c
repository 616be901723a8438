/* See fleet.h. */
#include "fleet.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bounds.h"

#define LINE DYNUSER_FLEET_SNAPSHOT_LINE
/* Where the UID begins in a line, behind the name and a space. */
#define UID_AT (DYNUSER_NAME_MAX + 1U)
#define UID_WIDTH 10U

_Static_assert(UID_AT + UID_WIDTH + 1U == LINE, "a line is a name, a space, a UID and a newline");

/* An open snapshot of that many users. */
struct snapshot_file {
	int file;
	size_t count;
};

/* The number at the end of a line, padded on its left. Returns its digits' length, 0 if there are none. */
static size_t digits_of(const char *line, const char **digits)
{
	const char *text = line + UID_AT;
	size_t length = UID_WIDTH;

	for (; length > 0 && *text == ' '; length--)
		text++;
	*digits = text;
	return length;
}

static bool read_line(const struct snapshot_file *snapshot, size_t index, char line[LINE])
{
	return pread(snapshot->file, line, LINE, (off_t)(index * LINE)) == (ssize_t)LINE && line[LINE - 1] == '\n' &&
	       line[UID_AT - 1] == ' ';
}

static bool parse_line(const char line[LINE], struct identity *who)
{
	char name[DYNUSER_NAME_MAX + 1];
	size_t length = DYNUSER_NAME_MAX;
	const char *digits;
	size_t digit_count = digits_of(line, &digits);
	uid_t uid;

	memcpy(name, line, length);
	while (length > 0 && name[length - 1] == ' ')
		length--;
	name[length] = '\0';
	if (strlen(name) != length || !name_is_possible(name) || !uid_from_text(digits, digit_count, &uid))
		return false;
	*who = identity_of(uid, name);
	return true;
}

static bool read_count(const struct snapshot_file *snapshot, size_t *count)
{
	static const char magic[] = DYNUSER_FLEET_SNAPSHOT_MAGIC;
	char line[LINE];
	const char *digits;
	size_t length, value = 0;

	if (!read_line(snapshot, 0, line) || memcmp(line, magic, sizeof(magic) - 1) != 0 ||
	    line[sizeof(magic) - 1] != ' ')
		return false;
	length = digits_of(line, &digits);
	for (size_t i = 0; i < length; i++) {
		if (digits[i] < '0' || digits[i] > '9')
			return false;
		value = value * 10 + (size_t)(digits[i] - '0');
	}
	*count = value;
	return length > 0 && value <= LIST_RECORDS_MAX;
}

static bool open_snapshot(const char *runtime, struct snapshot_file *snapshot)
{
	char path[RUNTIME_DIRECTORY_MAX + sizeof("/" DYNUSER_FLEET_SNAPSHOT)];
	struct stat status;

	(void)snprintf(path, sizeof(path), "%s/" DYNUSER_FLEET_SNAPSHOT, runtime);
	/* O_NONBLOCK: a FIFO in its place must not block the program. */
	snapshot->file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
	if (snapshot->file < 0)
		return false;
	if (fstat(snapshot->file, &status) == 0 && S_ISREG(status.st_mode) && read_count(snapshot, &snapshot->count) &&
	    status.st_size == (off_t)(LINE * (1 + 2 * snapshot->count)))
		return true;
	(void)close(snapshot->file);
	return false;
}

/* Below zero: the user is before the one that is asked for. */
static int compare(const struct identity *who, const struct query *query)
{
	if (query->name != NULL)
		return strcmp(who->name, query->name);
	return who->uid < query->uid ? -1 : who->uid > query->uid;
}

int fleet_find(const char *runtime, const struct query *query, struct identity *who)
{
	struct snapshot_file snapshot;
	size_t base, low = 0, high;
	int error = ENOENT;

	if (!open_snapshot(runtime, &snapshot))
		return ENOENT;
	base = query->name != NULL ? 1 : 1 + snapshot.count;
	high = snapshot.count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		char line[LINE];
		struct identity found;
		int order;

		if (!read_line(&snapshot, base + middle, line) || !parse_line(line, &found))
			break;
		order = compare(&found, query);
		if (order == 0) {
			*who = found;
			error = 0;
			break;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	(void)close(snapshot.file);
	return error;
}

void fleet_list(const char *runtime, char *buffer, size_t size, fleet_visitor *visit, void *context)
{
	struct snapshot_file snapshot;
	const size_t lines = size / LINE;

	if (!open_snapshot(runtime, &snapshot))
		return;
	for (size_t done = 0; done < snapshot.count;) {
		size_t wanted = snapshot.count - done < lines ? snapshot.count - done : lines;
		ssize_t length = pread(snapshot.file, buffer, wanted * LINE, (off_t)((1 + done) * LINE));

		if (length != (ssize_t)(wanted * LINE))
			break;
		for (size_t i = 0; i < wanted; i++) {
			struct identity who;

			if (parse_line(buffer + i * LINE, &who))
				visit(&who, context);
		}
		done += wanted;
	}
	(void)close(snapshot.file);
}
