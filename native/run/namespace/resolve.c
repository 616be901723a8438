/* By openat2(2); see resolve.h. */
#include "resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cli/fail.h"

/* The kernel gives up with EAGAIN if a rename somewhere made ".." uncertain (openat2(2)); that passes. */
#define TRIES 64
#define FILE_MODE 0644
#define ALL_MODE_BITS 07777U

int open_directory(const char *path)
{
	int directory = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (directory < 0)
		fail_errno(errno, "cannot open %s", path);
	return directory;
}

static int open_below(int root, const char *path, int flags, uint64_t how_to_resolve)
{
	struct open_how how = {
		.flags = (unsigned int)(O_PATH | O_CLOEXEC | flags),
		.resolve = RESOLVE_IN_ROOT | how_to_resolve,
	};
	int descriptor = -1;

	for (int i = 0; i < TRIES; i++) {
		descriptor = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
		if (descriptor >= 0 || errno != EAGAIN)
			break;
	}
	return descriptor;
}

int resolve(int root, const char *path, int flags)
{
	return open_below(root, path, flags, RESOLVE_NO_MAGICLINKS);
}

int resolve_no_symlinks(int root, const char *path)
{
	return open_below(root, path, 0, RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
}

void resolve_check(int found, const char *path, uint64_t device, uint64_t inode)
{
	struct stat status;

	if (fstat(found, &status) != 0)
		fail_errno(errno, "cannot stat %s", path);
	if (status.st_dev != (dev_t)device || status.st_ino != (ino_t)inode)
		fail(STATUS_LAUNCHER,
		     "%s is not the directory that was prepared for the service: it was replaced during the start, or the daemon sees another file system there",
		     path);
}

static bool has_mode(int directory, mode_t mode)
{
	struct stat status;

	return fstat(directory, &status) == 0 && (status.st_mode & ALL_MODE_BITS) == mode;
}

static bool set_mode(int parent, const char *name, mode_t mode)
{
	int made = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	bool done = made >= 0 && fchmod(made, mode) == 0;

	close_quietly(made);
	return done;
}

/* Opens name in directory, created if it is missing, and closes directory. */
static int step_down(int directory, const char *name, mode_t mode)
{
	int below = -1;
	bool is_made;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
		errno = EINVAL;
		close_quietly(directory);
		return -1;
	}
	is_made = mkdirat(directory, name, mode) == 0;
	/* Somebody else may just have created it; a symlink fails with ENOTDIR. */
	if (is_made || errno == EEXIST)
		below = openat(directory, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* mkdir(2) leaves out special bits, and a default ACL of the parent, or the mask of this process, may remove others. */
	if (below >= 0 && is_made && !has_mode(below, mode) && !set_mode(directory, name, mode)) {
		close_quietly(below);
		below = -1;
	}
	close_quietly(directory);
	return below;
}

/* Removes trailing slashes. */
static size_t trim(char *path, size_t length)
{
	while (length > 1 && path[length - 1] == '/')
		path[--length] = '\0';
	return length;
}

/*
 * Opens the deepest existing directory of a path. *length is the length of the path, and becomes that of the part that was opened
 * (0: root itself); the slashes after it become NULs.
 */
static int open_present(int root, char *path, size_t *length)
{
	while (*length > 0) {
		int directory = resolve(root, path, O_DIRECTORY);

		if (directory >= 0 || errno != ENOENT)
			return directory;
		while (path[*length - 1] != '/')
			(*length)--;
		path[--(*length)] = '\0';
	}
	return fcntl(root, F_DUPFD_CLOEXEC, 0);
}

int resolve_directory(int root, const char *path, mode_t mode)
{
	char copy[PATH_MAX];
	size_t whole = strnlen(path, sizeof(copy)), length;
	int directory;

	if (path[0] != '/' || whole == sizeof(copy)) {
		errno = path[0] == '/' ? ENAMETOOLONG : EINVAL;
		return -1;
	}
	memcpy(copy, path, whole + 1);
	length = whole = trim(copy, whole);
	directory = open_present(root, copy, &length);
	while (directory >= 0 && length < whole) {
		const char *name = copy + length + 1;

		length += 1 + strlen(name);
		/* Two slashes in a row. */
		if (name[0] != '\0')
			directory = step_down(directory, name, length == whole ? mode : PARENT_MODE);
	}
	return directory;
}

int resolve_parent(int root, const char *path, const char **name)
{
	const char *slash = strrchr(path, '/');
	char directory[PATH_MAX];
	size_t length = slash == NULL ? 0 : (size_t)(slash - path);

	if (slash == NULL || slash[1] == '\0' || length >= sizeof(directory)) {
		errno = EINVAL;
		return -1;
	}
	*name = slash + 1;
	memcpy(directory, path, length);
	directory[length] = '\0';
	return resolve_directory(root, length == 0 ? "/" : directory, PARENT_MODE);
}

int resolve_file(int root, const char *path)
{
	const char *name;
	int file = resolve(root, path, 0);
	int parent;

	if (file >= 0 || errno != ENOENT)
		return file;
	parent = resolve_parent(root, path, &name);
	if (parent < 0)
		return -1;
	if (mknodat(parent, name, S_IFREG | FILE_MODE, 0) == 0 || errno == EEXIST)
		file = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	close_quietly(parent);
	return file;
}
