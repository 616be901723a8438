/* Each component is opened in the directory that was opened before it, so that no name is looked up twice. See inspect.h. */
#include "tree/inspect.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define WORD_SEPARATOR " "
#define COMPONENT_SEPARATOR "/"
#define PERMISSION_BITS 07777U
/* src/host/owner-hints.ts writes it: whose a directory was last, in decimal. */
#define OWNER_HINT "trusted.dynuser.uid"
#define OWNER_HINT_DIGITS_MAX 10
/* A word, four ids and two numbers of 64 bits. */
#define DIRECTORY_BYTES_MAX 128

static bool has_room(struct answer *answer, size_t bytes)
{
	if (bytes <= sizeof(answer->line) - 1 - answer->length)
		return true;
	answer_error(answer, "inspect", E2BIG);
	return false;
}

/* "-" if there is none, or none that was ever a user's; "unsupported" if the file system cannot have any. */
static void answer_hint(int directory, struct answer *answer)
{
	char digits[OWNER_HINT_DIGITS_MAX + 1];
	ssize_t length = fgetxattr(directory, OWNER_HINT, digits, OWNER_HINT_DIGITS_MAX);
	uint32_t uid;

	if (length < 0 && errno == ENOTSUP) {
		answer_word(answer, "unsupported");
		return;
	}
	digits[length > 0 ? length : 0] = '\0';
	if (parse_id(digits, &uid) && uid != 0)
		answer_number(answer, uid);
	else
		answer_word(answer, "-");
}

static bool answer_directory(int directory, struct answer *answer)
{
	struct stat status;

	if (fstat(directory, &status) < 0) {
		answer_error(answer, "fstat", errno);
		return false;
	}
	if (!has_room(answer, DIRECTORY_BYTES_MAX))
		return false;
	answer_word(answer, "directory");
	answer_number(answer, status.st_uid);
	answer_number(answer, status.st_gid);
	answer_number(answer, status.st_mode & PERMISSION_BITS);
	answer_number(answer, status.st_dev);
	answer_number(answer, status.st_ino);
	answer_hint(directory, answer);
	return true;
}

/* What cannot be opened as a directory. */
static bool answer_other(int parent, const char *name, struct answer *answer)
{
	char text[PATH_MAX];
	ssize_t length = readlinkat(parent, name, text, sizeof(text) - 1);

	if (length < 0 && errno == EINVAL) {
		answer_word(answer, "other");
		return true;
	}
	if (length < 0) {
		answer_error(answer, "readlink", errno);
		return false;
	}
	text[length] = '\0';
	/* answer_text() would cut it. */
	if (length > TEXT_MAX || !has_room(answer, sizeof(" link ") + 3 * (size_t)length)) {
		answer_error(answer, "inspect", E2BIG);
		return false;
	}
	answer_word(answer, "link");
	answer_text(answer, text);
	return true;
}

/* Answers for one component. Returns it, open, if it is a directory; -1 if the path ends here, well or not. */
static int inspect_component(int parent, const char *name, struct answer *answer, bool *good)
{
	int directory = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	*good = true;
	if (directory >= 0) {
		*good = answer_directory(directory, answer);
		if (!*good) {
			close(directory);
			directory = -1;
		}
	} else if (errno == ENOENT) {
		answer_word(answer, "nothing");
	} else if (errno == ENOTDIR || errno == ELOOP) {
		*good = answer_other(parent, name, answer);
	} else {
		answer_error(answer, "open", errno);
		*good = false;
	}
	return directory;
}

static bool is_component(const char *name)
{
	return strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* Returns false if the answer is an error, or that the question is invalid. */
static bool inspect_path(int base, char *path, struct answer *answer)
{
	char *rest = NULL;
	bool good = true;
	int parent = base;

	for (char *name = strtok_r(path, COMPONENT_SEPARATOR, &rest); name != NULL && parent >= 0 && good;
	     name = strtok_r(NULL, COMPONENT_SEPARATOR, &rest)) {
		int directory = -1;

		if (is_component(name)) {
			directory = inspect_component(parent, name, answer, &good);
		} else {
			answer_begin(answer, "invalid");
			good = false;
		}
		if (parent != base)
			close(parent);
		parent = directory;
	}
	if (parent != base && parent >= 0)
		close(parent);
	return good;
}

static bool inspect_all(int base, char *paths, struct answer *answer)
{
	char *rest = NULL;

	for (char *path = strtok_r(paths, WORD_SEPARATOR, &rest); path != NULL;
	     path = strtok_r(NULL, WORD_SEPARATOR, &rest)) {
		if (!decode_text(path)) {
			answer_begin(answer, "invalid");
			return false;
		}
		if (!inspect_path(base, path, answer))
			return false;
	}
	return true;
}

void inspect_paths(char *argument, struct answer *answer)
{
	char *paths = strchr(argument, ' ');

	if (paths != NULL)
		*paths++ = '\0';
	if (paths == NULL || !decode_text(argument) || argument[0] != '/') {
		answer_begin(answer, "invalid");
		return;
	}
	int base = open(argument, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (base < 0) {
		answer_error(answer, "open", errno);
		return;
	}
	answer_begin(answer, "inspect");
	(void)inspect_all(base, paths, answer);
	close(base);
}
