/*
 * Owns the way through a tree: in depth, each directory after all that is below it, by descriptors alone. Memory grows
 * with the depth and with the names of directories to come, never the C stack; the number of open files is bounded.
 * It changes nothing itself, and never enters a mount.
 */
#ifndef DYNUSER_HELPER_TREE_WALK_H
#define DYNUSER_HELPER_TREE_WALK_H

#include <stdbool.h>
#include <stddef.h>

#include "tree_names.h"
#include "tree_open.h"
#include "tree_report.h"

/* A directory on the way down. */
struct tree_frame {
	/* -1 while it is not held open */
	int descriptor;
	struct tree_status status;
	/* the places of its own name and of its directories' names in tree_walk.names */
	size_t name;
	size_t below;
};

struct tree_walk {
	struct tree_report *report;
	struct tree_failure failure;
	struct tree_frame *frames;
	size_t depth;
	size_t capacity;
	struct tree_names names;
	char *entries;
	/* whether entry() has done something in the directory that is being read */
	bool removed;
};

/* What is done on the way. Each returns false to stop, after tree_fail() or tree_changed(). */
struct tree_visitor {
	/* An entry of the directory on top that is no directory by its type. */
	bool (*entry)(struct tree_walk *walk, void *context, int directory, const char *name);
	/* A directory other than the top, after all that is below it. A descriptor that is taken is set to -1. */
	bool (*leave)(struct tree_walk *walk, void *context, struct tree_frame *frame, int parent, const char *name);
	/* Whether a directory is read again as long as entry() removes something: readdir(3) says little of what it does then. */
	bool removes;
};

/* Walks the tree below a directory. False where it was stopped: walk->failure says why, and tree_walk_end() is due too. */
bool tree_walk(struct tree_walk *walk, int top, struct tree_report *report, const struct tree_visitor *visitor,
	       void *context);
void tree_walk_end(struct tree_walk *walk);

/* The path of a name in the directory that is on top; "" is the directory. */
void tree_where(const struct tree_walk *walk, const char *name, struct tree_path *path);

/* Say what stopped the walk and where; always false. An error that a change of the tree explains is told as that. */
bool tree_fail(struct tree_walk *walk, const char *call, int error, const char *name);
bool tree_changed(struct tree_walk *walk, const char *name);

#endif
