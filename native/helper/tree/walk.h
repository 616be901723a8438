/*
 * Owns the way through a tree: in depth, each directory after all that is below it, by descriptors alone. Memory grows
 * with the depth and with the names of directories to come, never the C stack; the number of open files is bounded.
 * It changes nothing itself, and never enters a mount.
 */
#ifndef DYNUSER_HELPER_TREE_WALK_H
#define DYNUSER_HELPER_TREE_WALK_H

#include <stdbool.h>
#include <stddef.h>

#include "inode.h"
#include "report.h"
#include "worker_pool.h"

/* What is done on the way. Each returns false to stop, after tree_fail() or tree_changed(). */
struct tree_visitor {
	/*
	 * A directory other than the top that was opened, before it is read; may write to it, and says then what its status is
	 * and whether it is closed. In the walking thread. May be NULL.
	 */
	bool (*enter)(struct tree_worker *worker, int descriptor, struct tree_status *status, bool *closed);
	/* An entry that is not a directory by its type; in any thread. */
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
	/* A tree that others change meanwhile, for a visitor that changes nothing: a directory that is gone or cannot be read is passed over. */
	bool passes_over;
};

/*
 * Walks the tree below report->top, which is itself left to the caller: *top becomes its status before the walk, and closed says that
 * nobody but root can change the names in it. Returns once all work is done: false if it was stopped.
 */
bool tree_walk(struct tree_status *top, bool closed, const struct tree_visitor *visitor, void *context,
	       struct tree_report *report);

#endif
