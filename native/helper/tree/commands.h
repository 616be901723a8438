/*
 * Owns what can be done with a tree: `dynuser-helper tree VERB …`, one process for one job, so that it can be killed at
 * any moment and a tree of a million inodes holds up no other question. The daemon passes the tree's top, which it has
 * opened and checked, as the descriptor TREE_TOP_DESCRIPTOR; the answer is on standard output, see tree/report.h.
 *
 *   chown UID GID MODE   gives every inode to UID and GID, the top last and with the permission bits MODE (octal)
 *   count UID GID        counts the inodes, and those that chown would change
 *   remove               removes all that is below the top, but not the top
 *   probe                whether an id-mapped mount of the top can be made
 *   limit BYTES,INODES   bounds what the tree takes of its file system: quota.h
 *   find FIRST-LAST,…    says which inodes belong to these UIDs; adopt UID GID gives those that it reads: owned.h
 */
#ifndef DYNUSER_HELPER_TREE_COMMANDS_H
#define DYNUSER_HELPER_TREE_COMMANDS_H

#include <stdbool.h>

#include "inode.h"
#include "report.h"

#define TREE_TOP_DESCRIPTOR 3

/* What the arguments of a verb are. */
struct tree_job {
	struct tree_owner owner;
	uint32_t mode;
	const char *text;
};

/* All verbs return false once a failure is noted in the report; if not, they have said their last line. */
bool tree_chown(const struct tree_job *job, struct tree_report *report);

/* The arguments after "tree". Returns the exit status: 0, 1 if the job failed, 2 for a usage error. */
int tree_main(int argc, char **argv);

#endif
