/*
 * Owns the state of a tree that is in transition from one owner to another. Meanwhile its top belongs to root with the group
 * 65534, an owner that no finished tree has, with mode 0700. So neither this program, nor the daemon, nor systemd takes the
 * tree for anybody's, even if the run was interrupted. The extended attribute trusted.dynuser.former-owners, which only root
 * can write, lists the UIDs that inodes below may still belong to.
 */
#ifndef DYNUSER_HELPER_TREE_TRANSITION_H
#define DYNUSER_HELPER_TREE_TRANSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "limits.h"
#include "open.h"
#include "owner.h"

struct tree_former_owners {
	uint32_t uids[TREE_FORMER_OWNERS_MAX];
	size_t count;
};

/*
 * Puts a tree into transition, and finds its former owners: the owner of its top, or those that an interrupted run wrote down.
 * A file system without trusted attributes keeps no record: after an interruption, inodes with several links that are not the
 * new owner's are then left alone.
 * Returns NULL, or the call that failed, with errno.
 */
const char *tree_begin_transition(int top, const struct tree_status *status, const struct tree_owner *owner,
		      struct tree_former_owners *former);

/* Removes the record, once the top is its new owner's. Returns as above. */
const char *tree_end_transition(int top);

bool tree_former_has(const struct tree_former_owners *former, uint32_t uid);

#endif
