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

/* Those that return a bool say whether the answer has become an error, or that the question is invalid. */
static bool lacks_room(struct answer *answer, size_t bytes)
{
	return bytes > sizeof(answer->line) - 1 - answer->length && answer_error(answer, "inspect", E2BIG);
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

	if (fstat(directory, &status) < 0)
		return answer_error(answer, "fstat", errno);
	if (lacks_room(answer, DIRECTORY_BYTES_MAX))
		return true;
	answer_word(answer, "directory");
	answer_number(answer, status.st_uid);
	answer_number(answer, status.st_gid);
	answer_number(answer, status.st_mode & PERMISSION_BITS);
	answer_number(answer, status.st_dev);
	answer_number(answer, status.st_ino);
	answer_hint(directory, answer);
	return false;
}

/* What cannot be opened as a directory. */
static bool answer_other(int parent, const char *name, struct answer *answer)
{
	char text[PATH_MAX];
	ssize_t length = readlinkat(parent, name, text, sizeof(text) - 1);

	if (length < 0 && errno == EINVAL) {
		answer_word(answer, "other");
		return false;
	}
	if (length < 0)
		return answer_error(answer, "readlink", errno);
	text[length] = '\0';
	/* answer_text() would cut it. */
	if (length > TEXT_MAX || lacks_room(answer, sizeof(" link ") + 3 * (size_t)length))
		return answer_error(answer, "inspect", E2BIG);
	answer_word(answer, "link");
	answer_text(answer, text);
	return false;
}

/* Answers for one component. Returns it, open, if it is a directory; -1 if the path ends here, well or not. */
static int inspect_component(int parent, const char *name, struct answer *answer, bool *failed)
{
	int directory = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (directory >= 0)
		*failed = answer_directory(directory, answer);
	else if (errno == ENOENT)
		answer_word(answer, "nothing");
	else if (errno == ENOTDIR || errno == ELOOP)
		*failed = answer_other(parent, name, answer);
	else
		*failed = answer_error(answer, "open", errno);
	return directory;
}

static bool inspect_path(int base, char *path, struct answer *answer)
{
	char *rest = NULL;
	bool failed = false;
	int parent = base;

	for (char *name = strtok_r(path, COMPONENT_SEPARATOR, &rest); name != NULL && parent >= 0 && !failed;
	     name = strtok_r(NULL, COMPONENT_SEPARATOR, &rest)) {
		int directory = -1;

		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
			failed = answer_invalid(answer);
		else
			directory = inspect_component(parent, name, answer, &failed);
		if (parent != base)
			close(parent);
		parent = directory;
	}
	if (parent != base && parent >= 0)
		close(parent);
	return failed;
}

bool inspect_paths(char *argument, struct context *context, struct answer *answer)
{
	char *top = strsep(&argument, WORD_SEPARATOR);

	(void)context;
	if (argument == NULL || !decode_text(top) || top[0] != '/')
		return answer_invalid(answer);
	int base = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (base < 0)
		return answer_error(answer, "open", errno);
	char *rest = NULL;
	bool failed = false;

	answer_begin(answer, "inspect");
	for (char *path = strtok_r(argument, WORD_SEPARATOR, &rest); path != NULL && !failed;
	     path = strtok_r(NULL, WORD_SEPARATOR, &rest))
		failed = decode_text(path) ? inspect_path(base, path, answer) : answer_invalid(answer);
	close(base);
	return true;
}
