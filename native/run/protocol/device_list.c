/* See device_list.h. */
#include "device_list.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "cli/fail.h"
#include "descriptor.h"
#include "digits.h"

/* Directories below directories; udev makes three. */
#define DEPTH_MAX 8U
/* "c 4294967295:4294967295 " */
#define NUMBERS_BYTES (2 * DIGITS_MAX + 8)

struct walk {
	dev_t file_system;
	size_t *entries;
	size_t entries_max;
	void (*add)(void *context, const char *name);
	void *context;
	/* the path of what is looked at, and its length */
	char path[PATH_MAX];
	size_t length;
};

static void add_device(const struct walk *walk, const struct stat *status)
{
	char line[NUMBERS_BYTES + PATH_MAX];
	char *end = stpcpy(line, S_ISCHR(status->st_mode) ? "c " : "b ");

	end = stpcpy(digits_put(end, major(status->st_rdev), 10), ":");
	end = stpcpy(digits_put(end, minor(status->st_rdev), 10), " ");
	memcpy(end, walk->path, walk->length + 1);
	walk->add(walk->context, line);
}

/* No name that udev makes has a tab; links with one are left out. */
static void add_link(const struct walk *walk, int directory, const char *name)
{
	char line[2 + PATH_MAX + 1 + PATH_MAX];
	char *target;
	ssize_t length;

	(void)stpcpy(stpcpy(stpcpy(line, "l "), walk->path), "\t");
	target = line + 2 + walk->length + 1;
	length = readlinkat(directory, name, target, PATH_MAX - 1);
	if (length <= 0)
		return;
	target[length] = '\0';
	if (strchr(walk->path, '\t') == NULL && strchr(target, '\t') == NULL)
		walk->add(walk->context, line);
}

static void list(struct walk *walk, int descriptor, unsigned int depth);

static void look_at(struct walk *walk, int directory, const char *name, unsigned int depth)
{
	struct stat status;
	int below;

	/* It may be gone by now. */
	if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
		return;
	if (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode)) {
		add_device(walk, &status);
	} else if (S_ISLNK(status.st_mode)) {
		add_link(walk, directory, name);
	} else if (S_ISDIR(status.st_mode) && depth < DEPTH_MAX && status.st_dev == walk->file_system) {
		below = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (below >= 0)
			list(walk, below, depth + 1);
	}
}

static bool step_into(struct walk *walk, const char *name)
{
	size_t length = strlen(name);

	if (walk->length + 1 + length >= sizeof(walk->path))
		return false;
	walk->path[walk->length] = '/';
	memcpy(walk->path + walk->length + 1, name, length + 1);
	walk->length += 1 + length;
	return true;
}

/* Closes the descriptor. */
static void list(struct walk *walk, int descriptor, unsigned int depth)
{
	DIR *directory = fdopendir(descriptor);
	const struct dirent *entry;
	size_t length = walk->length;

	if (directory == NULL)
		fail_errno(errno, "cannot list %s", walk->path);
	while ((errno = 0, entry = readdir(directory)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (++*walk->entries > walk->entries_max)
			fail(STATUS_LAUNCHER, "%s has more than %zu names", walk->path, walk->entries_max);
		if (step_into(walk, entry->d_name))
			look_at(walk, dirfd(directory), entry->d_name, depth);
		walk->length = length;
		walk->path[length] = '\0';
	}
	if (errno != 0)
		fail_errno(errno, "cannot list %s", walk->path);
	(void)closedir(directory);
}

bool device_list(const char *path, size_t *entries, size_t entries_max, void (*add)(void *context, const char *name),
		 void *context)
{
	struct walk walk = { .entries = entries, .entries_max = entries_max, .add = add, .context = context };
	int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat status;

	walk.length = strlen(path);
	if (descriptor < 0 || walk.length >= sizeof(walk.path) || fstat(descriptor, &status) != 0) {
		close_quietly(descriptor);
		return false;
	}
	memcpy(walk.path, path, walk.length + 1);
	walk.file_system = status.st_dev;
	list(&walk, descriptor, 0);
	return true;
}
