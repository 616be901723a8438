/*
 * A depth-first walk with a stack on the heap: the depth is chosen by whoever may write to /dev/shm. The first
 * levels keep their directory streams; below LEVELS_OPEN only the deepest one is open, and the way back is "..", checked
 * by device and inode. Where a directory was moved meanwhile, the walk goes on at the deepest level that is still open:
 * its mover can hide files from any walk, and whom it hides are its own.
 */
#include "posix_ipc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LEVELS_OPEN 32

struct level {
	DIR *stream; /* NULL while closed; then position says where to go on */
	long position;
	dev_t device;
	ino_t inode;
};

struct walk {
	struct level *levels;
	size_t count, room;
};

/*
 * Opens an entry for fstat(2) alone. RESOLVE_NO_XDEV: whoever owns a directory in /dev/shm may mount a FUSE file
 * system there (fusermount(1)) that never answers, and a mere stat(2) of its root would hang.
 */
static int open_entry(int directory, const char *name)
{
	struct open_how how = { .flags = O_PATH | O_NOFOLLOW | O_CLOEXEC, .resolve = RESOLVE_NO_XDEV };
	int descriptor = (int)syscall(SYS_openat2, directory, name, &how, sizeof(how));

	/* Before Linux 5.6, and below seccomp filters of that age, which refuse what they do not know. */
	if (descriptor < 0 && (errno == ENOSYS || errno == EPERM))
		descriptor = openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return descriptor;
}

/* Errors that mean: the entry went away or was replaced while it was looked at, or it is the root of another mount. */
static bool is_gone(int error)
{
	return error == ENOENT || error == ENOTDIR || error == ELOOP || error == EXDEV;
}

static bool push(struct walk *walk, int descriptor, const struct stat *status)
{
	if (walk->count == walk->room) {
		size_t room = walk->room == 0 ? 16 : walk->room * 2;
		struct level *levels = room > TREE_DEPTH_MAX * 2
					       ? NULL
					       : reallocarray(walk->levels, room, sizeof(*levels));

		if (levels == NULL) {
			close(descriptor);
			errno = ENOMEM;
			return false;
		}
		walk->levels = levels;
		walk->room = room;
	}
	DIR *stream = fdopendir(descriptor);

	if (stream == NULL) {
		close(descriptor);
		return false;
	}
	if (walk->count > LEVELS_OPEN) {
		struct level *parent = &walk->levels[walk->count - 1];

		parent->position = telldir(parent->stream);
		closedir(parent->stream);
		parent->stream = NULL;
	}
	walk->levels[walk->count++] =
		(struct level){ .stream = stream, .device = status->st_dev, .inode = status->st_ino };
	return true;
}

/* Reopens the parent of the deepest level by "..", if it still is the directory that the walk came from. */
static DIR *reopen_parent(const struct level *level, const struct level *parent)
{
	int descriptor = openat(dirfd(level->stream), "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat status;

	if (descriptor < 0)
		return NULL;
	if (fstat(descriptor, &status) < 0 || status.st_dev != parent->device || status.st_ino != parent->inode) {
		close(descriptor);
		return NULL;
	}
	DIR *stream = fdopendir(descriptor);

	if (stream == NULL)
		close(descriptor);
	else
		seekdir(stream, parent->position);
	return stream;
}

static void pop(struct walk *walk)
{
	struct level *level = &walk->levels[walk->count - 1];

	if (walk->count > 1 && level[-1].stream == NULL)
		level[-1].stream = reopen_parent(level, level - 1);
	closedir(level->stream);
	walk->count--;
	while (walk->count > 0 && walk->levels[walk->count - 1].stream == NULL)
		walk->count--;
}

/* The path of an entry for people: as the kernel has it now, or the bare name where it is too long to tell. */
static void answer_entry(struct answer *answer, const char *kind, int entry, const char *name, size_t cut)
{
	char link[sizeof("/proc/self/fd/") + 16];
	char path[TEXT_MAX + 1];

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", entry);
	ssize_t length = readlink(link, path, sizeof(path) - 1);

	answer_begin(answer, "ipc");
	answer_word(answer, kind);
	if (length > (ssize_t)cut) {
		path[length] = '\0';
		answer_text(answer, path + cut);
	} else {
		answer_text(answer, name);
	}
}

struct wanted {
	const char *kind;
	size_t cut;
	uint32_t number;
};

/* Looks at one entry and descends into it where it is a directory. Returns whether the answer was written. */
static bool visit(struct walk *walk, int directory, const char *name, struct wanted wanted, struct answer *answer)
{
	int entry = open_entry(directory, name);
	struct stat status;

	if (entry < 0 && is_gone(errno))
		return false;
	if (entry < 0 || fstat(entry, &status) < 0) {
		answer_error(answer, entry < 0 ? "openat2" : "fstat", errno);
		if (entry >= 0)
			close(entry);
		return true;
	}
	bool answered = status.st_uid == wanted.number || status.st_gid == wanted.number;

	if (answered) {
		answer_entry(answer, wanted.kind, entry, name, wanted.cut);
	} else if (S_ISDIR(status.st_mode)) {
		int below = openat(entry, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if ((below < 0 && !is_gone(errno)) || (below >= 0 && !push(walk, below, &status))) {
			answer_error(answer, "opendir", errno);
			answered = true;
		}
	}
	close(entry);
	return answered;
}

static bool walk_tree(struct walk *walk, struct wanted wanted, struct answer *answer)
{
	while (walk->count > 0) {
		DIR *stream = walk->levels[walk->count - 1].stream;

		errno = 0;
		struct dirent *entry = readdir(stream);

		if (entry == NULL && errno != 0 && errno != ENOENT) {
			answer_error(answer, "readdir", errno);
			return true;
		}
		if (entry == NULL)
			pop(walk);
		else if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
			 visit(walk, dirfd(stream), entry->d_name, wanted, answer))
			return true;
	}
	return false;
}

bool find_in_tree(const char *top, const char *kind, size_t cut, uint32_t number, struct answer *answer)
{
	struct wanted wanted = { .kind = kind, .cut = cut, .number = number };
	struct walk walk = { 0 };
	struct stat status;
	/* The top may be a symlink: /dev/shm is one to /run/shm on some hosts. */
	int descriptor = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (descriptor < 0 && errno == ENOENT)
		return false;
	if (descriptor < 0 || fstat(descriptor, &status) < 0) {
		answer_error(answer, top, errno);
		if (descriptor >= 0)
			close(descriptor);
		return true;
	}
	bool answered = true;

	if (push(&walk, descriptor, &status))
		answered = walk_tree(&walk, wanted, answer);
	else
		answer_error(answer, "opendir", errno);
	while (walk.count > 0) {
		struct level *level = &walk.levels[--walk.count];

		if (level->stream != NULL)
			closedir(level->stream);
	}
	free(walk.levels);
	return answered;
}

bool find_posix_ipc(uint32_t number, struct answer *answer)
{
	return find_in_tree("/dev/shm", "posix-shm", 0, number, answer) ||
	       /* mq_open(3) names a queue "/name". */
	       find_in_tree("/dev/mqueue", "posix-mq", strlen("/dev/mqueue"), number, answer);
}
