/* See questions.h. */
#include "questions.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/fail.h"
#include "pattern.h"
#include "string_list.h"

#define DROP_IN_SUFFIX ".conf"

/* Nothing is there, which is an answer too. */
static bool is_absence(int error)
{
	return error == ENOENT || error == ENOTDIR;
}

/*
 * Opens a file of that type (S_IFREG, S_IFDIR); -1 if there is none at the path. The type is checked before, since opening a device,
 * a watchdog or a tape, has effects. O_NONBLOCK: if a FIFO has taken its place since, open(2) must not wait.
 */
static int open_kind(const char *path, mode_t type)
{
	struct stat status;
	int descriptor;

	if (stat(path, &status) != 0) {
		if (!is_absence(errno))
			fail_errno(errno, "cannot read %s", path);
		return -1;
	}
	if ((status.st_mode & S_IFMT) != type)
		return -1;
	descriptor = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (descriptor < 0 && (is_absence(errno) || errno == ENXIO))
		return -1;
	if (descriptor < 0 || fstat(descriptor, &status) != 0)
		fail_errno(errno, "cannot read %s", path);
	if ((status.st_mode & S_IFMT) == type)
		return descriptor;
	(void)close(descriptor);
	return -1;
}

/* Reads a file into allocated memory; fails if it is too long. */
static char *read_all(const char *path, int descriptor, size_t *length)
{
	char *bytes = malloc(FILE_BYTES_MAX + 1);

	*length = 0;
	if (bytes == NULL)
		fail(STATUS_LAUNCHER, "out of memory");
	for (;;) {
		ssize_t more = read(descriptor, bytes + *length, FILE_BYTES_MAX + 1 - *length);

		if (more < 0 && errno == EINTR)
			continue;
		if (more < 0)
			fail_errno(errno, "cannot read %s", path);
		if (more == 0)
			return bytes;
		*length += (size_t)more;
		if (*length > FILE_BYTES_MAX)
			fail(STATUS_LAUNCHER, "%s is longer than %u bytes", path, FILE_BYTES_MAX);
	}
}

static void write_head(struct json_writer *writer, const char *kind, const char *path, bool found)
{
	json_write_raw(writer, writer->length == 0 ? "{\"kind\":\"" : ",{\"kind\":\"");
	json_write_raw(writer, kind);
	json_write_raw(writer, "\",\"path\":");
	json_write_string(writer, path);
	json_write_raw(writer, found ? ",\"found\":true" : ",\"found\":false");
}

static void answer_file(struct answers *answers, const char *path)
{
	int descriptor = open_kind(path, S_IFREG);
	size_t length = 0;
	char *bytes;

	write_head(&answers->text, "file", path, descriptor >= 0);
	if (descriptor >= 0) {
		bytes = read_all(path, descriptor, &length);
		(void)close(descriptor);
		/* JSON could hold them, but the daemon takes them for an attack. */
		if (memchr(bytes, '\0', length) != NULL)
			fail(STATUS_LAUNCHER, "%s has NUL characters, so it is not a text file", path);
		answers->bytes += length;
		if (answers->bytes > ALL_BYTES_MAX)
			fail(STATUS_LAUNCHER, "the files of this unit have more than %u bytes, up to %s", ALL_BYTES_MAX, path);
		json_write_raw(&answers->text, ",\"text\":");
		json_write_text(&answers->text, bytes, length);
		free(bytes);
	}
	json_write_raw(&answers->text, "}");
}

static void count_name(struct answers *answers, const char *path)
{
	if (++answers->names > NAMES_MAX)
		fail(STATUS_LAUNCHER, "the directories of this unit have more than %u names, up to %s", NAMES_MAX, path);
}

static bool is_drop_in(const char *name)
{
	size_t length = strlen(name);
	size_t suffix = sizeof(DROP_IN_SUFFIX) - 1;

	return length > suffix && strcmp(name + length - suffix, DROP_IN_SUFFIX) == 0;
}

static int by_bytes(const void *one, const void *other)
{
	return strcmp(*(char *const *)one, *(char *const *)other);
}

static void add_name(struct strings *names, const char *name)
{
	char *kept = strdup(name);

	if (kept == NULL || !strings_add(names, kept))
		fail(STATUS_LAUNCHER, "out of memory");
}

static struct strings read_names(struct answers *answers, const char *path, DIR *directory)
{
	struct strings names = { 0 };
	const struct dirent *entry;

	while ((errno = 0, entry = readdir(directory)) != NULL) {
		if (!is_drop_in(entry->d_name))
			continue;
		count_name(answers, path);
		add_name(&names, entry->d_name);
	}
	if (errno != 0)
		fail_errno(errno, "cannot list %s", path);
	return names;
}

/* In the order of their bytes. */
static void write_names(struct json_writer *writer, const struct strings *names)
{
	if (names->count > 0)
		qsort(names->items, names->count, sizeof(*names->items), by_bytes);
	json_write_raw(writer, ",\"names\":[");
	for (size_t i = 0; i < names->count; i++) {
		json_write_raw(writer, i == 0 ? "" : ",");
		json_write_string(writer, names->items[i]);
	}
	json_write_raw(writer, "]");
}

static void free_names(struct strings *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->items[i]);
	free(names->items);
}

static void answer_directory(struct answers *answers, const char *path)
{
	int descriptor = open_kind(path, S_IFDIR);

	write_head(&answers->text, "directory", path, descriptor >= 0);
	if (descriptor >= 0) {
		DIR *directory = fdopendir(descriptor);
		struct strings names;

		if (directory == NULL)
			fail_errno(errno, "cannot list %s", path);
		names = read_names(answers, path, directory);
		(void)closedir(directory);
		write_names(&answers->text, &names);
		free_names(&names);
	}
	json_write_raw(&answers->text, "}");
}

struct matches {
	struct answers *answers;
	const char *pattern;
	struct strings names;
};

static void keep_match(void *context, const char *path)
{
	struct matches *matches = context;

	count_name(matches->answers, matches->pattern);
	add_name(&matches->names, path);
}

static void answer_glob(struct answers *answers, const char *path)
{
	struct matches matches = { .answers = answers, .pattern = path };

	pattern_search(path, &answers->entries, ENTRIES_MAX, keep_match, &matches);
	write_head(&answers->text, "glob", path, matches.names.count > 0);
	if (matches.names.count > 0)
		write_names(&answers->text, &matches.names);
	free_names(&matches.names);
	json_write_raw(&answers->text, "}");
}

void answer_question(struct answers *answers, const struct question *question)
{
	if (question->kind == QUESTION_FILE)
		answer_file(answers, question->path);
	else if (question->kind == QUESTION_DIRECTORY)
		answer_directory(answers, question->path);
	else
		answer_glob(answers, question->path);
	if (answers->text.error == EILSEQ)
		fail(STATUS_LAUNCHER, "%s, or a name in it, is not UTF-8", question->path);
	if (answers->text.error != 0)
		fail_errno(answers->text.error, "cannot send %s to the daemon", question->path);
}
