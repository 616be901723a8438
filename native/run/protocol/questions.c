/* See questions.h. */
#include "questions.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "cli/fail.h"
#include "descriptor.h"
#include "device_list.h"
#include "dynuser.h"
#include "elf_interpreter.h"
#include "exec/environment.h"
#include "images/images.h"
#include "json.h"
#include "namespace/resolve.h"
#include "pattern.h"
#include "statx.h"
#include "string_list.h"

#define DROP_IN_SUFFIX ".conf"

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
static char *read_file(const char *path, int descriptor, size_t *length)
{
	char *bytes = malloc(FILE_BYTES_MAX + 1);
	ssize_t all = bytes == NULL ? -1 : read_all(descriptor, bytes, FILE_BYTES_MAX + 1);

	if (bytes == NULL)
		fail(STATUS_LAUNCHER, "out of memory");
	if (all < 0)
		fail_errno(errno, "cannot read %s", path);
	*length = (size_t)all;
	if (*length > FILE_BYTES_MAX)
		fail(STATUS_LAUNCHER, "%s is longer than %u bytes", path, FILE_BYTES_MAX);
	return bytes;
}

/* What is being looked into, as answers name it; null: the launcher's own root. */
static const char *inside;
/* /proc/self/fd, which an image does not show; -1: not yet, or not available. */
static int descriptors = -1;

static void write_head(struct json_writer *writer, const char *kind, const char *path, bool found)
{
	json_write_raw(writer, writer->length == 0 ? "{\"kind\":" : ",{\"kind\":");
	json_write_string(writer, kind);
	json_write_member(writer, "path", path);
	json_write_member(writer, "inside", inside);
	json_write_raw(writer, found ? ",\"found\":true" : ",\"found\":false");
}

static void answer_file(struct answers *answers, const struct question *question)
{
	const char *path = question->path;
	int descriptor = open_kind(path, S_IFREG);
	size_t length = 0;
	char *bytes;

	write_head(&answers->text, "file", path, descriptor >= 0);
	if (descriptor >= 0) {
		bytes = read_file(path, descriptor, &length);
		(void)close(descriptor);
		/* JSON could hold them, but the daemon takes them for an attack. */
		if (memchr(bytes, '\0', length) != NULL)
			fail(STATUS_LAUNCHER, "%s has NUL characters, so it is not a text file", path);
		answers->bytes += length;
		if (answers->bytes > ALL_BYTES_MAX)
			fail(STATUS_LAUNCHER, "the files of this unit have more than %u bytes, up to %s", ALL_BYTES_MAX,
			     path);
		json_write_name(&answers->text, "text");
		json_write_text(&answers->text, bytes, length);
		free(bytes);
	}
	json_write_raw(&answers->text, "}");
}

static bool is_drop_in(const char *name)
{
	size_t length = strlen(name);
	size_t suffix = sizeof(DROP_IN_SUFFIX) - 1;

	return length > suffix && strcmp(name + length - suffix, DROP_IN_SUFFIX) == 0;
}

/* Names in the answer to a question. */
struct names {
	struct answers *answers;
	const char *path;
	struct strings list;
};

static void add_name(void *context, const char *name)
{
	struct names *names = context;
	char *kept;

	if (++names->answers->names > NAMES_MAX)
		fail(STATUS_LAUNCHER, "the directories of this unit have more than %u names, up to %s", NAMES_MAX,
		     names->path);
	kept = strdup(name);
	if (kept == NULL || !strings_add(&names->list, kept))
		fail(STATUS_LAUNCHER, "out of memory");
}

static void read_names(struct names *names, int descriptor)
{
	DIR *directory = fdopendir(descriptor);
	const struct dirent *entry;

	if (directory == NULL)
		fail_errno(errno, "cannot list %s", names->path);
	while ((errno = 0, entry = readdir(directory)) != NULL) {
		if (is_drop_in(entry->d_name))
			add_name(names, entry->d_name);
	}
	if (errno != 0)
		fail_errno(errno, "cannot list %s", names->path);
	(void)closedir(directory);
}

/* Ends the answer, with the names in the order of their bytes, and frees them. */
static void write_list(struct names *names, bool found)
{
	struct json_writer *writer = &names->answers->text;
	struct strings *list = &names->list;

	strings_sort(list);
	if (found)
		json_write_raw(writer, ",\"names\":[");
	for (size_t i = 0; i < list->count; i++) {
		json_write_raw(writer, i == 0 ? "" : ",");
		json_write_string(writer, list->items[i]);
	}
	json_write_raw(writer, found ? "]}" : "}");
	strings_free(list);
}

static void write_names(struct names *names, const char *kind, bool found)
{
	write_head(&names->answers->text, kind, names->path, found);
	write_list(names, found);
}

static void answer_directory(struct answers *answers, const struct question *question)
{
	struct names names = { .answers = answers, .path = question->path };
	int descriptor = open_kind(question->path, S_IFDIR);

	if (descriptor >= 0)
		read_names(&names, descriptor);
	write_names(&names, "directory", descriptor >= 0);
}

static void answer_glob(struct answers *answers, const struct question *question)
{
	struct names names = { .answers = answers, .path = question->path };

	pattern_search(question->path, &answers->entries, ENTRIES_MAX, add_name, &names);
	write_names(&names, "glob", names.list.count > 0);
}

/* Whether a directory has names that are neither hidden nor backups. */
static bool has_names(const char *path)
{
	DIR *directory = opendir(path);
	const struct dirent *entry;
	bool found = false;

	while (!found && directory != NULL && (entry = readdir(directory)) != NULL)
		found = entry->d_name[0] != '.' && entry->d_name[strlen(entry->d_name) - 1] != '~';
	if (directory != NULL)
		(void)closedir(directory);
	return found;
}

/* Only directories are opened here: that has no effects. */
static void answer_path(struct answers *answers, const struct question *question)
{
	const char *path = question->path;
	struct statx link = { 0 };
	struct statx target = { 0 };
	struct statvfs system = { 0 };
	bool found = statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &link) == 0;
	bool exists = found && statx(AT_FDCWD, path, 0, STATX_TYPE | STATX_MODE | STATX_SIZE, &target) == 0;
	bool is_file = exists && S_ISREG(target.stx_mode);
	bool is_directory = exists && S_ISDIR(target.stx_mode);
	const struct {
		const char *word;
		bool is_so;
	} facts[] = {
		{ "\"link\"", found && S_ISLNK(link.stx_mode) },
		{ "\"exists\"", exists },
		{ "\"directory\"", is_directory },
		{ "\"file\"", is_file },
		{ "\"mountPoint\"", exists && (target.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0 },
		{ "\"readOnly\"", exists && statvfs(path, &system) == 0 && (system.f_flag & ST_RDONLY) != 0 },
		{ "\"notEmpty\"", is_file ? target.stx_size > 0 : is_directory && has_names(path) },
		{ "\"executable\"", is_file && (target.stx_mode & 0111) != 0 },
	};
	const char *separator = ",\"names\":[";

	write_head(&answers->text, "path", path, found);
	for (size_t i = 0; found && i < sizeof(facts) / sizeof(facts[0]); i++) {
		if (!facts[i].is_so)
			continue;
		json_write_raw(&answers->text, separator);
		json_write_raw(&answers->text, facts[i].word);
		separator = ",";
	}
	/* What was found is a link, or exists: at least one name was written. */
	json_write_raw(&answers->text, found ? "]}" : "}");
}

static void answer_devices(struct answers *answers, const struct question *question)
{
	struct names names = { .answers = answers, .path = question->path };
	bool found = device_list(question->path, &answers->entries, ENTRIES_MAX, add_name, &names);

	write_names(&names, "devices", found);
}

/* Opens a program below a root directory, with O_PATH. -1: it was not found. */
static int find_program(int root, const char *name)
{
	const char *search = getenv("PATH");
	char path[PATH_MAX];

	if (name[0] == '/')
		return resolve(root, name, 0);
	if (search == NULL)
		search = DEFAULT_PATH;
	for (;; search++) {
		size_t length = strcspn(search, ":");
		int found;

		/* As execvp(3) does, but without relative directories: they are the launcher's, and not below a root. */
		if (search[0] == '/' && length + 1 + strlen(name) < sizeof(path)) {
			memcpy(path, search, length);
			(void)stpcpy(stpcpy(path + length, "/"), name);
			found = resolve(root, path, 0);
			if (found >= 0)
				return found;
		}
		search += length;
		if (search[0] == '\0')
			return -1;
	}
}

/* What a program of ELF names as its interpreter. */
static void answer_program(struct answers *answers, const struct question *question)
{
	char interpreter[ELF_INTERPRETER_BYTES];
	int root = open(question->root == NULL ? "/" : question->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int program = root < 0 ? -1 : find_program(root, question->path);
	bool found = program >= 0 && elf_interpreter(descriptors, program, interpreter);

	write_head(&answers->text, "program", question->path, found);
	json_write_member(&answers->text, "root", question->root);
	json_write_member(&answers->text, "text", found ? interpreter : NULL);
	json_write_raw(&answers->text, "}");
	close_quietly(program);
	close_quietly(root);
}

static void answer_real(struct answers *answers, const struct question *question)
{
	char place[PATH_MAX];
	const char *real = realpath(question->path, place);

	if (real == NULL && !is_absence(errno))
		fail_errno(errno, "cannot tell what %s leads to", question->path);
	write_head(&answers->text, "real", question->path, real != NULL);
	json_write_member(&answers->text, "text", real);
	json_write_raw(&answers->text, "}");
}

/* Looking into an image takes long: one with a stamp is only looked into if the daemon asks for that, since it may know it. */
static void answer_image(struct answers *answers, const struct question *question)
{
	struct names names = { .answers = answers, .path = question->path };
	const char *stamp = NULL;
	bool found = image_open(question->path, question->writable, &stamp);
	bool looks = found && (question->look || stamp == NULL);

	if (looks)
		image_look(question->path, add_name, &names);
	write_head(&answers->text, "image", question->path, found);
	json_write_member(&answers->text, "stamp", stamp);
	write_list(&names, looks);
}

/* If a property of the command line plainly names an image that has a stamp, the daemon may know it. */
static void answer_named_image(struct answers *answers, const char *property)
{
	static const char *const names[] = { "RootImage=", "MountImages=", "ExtensionImages=" };
	struct question question = { .kind = QUESTION_IMAGE };
	const char *stamp = NULL;
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = property + strlen(names[i]);
		size_t length;

		if (strncmp(property, names[i], strlen(names[i])) != 0 || value[0] != '/')
			continue;
		length = strcspn(value, ":");
		if (length >= sizeof(path) || strcspn(value, "%\\\"' \t\n") < length)
			return;
		memcpy(path, value, length);
		path[length] = '\0';
		question.path = path;
		if (image_open(path, false, &stamp) && stamp != NULL)
			answer_question(answers, &question);
	}
}

static void (*const answer_kind[])(struct answers *answers, const struct question *question) = {
	[QUESTION_FILE] = answer_file, [QUESTION_DIRECTORY] = answer_directory, [QUESTION_GLOB] = answer_glob,
	[QUESTION_PATH] = answer_path, [QUESTION_DEVICES] = answer_devices,	[QUESTION_PROGRAM] = answer_program,
	[QUESTION_REAL] = answer_real, [QUESTION_IMAGE] = answer_image,
};

static void change_root(int root, int directory)
{
	if (fchdir(root) != 0 || chroot(".") != 0 || fchdir(directory) != 0)
		fail_errno(errno, "cannot look into an image");
}

/* With the image as the root: no symlink of it leads out. */
static void answer_inside(struct answers *answers, const struct question *question)
{
	const struct image_part *part = &question->inside.parts[0];
	int root = open_directory("/"), directory = open_directory("."), view = image_view(&question->inside, part);
	char name[PATH_MAX + 32];

	(void)snprintf(name, sizeof(name), "%s:%" PRIu64, question->inside.path, part->offset);
	inside = name;
	change_root(view, view);
	answer_kind[question->kind](answers, question);
	change_root(root, directory);
	inside = NULL;
	(void)close(directory);
	(void)close(root);
}

void answer_question(struct answers *answers, const struct question *question)
{
	if (question->kind == QUESTION_PROGRAM && descriptors < 0)
		descriptors = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (question->has_inside)
		answer_inside(answers, question);
	else
		answer_kind[question->kind](answers, question);
	if (answers->text.error == EILSEQ)
		fail(STATUS_LAUNCHER, "%s, or a name in it, is not UTF-8", question->path);
	if (answers->text.error != 0)
		fail_errno(answers->text.error, "cannot send %s to the daemon", question->path);
}

void answer_usual_questions(struct answers *answers, const char *program, const struct strings *properties)
{
	const struct question own = { .kind = QUESTION_PROGRAM, .path = program };

	static const char *const globs[] = { DYNUSER_USUAL_GLOBS };

	for (size_t i = 0; i < sizeof(globs) / sizeof(globs[0]); i++) {
		const struct question question = { .kind = QUESTION_GLOB, .path = globs[i] };

		answer_question(answers, &question);
	}
	if (program != NULL)
		answer_question(answers, &own);
	for (size_t i = 0; i < properties->count; i++)
		answer_named_image(answers, properties->items[i]);
}
