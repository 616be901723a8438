/*
 * Owns the way through a tree: in depth, each directory after all that is below it, by descriptors alone. Memory grows
 * with the depth and with the names of directories to come, never the C stack; the number of open files is bounded.
 * It changes nothing itself, and never enters a mount.
 */
#ifndef DYNUSER_HELPER_TREE_WALK_H
#define DYNUSER_HELPER_TREE_WALK_H

#include <stdbool.h>
#include <stddef.h>

#include "worker_pool.h"
#include "names.h"
#include "open.h"
#include "report.h"

/* A directory on the way down. */
struct tree_frame {
	/* -1 while it is not held open */
	int descriptor;
	struct tree_status status;
	/* nobody but root can change the names in it */
	bool closed;
	/* the places of its own name and of its directories' names in tree_walk.names */
	size_t name;
	size_t below;
	/* the number that the pool reaches once the entries of this directory are done */
	uint64_t entries_done;
};

/* A directory that was left, and is done once the pool has reached the number. */
struct tree_departure {
	int descriptor;
	struct tree_status status;
	uint64_t number;
};

/* What is done on the way. Each returns false to stop, after tree_fail() or tree_changed(). */
struct tree_visitor {
	/*
	 * A directory other than the top that was opened, before it is read; may write to it, and says then what its status is
	 * and whether it is closed. In the walking thread. May be NULL.
	 */
	bool (*enter)(struct tree_worker *worker, int descriptor, struct tree_status *status, bool *closed);
	/* An entry that is no directory by its type; in any thread. */
	tree_work *entry;
	/*
	 * A directory other than the top, after all that is below it, with its status before it was read; in the walking thread.
	 * May be NULL.
	 */
	bool (*directory)(struct tree_worker *worker, int descriptor, const struct tree_status *status);
	/*
	 * The name of a directory that was left, in its parent. A visitor with this removes: it works alone, and a directory is
	 * read until nothing is found in it, since readdir(3) says little of what it does after a removal.
	 */
	bool (*remove)(struct tree_worker *worker, int parent, const char *name);
};

struct tree_walk {
	struct tree_pool pool;
	const struct tree_visitor *visitor;
	struct tree_frame *frames;
	size_t depth;
	size_t capacity;
	/* a directory was moved to the top, which has to be read again */
	bool lifted;
	struct tree_names names;
	/* first in, first out: departures[n % TREE_DEPARTURES] for n from finished to left-1 */
	struct tree_departure departures[TREE_DEPARTURES];
	uint64_t left, finished;
};

/* The directory to start from. */
struct tree_top {
	int descriptor;
	struct tree_status status;
	bool closed;
};

/*
 * Walks the tree below a directory, which is itself left to the caller. Returns once all work is done: false if it was stopped,
 * and *failure says why.
 */
bool tree_walk(const struct tree_top *top, const struct tree_visitor *visitor, void *context,
	       struct tree_report *report, struct tree_failure *failure);

#endif
