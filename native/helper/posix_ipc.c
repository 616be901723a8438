/*
 * Depth first, with a stack on the heap: the depth is chosen by whoever may write to /dev/shm. The first levels keep
 * their directory streams; below LEVELS_OPEN only the deepest one is open, and the way back is "..", checked by device
 * and inode. If a directory was moved meanwhile, the walk continues at the deepest level that is still open: whoever
 * moves it can hide files from any walk, but only its own.
 */
#include "posix_ipc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "descriptor.h"

#define LEVELS_OPEN 32
/* How deep a tree may be. Anyone may nest directories in /dev/shm as deep as its inodes reach. */
#define TREE_DEPTH_MAX 1000000

struct level {
	DIR *stream; /* NULL while closed; then position says where to go on */
	long position;
	dev_t device;
	ino_t inode;
	char *name; /* in its parent, for a visitor that is told when it is left; else NULL */
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

/* Takes over the descriptor. */
static bool push(struct walk *walk, int descriptor, const struct stat *status, const char *name)
{
	if (walk->count == walk->room) {
		size_t room = walk->room == 0 ? 16 : walk->room * 2;
		struct level *levels =
			room > TREE_DEPTH_MAX * 2 ? NULL : reallocarray(walk->levels, room, sizeof(*levels));

		if (levels == NULL) {
			close(descriptor);
			errno = ENOMEM;
			return false;
		}
		walk->levels = levels;
		walk->room = room;
	}
	char *copy = name == NULL ? NULL : strdup(name);
	DIR *stream = name != NULL && copy == NULL ? NULL : fdopendir(descriptor);

	if (stream == NULL) {
		free(copy);
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
		(struct level){ .stream = stream, .device = status->st_dev, .inode = status->st_ino, .name = copy };
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

static void drop(struct walk *walk)
{
	struct level *level = &walk->levels[--walk->count];

	if (level->stream != NULL)
		closedir(level->stream);
	free(level->name);
}

static void pop(struct walk *walk, const struct ipc_visitor *visitor)
{
	struct level *level = &walk->levels[walk->count - 1];

	if (walk->count > 1 && level[-1].stream == NULL)
		level[-1].stream = reopen_parent(level, level - 1);
	if (level->name != NULL && level[-1].stream != NULL)
		visitor->leave(visitor->data, dirfd(level[-1].stream), level->name, level->device, level->inode);
	drop(walk);
	while (walk->count > 0 && walk->levels[walk->count - 1].stream == NULL)
		drop(walk);
}

/* Visits one entry, and descends into it if the visitor says so. Returns whether the answer was written. */
static bool visit(struct walk *walk, const struct ipc_visitor *visitor, const char *name, struct answer *answer)
{
	int directory = dirfd(walk->levels[walk->count - 1].stream);
	int descriptor = open_entry(directory, name);
	struct stat status;

	if (descriptor < 0 && is_gone(errno))
		return false;
	if (descriptor < 0)
		return answer_error(answer, "openat2", errno);
	if (fstat(descriptor, &status) < 0) {
		close_quietly(descriptor);
		return answer_error(answer, "fstat", errno);
	}
	struct walk_entry entry = { directory, name, descriptor, &status };
	enum walk_step step = visitor->entry(visitor->data, &entry, answer);

	if (step == WALK_DESCEND) {
		int below = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if ((below < 0 && !is_gone(errno)) ||
		    (below >= 0 && !push(walk, below, &status, visitor->leave == NULL ? NULL : name))) {
			(void)answer_error(answer, "opendir", errno);
			step = WALK_ANSWERED;
		}
	}
	close(descriptor);
	return step == WALK_ANSWERED;
}

static bool walk_tree(struct walk *walk, const struct ipc_visitor *visitor, struct answer *answer)
{
	while (walk->count > 0) {
		errno = 0;
		struct dirent *entry = readdir(walk->levels[walk->count - 1].stream);

		if (entry == NULL && errno != 0 && errno != ENOENT)
			return answer_error(answer, "readdir", errno);
		if (entry == NULL)
			pop(walk, visitor);
		else if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
			 visit(walk, visitor, entry->d_name, answer))
			return true;
	}
	return false;
}

bool walk_ipc(const char *top, const struct ipc_visitor *visitor, struct answer *answer)
{
	struct walk walk = { 0 };
	struct stat status;
	/* The top may be a symlink: /dev/shm is one to /run/shm on some hosts. */
	int descriptor = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (descriptor < 0 && errno == ENOENT)
		return false;
	if (descriptor < 0)
		return answer_error(answer, top, errno);
	if (fstat(descriptor, &status) < 0) {
		close_quietly(descriptor);
		return answer_error(answer, top, errno);
	}
	bool answered = push(&walk, descriptor, &status, NULL) ? walk_tree(&walk, visitor, answer) :
								 answer_error(answer, "opendir", errno);

	while (walk.count > 0)
		drop(&walk);
	free(walk.levels);
	return answered;
}

struct wanted {
	const char *kind;
	size_t cut;
	uint32_t number;
};

static enum walk_step find_entry(void *data, const struct walk_entry *entry, struct answer *answer)
{
	const struct wanted *wanted = data;
	char path[PATH_MAX];

	if (entry->status->st_uid != wanted->number && entry->status->st_gid != wanted->number)
		return S_ISDIR(entry->status->st_mode) ? WALK_DESCEND : WALK_ON;
	bool is_told = descriptor_path(entry->descriptor, path) && strlen(path) > wanted->cut;

	answer_begin(answer, "ipc");
	answer_word(answer, wanted->kind);
	/* For people: the path as the kernel has it now, or the bare name if that is too long to tell. */
	answer_text(answer, is_told ? path + wanted->cut : entry->name);
	return WALK_ANSWERED;
}

bool find_in_tree(const char *top, const char *kind, size_t cut, uint32_t number, struct answer *answer)
{
	struct wanted wanted = { .kind = kind, .cut = cut, .number = number };
	const struct ipc_visitor visitor = { .entry = find_entry, .data = &wanted };

	return walk_ipc(top, &visitor, answer);
}

bool find_posix_ipc(uint32_t number, struct answer *answer)
{
	return find_in_tree(POSIX_SHM_DIRECTORY, "posix-shm", 0, number, answer) ||
	       /* mq_open(3) names a queue "/name". */
	       find_in_tree(POSIX_MQ_DIRECTORY, "posix-mq", strlen(POSIX_MQ_DIRECTORY), number, answer);
}
