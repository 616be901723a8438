/* One component of the path after the other, by fnmatch(3); see pattern.h. */
#include "pattern.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/fail.h"

struct search {
	const char *pattern;
	size_t *entries;
	size_t bound;
	pattern_found *found;
	void *context;
	/* A copy of the pattern, whose slashes become NULs while the component before them is compared. */
	char directories[PATH_MAX];
	/* The path so far. */
	char path[PATH_MAX];
};

static void descend(struct search *search, size_t length, char *rest);

/* Whether a component has wildcards, or is a plain name. */
static bool has_wildcard(const char *component, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (component[i] == '\\')
			i++;
		else if (strchr("*?[", component[i]) != NULL)
			return true;
	}
	return false;
}

/* Appends a name to the path; 0: it would be too long. */
static size_t append(struct search *search, size_t length, const char *name, size_t size)
{
	if (length + size >= sizeof(search->path))
		return 0;
	memcpy(search->path + length, name, size);
	search->path[length + size] = '\0';
	return length + size;
}

static void choose_literal(struct search *search, size_t length, char *component, size_t size)
{
	size_t end = length;

	for (size_t i = 0; i < size; i++) {
		/* A slash means the same with a backslash before it and without. */
		if (component[i] == '\\' && component[i + 1] != '\0' && ++i == size)
			break;
		end = append(search, end, component + i, 1);
		if (end == 0)
			return;
	}
	descend(search, end, component + size);
}

/* These errors are about the launcher, not about the file system. */
static bool is_shortage(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM;
}

static bool matches(char *component, size_t size, const char *name)
{
	char after = component[size];
	bool result;

	component[size] = '\0';
	result = fnmatch(component, name, FNM_PERIOD) == 0;
	component[size] = after;
	return result;
}

static void choose_matches(struct search *search, size_t length, char *component, size_t size)
{
	DIR *directory = opendir(length == 0 ? "." : search->path);
	const struct dirent *entry;

	if (directory == NULL && is_shortage(errno))
		fail_errno(errno, "cannot find files that match %s", search->pattern);
	if (directory == NULL)
		return;
	while ((entry = readdir(directory)) != NULL) {
		size_t end;

		if (++*search->entries > search->bound)
			fail(STATUS_LAUNCHER, "there are more than %zu names to compare with %s", search->bound,
			     search->pattern);
		if (!matches(component, size, entry->d_name))
			continue;
		end = append(search, length, entry->d_name, strlen(entry->d_name));
		if (end > 0)
			descend(search, end, component + size);
	}
	(void)closedir(directory);
}

static void descend(struct search *search, size_t length, char *rest)
{
	struct stat status;
	size_t size;

	for (; *rest == '/'; rest++) {
		length = append(search, length, "/", 1);
		if (length == 0)
			return;
	}
	size = strcspn(rest, "/");
	if (size == 0) {
		/* A dangling link exists; with a slash after it, it must lead to a directory. */
		if (lstat(search->path, &status) == 0)
			search->found(search->context, search->path);
		return;
	}
	if (has_wildcard(rest, size))
		choose_matches(search, length, rest, size);
	else
		choose_literal(search, length, rest, size);
}

void pattern_search(const char *pattern, size_t *entries, size_t bound, pattern_found *found, void *context)
{
	struct search search = {
		.pattern = pattern, .entries = entries, .bound = bound, .found = found, .context = context
	};
	size_t size = strlen(pattern) + 1;

	if (pattern[0] == '\0' || size > sizeof(search.directories))
		return;
	memcpy(search.directories, pattern, size);
	descend(&search, 0, search.directories);
}
