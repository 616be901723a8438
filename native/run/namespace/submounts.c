/* Reads /proc/self/mountinfo (proc_pid_mountinfo(5)); see submounts.h. */
#include "submounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/fail.h"
#include "mounts.h"
#include "resolve.h"

/* Of a line: id, parent, device, root, and then the path. */
#define PATH_FIELD 4

static bool is_below(const char *path, const char *other)
{
	size_t length = strlen(other);

	return strncmp(path, other, length) == 0 && path[length] == '/';
}

static int octal(const char *digits)
{
	int value = 0;

	for (int i = 0; i < 3; i++) {
		if (digits[i] < '0' || digits[i] > '7')
			return -1;
		value = value * 8 + (digits[i] - '0');
	}
	return value;
}

/* White space and backslashes are \ and three octal digits. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from != '\0';) {
		int value = *from == '\\' ? octal(from + 1) : -1;

		*to++ = value < 0 ? *from : (char)value;
		from += value < 0 ? 1 : 4;
	}
	*to = '\0';
}

/* The path of a line, within the line; null if it has none. */
static char *path_of(char *line)
{
	char *field = line;

	for (int i = 0; i < PATH_FIELD && field != NULL; i++) {
		field = strchr(field, ' ');
		field = field == NULL ? NULL : field + 1;
	}
	if (field == NULL)
		return NULL;
	field[strcspn(field, " \n")] = '\0';
	unescape(field);
	return field;
}

static void add(struct submounts *found, const char *path)
{
	if (found->count == SUBMOUNTS_MAX)
		fail(STATUS_LAUNCHER, "cannot keep the mounts around %s: there are more than %u", path, SUBMOUNTS_MAX);
	if (found->items == NULL)
		found->items = malloc(SUBMOUNTS_MAX * sizeof(*found->items));
	if (found->items == NULL)
		fail(STATUS_LAUNCHER, "out of memory");
	found->items[found->count] = (struct submount){ .path = strdup(path), .mount = -1 };
	if (found->items[found->count].path == NULL)
		fail(STATUS_LAUNCHER, "out of memory");
	found->count++;
}

static struct submounts list(int proc, const char *path)
{
	struct submounts found = { 0 };
	int descriptor = proc < 0 ? -1 : openat(proc, "self/mountinfo", O_RDONLY | O_CLOEXEC);
	FILE *file = descriptor < 0 ? NULL : fdopen(descriptor, "r");
	char *line = NULL;
	size_t room = 0;

	if (file == NULL)
		fail_errno(errno, "cannot list the mounts below %s: cannot open /proc/self/mountinfo", path);
	while (getline(&line, &room, file) >= 0) {
		const char *mounted = path_of(line);

		if (mounted != NULL && is_below(mounted, path))
			add(&found, mounted);
	}
	if (ferror(file))
		fail_errno(errno, "cannot list the mounts below %s", path);
	free(line);
	(void)fclose(file);
	return found;
}

/* Whether it comes with another one: it lies below that, or is the same path again. */
static bool is_covered(const struct submounts *all, size_t which)
{
	for (size_t i = 0; i < all->count; i++) {
		if (i != which && (is_below(all->items[which].path, all->items[i].path) ||
				   (i < which && strcmp(all->items[which].path, all->items[i].path) == 0)))
			return true;
	}
	return false;
}

/* A clone of the mount at a path; -1: another mount hides the path. */
static int clone(int root, const char *path, unsigned int set)
{
	int found = resolve(root, path, 0), is_root, mount;

	if (found < 0 && (errno == ENOENT || errno == ENOTDIR))
		return -1;
	if (found < 0)
		fail_errno(errno, "cannot open the mount at %s", path);
	/* A mount that cannot be inspected may be there to hide what is below it: it must not be left out. */
	is_root = mount_is_root(found);
	if (is_root < 0)
		fail_errno(errno, "cannot stat %s", path);
	if (is_root == 0) {
		(void)close(found);
		return -1;
	}
	mount = mount_clone(found, false);
	if (mount < 0 || mount_flags(mount, set, 0, false) != 0)
		fail_errno(errno, "cannot clone the mount at %s", path);
	(void)close(found);
	return mount;
}

struct submounts submounts_clone(int proc, int root, const char *path, unsigned int set)
{
	struct submounts found = list(proc, path);

	for (size_t i = 0; i < found.count; i++) {
		if (!is_covered(&found, i))
			found.items[i].mount = clone(root, found.items[i].path, set);
	}
	return found;
}

void submounts_attach(struct submounts *submounts, int root, size_t root_length)
{
	for (size_t i = 0; i < submounts->count; i++) {
		struct submount *one = &submounts->items[i];
		int target = one->mount < 0 ? -1 : resolve(root, one->path + root_length, 0);

		/* A new /proc may have less than the one before. */
		if (one->mount >= 0 && target < 0 && errno != ENOENT && errno != ENOTDIR)
			fail_errno(errno, "cannot open %s", one->path + root_length);
		if (target >= 0 && mount_attach(one->mount, target) != 0)
			fail_errno(errno, "cannot mount over %s", one->path + root_length);
		if (target >= 0)
			(void)close(target);
		if (one->mount >= 0)
			(void)close(one->mount);
		free(one->path);
	}
	free(submounts->items);
	*submounts = (struct submounts){ 0 };
}
