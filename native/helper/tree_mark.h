/*
 * Owns the mark of a tree that is changing hands, which is at its top: while it lasts, the top has an owner that no tree
 * has, root with the group 65534, and mode 0700. So neither this program, nor the daemon, nor systemd takes the tree for
 * anybody's, whatever became of the run. The extended attribute trusted.dynuser.former-owners, which root alone can
 * write, has the UIDs that inodes below may still belong to.
 */
#ifndef DYNUSER_HELPER_TREE_MARK_H
#define DYNUSER_HELPER_TREE_MARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tree_limits.h"
#include "tree_open.h"
#include "tree_owner.h"

struct tree_former_owners {
	uint32_t uids[TREE_FORMER_OWNERS_MAX];
	size_t count;
};

/*
 * Marks a tree, and says whose it was: the owner of its top, or those that an interrupted run wrote down. On a file
 * system without trusted attributes nothing is written down, and after an interruption inodes with several links that
 * are not the new owner's have to be left alone.
 * Returns NULL, or the call that failed, with errno.
 */
const char *tree_mark(int top, const struct tree_status *status, const struct tree_owner *owner,
		      struct tree_former_owners *former);

/* Takes what was written down away, once the top is its new owner's. */
const char *tree_unmark(int top);

bool tree_former_has(const struct tree_former_owners *former, uint32_t uid);

#endif
