/* By listmount(2) and statmount(2), or by /proc/self/mountinfo (proc_pid_mountinfo(5)); see submounts.h. */
#include "submounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/fail.h"
#include "mounts.h"
#include "protocol/plan.h"
#include "resolve.h"

/* Of a line: id, parent, device, root, and then the path. */
#define PATH_FIELD 4
/* By how much the memory for the text grows. */
#define READ_BYTES 16384U
/* A file system has few. */
#define ADDED_AT_A_TIME 16
/* If there are as many, there may be more. */
#define ASKED_MAX 64

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
	if (found->count % ADDED_AT_A_TIME == 0)
		found->items = realloc(found->items, (found->count + ADDED_AT_A_TIME) * sizeof(*found->items));
	if (found->items == NULL)
		fail(STATUS_LAUNCHER, "out of memory");
	found->items[found->count] = (struct submount){ .path = strdup(path), .mount = -1 };
	if (found->items[found->count].path == NULL)
		fail(STATUS_LAUNCHER, "out of memory");
	found->count++;
}

static void submounts_free(struct submounts *submounts)
{
	for (size_t i = 0; i < submounts->count; i++)
		free(submounts->items[i].path);
	free(submounts->items);
	*submounts = (struct submounts){ 0 };
}

/*
 * The text of mountinfo, read once: between two file systems that are made nothing is mounted but the scratch tmpfs. For each of them the
 * kernel would write every mount again.
 */
static const char *all_mounts(int proc)
{
	static char *text;
	size_t room = 0, length = 0;
	ssize_t more;
	int descriptor;

	if (text != NULL)
		return text;
	descriptor = proc < 0 ? -1 : openat(proc, "self/mountinfo", O_RDONLY | O_CLOEXEC);
	if (descriptor < 0)
		fail_errno(errno, "cannot open /proc/self/mountinfo, which has the mounts to keep");
	do {
		text = realloc(text, room += READ_BYTES);
		if (text == NULL)
			fail(STATUS_LAUNCHER, "out of memory");
		more = read_all(descriptor, text + length, room - length - 1);
		if (more < 0)
			fail_errno(errno, "cannot read /proc/self/mountinfo");
		length += (size_t)more;
	} while (length == room - 1);
	text[length] = '\0';
	(void)close(descriptor);
	return text;
}

/* By two calls of Linux 6.8. False: they cannot be had, or there are more than fit. */
static bool list_by_calls(int mount, const char *path, struct submounts *found)
{
	uint64_t ids[ASKED_MAX];
	int count = mounts_below(mount, ids, ASKED_MAX);

	if (count < 0 || count == ASKED_MAX)
		return false;
	for (int i = 0; i < count; i++) {
		const char *mounted = mount_path(ids[i]);

		if (mounted == NULL) {
			submounts_free(found);
			return false;
		}
		if (is_below(mounted, path))
			add(found, mounted);
	}
	return true;
}

static struct submounts list(int proc, int mount, const char *path)
{
	struct submounts found = { 0 };

	/* The kernel writes all mounts of the host into mountinfo, with all their options. */
	if (list_by_calls(mount, path, &found))
		return found;
	for (const char *line = all_mounts(proc); *line != '\0';) {
		size_t length = strcspn(line, "\n");
		char *copy = strndup(line, length);
		const char *mounted = copy == NULL ? NULL : path_of(copy);

		if (copy == NULL)
			fail(STATUS_LAUNCHER, "out of memory");
		if (mounted != NULL && is_below(mounted, path))
			add(&found, mounted);
		free(copy);
		line += length + (line[length] == '\n');
	}
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

	if (found < 0 && is_absence(errno))
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

static bool is_exempt(const struct strings *exempt, const char *path)
{
	for (size_t i = 0; i < exempt->count; i++) {
		if (strcmp(path, exempt->items[i]) == 0 || is_below(path, exempt->items[i]))
			return true;
	}
	return false;
}

/* Whether the new file system has a path. A new /proc may have less than the one before. */
static bool has(int made, const char *path)
{
	int found = resolve(made, path, 0);

	close_quietly(found);
	return found >= 0 || !is_absence(errno);
}

struct submounts submounts_clone(int proc, int root, int present, int made, const char *path, unsigned int set,
				 const struct strings *exempt)
{
	struct submounts found = list(proc, present, path);

	for (size_t i = 0; i < found.count; i++) {
		const char *mounted = found.items[i].path;
		unsigned int kept = is_exempt(exempt, mounted) ? 1U << MOUNT_READ_ONLY : 0U;

		/* A clone that is not attached costs the kernel more than all else here: it waits until nobody can see it. */
		if (!is_covered(&found, i) && has(made, mounted + strlen(path)))
			found.items[i].mount = clone(root, mounted, set & ~kept);
	}
	return found;
}

void submounts_attach(struct submounts *submounts, int root)
{
	for (size_t i = 0; i < submounts->count; i++) {
		struct submount *one = &submounts->items[i];
		int target;

		if (one->mount < 0)
			continue;
		target = resolve(root, one->path, 0);
		if (target < 0)
			fail_errno(errno, "cannot open %s", one->path);
		if (mount_attach(one->mount, target) != 0)
			fail_errno(errno, "cannot mount over %s", one->path);
		(void)close(target);
		(void)close(one->mount);
	}
	submounts_free(submounts);
}
