/* See walk.h. */
#include "walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

/* Directories that are open and wait for the work in them, before they are done themselves. */
#define DEPARTURES_MAX 256U
/* How deep a removal goes: what is deeper is moved to the top first, so that there is no depth that it does not come to. */
#define LIFT_DEPTH 4096U
/* Names that are tried for what is moved there. */
#define LIFT_NAMES 8U
/* Directories below each other, but for a removal; a path of that depth has no name in Linux, and is reached by descriptors alone. */
#define DEPTH_MAX 65536U
#define DEPTH_FIRST 64U
/* Directories on the way down that are held open; those above are opened again by way of "..". */
#define OPEN_DIRECTORIES_MAX 32U
/* Bytes of names of directories that are still to be visited: of one with some millions of directories. */
#define NAMES_MAX (256U * 1024U * 1024U)
#define NAMES_FIRST 65536U

/* A directory on the way down. */
struct frame {
	/* -1 while it is not held open */
	int descriptor;
	struct tree_status status;
	/* nobody but root can change the names in it */
	bool closed;
	/* the places of its own name and of its directories' names in walk.names */
	size_t name;
	size_t below;
	/* the number that the pool reaches once the entries of this directory are done */
	uint64_t entries_done;
};

/* A directory that was left, and is done once the pool has reached the number. */
struct departure {
	int descriptor;
	struct tree_status status;
	uint64_t number;
};

struct walk {
	struct tree_pool pool;
	const struct tree_visitor *visitor;
	struct frame *frames;
	size_t depth, room;
	/* a directory was moved to the top, which has to be read again */
	bool lifted;
	/*
	 * The names of directories that are still to be visited, of the whole way down, in one growing block: the last one noted is the
	 * first taken.
	 */
	char *names;
	size_t names_length, names_room;
	/* first in, first out: departures[n % DEPARTURES_MAX] for n from finished to left-1 */
	struct departure departures[DEPARTURES_MAX];
	uint64_t left, finished;
};

static bool grow_names(struct walk *walk, size_t needed)
{
	size_t room = walk->names_room == 0 ? NAMES_FIRST : walk->names_room;

	while (room < needed)
		room *= 2;
	char *names = room > NAMES_MAX ? NULL : realloc(walk->names, room);

	if (names == NULL) {
		errno = ENOMEM;
		return false;
	}
	walk->names = names;
	walk->names_room = room;
	return true;
}

static bool push_name(struct walk *walk, const char *name)
{
	size_t size = strlen(name) + 1;

	if (walk->names_length + size > walk->names_room && !grow_names(walk, walk->names_length + size))
		return false;
	memcpy(walk->names + walk->names_length, name, size);
	walk->names_length += size;
	return true;
}

/* Where the last name begins; there must be one. */
static size_t last_name(const struct walk *walk)
{
	/* Before the NUL of the last name, the nearest NUL is that of the name before it. */
	const char *before = walk->names_length < 2 ? NULL : memrchr(walk->names, '\0', walk->names_length - 1);

	return before == NULL ? 0 : (size_t)(before - walk->names) + 1;
}

/* On ext4 the order of readdir(3) is that of a hash: in the order of inodes, neighbours share a block of the table. */
static int by_inode(const void *one, const void *other)
{
	uint64_t a = (*(const struct dirent64 *const *)one)->d_ino;
	uint64_t b = (*(const struct dirent64 *const *)other)->d_ino;

	return a < b ? -1 : a > b;
}

static bool is_directory(int directory, const struct dirent64 *entry, bool *answer)
{
	struct tree_status status;

	*answer = entry->d_type == DT_DIR;
	if (entry->d_type != DT_UNKNOWN)
		return true;
	if (!tree_stat(directory, entry->d_name, &status))
		return false;
	*answer = S_ISDIR(status.mode);
	return true;
}

static bool sort_in(struct walk *walk, struct tree_chunk *chunk, int directory, const struct dirent64 *entry)
{
	const char *name = entry->d_name;
	bool below;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return true;
	if (!is_directory(directory, entry, &below))
		return walk->visitor->passes_over || tree_fail(walk->pool.report, "statx", directory, name);
	if (below && !push_name(walk, name))
		return tree_fail(walk->pool.report, "realloc", directory, name);
	if (!below)
		chunk->entries[chunk->count++] = entry;
	return true;
}

/* Reads once into the open chunk. Sets *more if there may be more to read. */
static bool read_part(struct walk *walk, struct frame *frame, bool *more)
{
	struct tree_chunk *chunk = tree_pool_chunk(&walk->pool);

	if (chunk == NULL)
		return false;
	char *start = chunk->bytes + chunk->length;
	size_t first = chunk->count;
	ssize_t size = getdents64(frame->descriptor, (void *)start, TREE_CHUNK_BYTES - chunk->length);

	if (size < 0)
		return tree_fail(walk->pool.report, "getdents64", frame->descriptor, "");
	for (ssize_t at = 0; at < size;) {
		const struct dirent64 *entry = (const struct dirent64 *)(const void *)(start + at);

		if (!sort_in(walk, chunk, frame->descriptor, entry))
			return false;
		at += entry->d_reclen;
	}
	if (chunk->count > first) {
		qsort(chunk->entries + first, chunk->count - first, sizeof(chunk->entries[0]), by_inode);
		chunk->batches[chunk->batch_count++] = (struct tree_batch){
			.directory = frame->descriptor,
			.closed = frame->closed,
			.count = chunk->count - first,
		};
		chunk->length += (size_t)size;
	}
	frame->entries_done = tree_pool_now(&walk->pool);
	*more = size > 0;
	return true;
}

/* Reads the directory on top: what is in it is sorted into chunks of work and names of directories to visit. */
static bool read_directory(struct walk *walk)
{
	struct frame *frame = &walk->frames[walk->depth - 1];

	for (;;) {
		uint64_t before = tree_pool_now(&walk->pool);
		bool more = true;

		while (more) {
			if (!read_part(walk, frame, &more))
				return false;
		}
		if (walk->visitor->remove == NULL || frame->entries_done == before)
			return true;
		if (!tree_pool_wait(&walk->pool, frame->entries_done))
			return false;
		walk->names_length = frame->below;
		if (lseek(frame->descriptor, 0, SEEK_SET) < 0)
			return tree_fail(walk->pool.report, "lseek", frame->descriptor, "");
	}
}

static bool push(struct walk *walk, int descriptor, const struct tree_status *status, bool closed, size_t name)
{
	if (walk->depth == walk->room) {
		size_t room = walk->room == 0 ? DEPTH_FIRST : walk->room * 2;
		struct frame *frames = room > DEPTH_MAX ? NULL : reallocarray(walk->frames, room, sizeof(*frames));

		if (frames == NULL) {
			errno = ENOMEM;
			return tree_fail(walk->pool.report, "realloc", descriptor, "");
		}
		walk->frames = frames;
		walk->room = room;
	}
	walk->frames[walk->depth++] = (struct frame){
		.descriptor = descriptor,
		.status = *status,
		.closed = closed,
		.name = name,
		.below = walk->names_length,
	};
	if (walk->depth > OPEN_DIRECTORIES_MAX) {
		struct frame *far = &walk->frames[walk->depth - 1 - OPEN_DIRECTORIES_MAX];

		if (!tree_pool_wait(&walk->pool, far->entries_done))
			return false;
		(void)close(far->descriptor);
		far->descriptor = -1;
	}
	return true;
}

/* Does the directories that were left and have no more work below them; all of them, or enough for room. */
static bool finish_departures(struct walk *walk, bool all)
{
	struct tree_worker *worker = &walk->pool.workers[0];

	while (walk->finished < walk->left) {
		struct departure *next = &walk->departures[walk->finished % DEPARTURES_MAX];
		bool full = walk->left - walk->finished == DEPARTURES_MAX;

		if (!all && !full && !tree_pool_reached(&walk->pool, next->number))
			return true;
		if (!tree_pool_wait(&walk->pool, next->number))
			return false;
		uint64_t changed = worker->changed;
		bool good = walk->visitor->directory == NULL ||
			    walk->visitor->directory(worker, next->descriptor, &next->status);

		tree_report_count(walk->pool.report, 1, worker->changed - changed);
		(void)close(next->descriptor);
		walk->finished++;
		if (!good)
			return false;
	}
	return true;
}

static bool enter(struct walk *walk, int descriptor, struct tree_status *status, bool *closed)
{
	*closed = false;
	if (!tree_stat(descriptor, "", status))
		return tree_fail(walk->pool.report, "statx", descriptor, "");
	return walk->visitor->enter == NULL || walk->visitor->enter(&walk->pool.workers[0], descriptor, status, closed);
}

/*
 * Moves a directory from deep below to the top, under a name that nobody can have foreseen: an empty directory of that name would be
 * replaced, which is to be removed as well. Returns false if that cannot be, as for a mount point.
 */
static bool lift(struct walk *walk, int parent, const char *from)
{
	char name[sizeof(".lifted-") + 16];

	for (unsigned int tries = 0; tries < LIFT_NAMES; tries++) {
		uint64_t number;

		if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number))
			return false;
		(void)snprintf(name, sizeof(name), ".lifted-%016llx", (unsigned long long)number);
		if (renameat(parent, from, walk->pool.report->top, name) == 0)
			return true;
		if (errno != EEXIST && errno != ENOTEMPTY && errno != ENOTDIR)
			return false;
	}
	return false;
}

/* Whether a removal is so deep that it continues from the top. */
static bool is_deep(const struct walk *walk)
{
	return walk->visitor->remove != NULL && walk->depth >= LIFT_DEPTH;
}

/* Goes down into the last directory that was noted; one that is a mount point is left alone. */
static bool descend(struct walk *walk)
{
	struct tree_status status;
	bool closed;
	int parent = walk->frames[walk->depth - 1].descriptor;
	size_t place = last_name(walk);
	const char *name = walk->names + place;

	if (is_deep(walk) && lift(walk, parent, name)) {
		walk->lifted = true;
		walk->names_length = place;
		return true;
	}
	int opened = tree_open(parent, name);

	if (opened < 0 && (errno == EXDEV || walk->visitor->passes_over)) {
		if (errno == EXDEV)
			tree_report_mount(walk->pool.report, parent, name);
		walk->names_length = place;
		return true;
	}
	if (opened < 0)
		return tree_fail(walk->pool.report, "openat2", parent, name);
	if (!enter(walk, opened, &status, &closed) || !push(walk, opened, &status, closed, place)) {
		(void)close(opened);
		return false;
	}
	return read_directory(walk);
}

/*
 * Opens the parent of the directory on top if it is not held open. It must be the one that was left: a directory
 * that was moved away has another, and the walk would leave the tree.
 */
static bool reopen_parent(struct walk *walk)
{
	const struct frame *frame = &walk->frames[walk->depth - 1];
	struct frame *parent = &walk->frames[walk->depth - 2];
	struct tree_status status;

	if (parent->descriptor >= 0)
		return true;
	/* Not below the directory, so RESOLVE_BENEATH cannot be had. */
	int opened = openat(frame->descriptor, "..", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (opened < 0)
		return tree_fail(walk->pool.report, "openat", frame->descriptor, "");
	parent->descriptor = opened;
	if (!tree_stat(opened, "", &status))
		return tree_fail(walk->pool.report, "statx", frame->descriptor, "");
	return tree_same(&status, &parent->status) || tree_changed(walk->pool.report, frame->descriptor, "");
}

static bool ascend(struct walk *walk)
{
	const struct frame *frame = &walk->frames[walk->depth - 1];
	const struct tree_visitor *visitor = walk->visitor;

	if (!reopen_parent(walk))
		return false;
	if (visitor->remove != NULL &&
	    !visitor->remove(&walk->pool.workers[0], walk->frames[walk->depth - 2].descriptor,
			     walk->names + frame->name))
		return false;
	walk->departures[walk->left++ % DEPARTURES_MAX] = (struct departure){
		.descriptor = frame->descriptor,
		.status = frame->status,
		.number = tree_pool_now(&walk->pool),
	};
	walk->names_length = frame->name;
	walk->depth--;
	return finish_departures(walk, false);
}

/* What was moved to the top is found there by one more read of it. */
static bool read_lifted(struct walk *walk)
{
	walk->lifted = false;
	if (lseek(walk->frames[0].descriptor, 0, SEEK_SET) < 0)
		return tree_fail(walk->pool.report, "lseek", walk->frames[0].descriptor, "");
	return read_directory(walk);
}

static bool walk_down(struct walk *walk, const struct tree_status *status, bool closed)
{
	/* Opened anew, so that the position in it belongs to this walk alone. */
	int top = walk->pool.report->top, opened = tree_open(top, ".");

	if (opened < 0)
		return tree_fail(walk->pool.report, "openat2", top, "");
	bool good = push(walk, opened, status, closed, 0) && read_directory(walk);

	while (good) {
		if (walk->names_length > walk->frames[walk->depth - 1].below)
			good = descend(walk);
		else if (walk->depth > 1)
			good = ascend(walk);
		else if (walk->lifted)
			good = read_lifted(walk);
		else
			return finish_departures(walk, true) && tree_pool_wait(&walk->pool, tree_pool_now(&walk->pool));
	}
	return false;
}

bool tree_walk(struct tree_status *top, bool closed, const struct tree_visitor *visitor, void *context,
	       struct tree_report *report)
{
	if (!tree_stat(report->top, "", top))
		return tree_fail_at_top(report, "statx");
	struct walk *walk = calloc(1, sizeof(*walk));

	if (walk == NULL)
		return tree_fail_at_top(report, "calloc");
	walk->visitor = visitor;
	walk->pool.mount = top->mount;
	walk->pool.report = report;
	walk->pool.work = visitor->entry;
	walk->pool.context = context;
	bool good = false;

	if (tree_pool_start(&walk->pool, visitor->remove != NULL)) {
		bool walked = walk_down(walk, top, closed);

		good = tree_pool_end(&walk->pool) && walked;
	} else {
		(void)tree_fail_at_top(report, "calloc");
	}
	/* Whatever is still open ends with the process; a walk that was stopped is the last thing that it does. */
	free(walk->frames);
	free(walk->names);
	free(walk);
	return good;
}
