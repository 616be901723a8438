#include "walk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "limits.h"
#include "read.h"

static bool push(struct tree_walk *walk, int descriptor, const struct tree_status *status, bool closed, size_t name)
{
	struct tree_worker *worker = &walk->pool.workers[0];

	if (walk->depth == walk->capacity) {
		size_t capacity = walk->capacity == 0 ? 64 : walk->capacity * 2;
		struct tree_frame *frames =
			capacity > TREE_DEPTH_MAX ? NULL : reallocarray(walk->frames, capacity, sizeof(*frames));

		if (frames == NULL)
			return tree_fail(worker, "realloc", ENOMEM, descriptor, "");
		walk->frames = frames;
		walk->capacity = capacity;
	}
	walk->frames[walk->depth++] = (struct tree_frame){
		.descriptor = descriptor,
		.status = *status,
		.closed = closed,
		.name = name,
		.below = walk->names.length,
	};
	if (walk->depth > TREE_OPEN_DIRECTORIES) {
		struct tree_frame *far = &walk->frames[walk->depth - 1 - TREE_OPEN_DIRECTORIES];

		if (!tree_pool_wait(&walk->pool, far->entries_done))
			return false;
		(void)close(far->descriptor);
		far->descriptor = -1;
	}
	return true;
}

/* Does the directories that were left and have no more work below them; all of them, or enough for room. */
static bool finish_departures(struct tree_walk *walk, bool all)
{
	struct tree_worker *worker = &walk->pool.workers[0];

	while (walk->finished < walk->left) {
		struct tree_departure *next = &walk->departures[walk->finished % TREE_DEPARTURES];
		bool full = walk->left - walk->finished == TREE_DEPARTURES;

		if (!all && !full && !tree_pool_reached(&walk->pool, next->number))
			return true;
		if (!tree_pool_wait(&walk->pool, next->number))
			return false;
		uint64_t changed = worker->changed;
		bool good = walk->visitor->directory == NULL ||
			    walk->visitor->directory(worker, next->descriptor, &next->status);

		tree_pool_report_count(&walk->pool, 1, worker->changed - changed);
		(void)close(next->descriptor);
		walk->finished++;
		if (!good)
			return false;
	}
	return true;
}

static bool enter(struct tree_walk *walk, int descriptor, struct tree_status *status, bool *closed)
{
	struct tree_worker *worker = &walk->pool.workers[0];

	*closed = false;
	if (!tree_stat(descriptor, "", status))
		return tree_fail(worker, "statx", errno, descriptor, "");
	return walk->visitor->enter == NULL || walk->visitor->enter(worker, descriptor, status, closed);
}

/*
 * Moves a directory from deep below to the top, under a name that nobody can have foreseen: an empty directory of that name would be
 * replaced, which is to be removed as well. Returns false if that cannot be, as for a mount point.
 */
static bool lift(struct tree_walk *walk, int parent, const char *from)
{
	char name[sizeof(".lifted-") + 16];

	for (unsigned int tries = 0; tries < TREE_LIFT_NAMES; tries++) {
		uint64_t number;

		if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number))
			return false;
		(void)snprintf(name, sizeof(name), ".lifted-%016llx", (unsigned long long)number);
		if (renameat(parent, from, walk->pool.top, name) == 0)
			return true;
		if (errno != EEXIST && errno != ENOTEMPTY && errno != ENOTDIR)
			return false;
	}
	return false;
}

/* Whether a removal is so deep that it continues from the top. */
static bool is_deep(const struct tree_walk *walk)
{
	return walk->visitor->remove != NULL && walk->depth >= TREE_LIFT_DEPTH;
}

/* Goes down into the last directory that was noted; one that is a mount point is left alone. */
static bool descend(struct tree_walk *walk)
{
	struct tree_worker *worker = &walk->pool.workers[0];
	struct tree_status status;
	bool closed;
	int parent = walk->frames[walk->depth - 1].descriptor;
	size_t place = tree_names_last(&walk->names);
	const char *name = walk->names.bytes + place;

	if (is_deep(walk) && lift(walk, parent, name)) {
		walk->lifted = true;
		tree_names_cut(&walk->names, place);
		return true;
	}
	int opened = tree_open(parent, name);

	if (opened < 0 && errno == EXDEV) {
		tree_pool_report_mount(&walk->pool, parent, name);
		tree_names_cut(&walk->names, place);
		return true;
	}
	if (opened < 0)
		return tree_fail(worker, "openat2", errno, parent, name);
	if (!enter(walk, opened, &status, &closed) || !push(walk, opened, &status, closed, place)) {
		(void)close(opened);
		return false;
	}
	return tree_read(walk);
}

/*
 * Opens the parent of the directory on top if it is not held open. It must be the one that was left: a directory
 * that was moved away has another, and the walk would leave the tree.
 */
static bool reopen_parent(struct tree_walk *walk)
{
	struct tree_worker *worker = &walk->pool.workers[0];
	const struct tree_frame *frame = &walk->frames[walk->depth - 1];
	struct tree_frame *parent = &walk->frames[walk->depth - 2];
	struct tree_status status;

	if (parent->descriptor >= 0)
		return true;
	int opened = tree_open_parent(frame->descriptor);

	if (opened < 0)
		return tree_fail(worker, "openat", errno, frame->descriptor, "");
	parent->descriptor = opened;
	if (!tree_stat(opened, "", &status))
		return tree_fail(worker, "statx", errno, frame->descriptor, "");
	return tree_same(&status, &parent->status) || tree_changed(worker, frame->descriptor, "");
}

static bool ascend(struct tree_walk *walk)
{
	struct tree_worker *worker = &walk->pool.workers[0];
	const struct tree_frame *frame = &walk->frames[walk->depth - 1];
	const struct tree_visitor *visitor = walk->visitor;

	if (!reopen_parent(walk))
		return false;
	if (visitor->remove != NULL &&
	    !visitor->remove(worker, walk->frames[walk->depth - 2].descriptor, walk->names.bytes + frame->name))
		return false;
	walk->departures[walk->left++ % TREE_DEPARTURES] = (struct tree_departure){
		.descriptor = frame->descriptor,
		.status = frame->status,
		.number = tree_pool_now(&walk->pool),
	};
	tree_names_cut(&walk->names, frame->name);
	walk->depth--;
	return finish_departures(walk, false);
}

/* Reads the top once more, if something was moved there. Sets *more if so. */
static bool read_lifted(struct tree_walk *walk, bool *more)
{
	const struct tree_frame *top = &walk->frames[0];

	*more = walk->lifted;
	if (!walk->lifted)
		return true;
	walk->lifted = false;
	if (lseek(top->descriptor, 0, SEEK_SET) < 0)
		return tree_fail(&walk->pool.workers[0], "lseek", errno, top->descriptor, "");
	return tree_read(walk);
}

static bool walk_down(struct tree_walk *walk, const struct tree_top *top)
{
	/* Opened anew, so that the position in it belongs to this walk alone. */
	int opened = tree_open(top->descriptor, ".");

	if (opened < 0)
		return tree_fail(&walk->pool.workers[0], "openat2", errno, top->descriptor, "");
	if (!push(walk, opened, &top->status, top->closed, 0) || !tree_read(walk))
		return false;
	for (;;) {
		bool more = walk->names.length > walk->frames[walk->depth - 1].below;

		if (!more && walk->depth == 1) {
			if (!read_lifted(walk, &more))
				return false;
			if (!more)
				return finish_departures(walk, true) && tree_pool_wait(&walk->pool, tree_pool_now(&walk->pool));
			continue;
		}
		if (more ? !descend(walk) : !ascend(walk))
			return false;
	}
}

/* Whatever is still open ends with the process; a walk that was stopped is the last thing that it does. */
static void release(struct tree_walk *walk)
{
	free(walk->frames);
	tree_names_free(&walk->names);
	free(walk);
}

bool tree_walk(const struct tree_top *top, const struct tree_visitor *visitor, void *context,
	       struct tree_report *report, struct tree_failure *failure)
{
	struct tree_walk *walk = calloc(1, sizeof(*walk));

	*failure = (struct tree_failure){ .call = "calloc", .error = ENOMEM, .path = { "." } };
	if (walk == NULL)
		return false;
	walk->visitor = visitor;
	walk->pool.top = top->descriptor;
	walk->pool.mount = top->status.mount;
	walk->pool.report = report;
	walk->pool.work = visitor->entry;
	walk->pool.context = context;
	bool started = tree_pool_start(&walk->pool, visitor->remove != NULL);
	bool walked = started && walk_down(walk, top);
	bool worked = started && tree_pool_end(&walk->pool);

	if (started && !worked)
		*failure = walk->pool.failure;
	else if (started && !walked)
		*failure = walk->pool.workers[0].failure;
	release(walk);
	return walked && worked;
}
