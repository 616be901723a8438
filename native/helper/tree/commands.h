/*
 * Owns what can be done with a tree: `dynuser-helper tree VERB …`, one process for one job, so that it can be killed at
 * any moment and a tree of a million inodes holds up no other question. The daemon passes the tree's top, which it has
 * opened and checked, as the descriptor TREE_TOP_DESCRIPTOR; the answer is on standard output, see tree/report.h.
 *
 *   chown UID GID MODE   gives every inode to UID and GID, the top last and with the permission bits MODE (octal)
 *   count UID GID        counts the inodes, and those that chown would change
 *   remove               removes all that is below the top, but not the top
 *   probe                whether an id-mapped mount of the top can be made
 */
#ifndef DYNUSER_HELPER_TREE_COMMANDS_H
#define DYNUSER_HELPER_TREE_COMMANDS_H

#include <stdbool.h>

#include "owner.h"
#include "report.h"

/* Each says its last line itself, and returns whether that is "done", "yes" or "no". */
bool tree_chown(int top, const struct tree_owner *owner, uint32_t mode, struct tree_report *report);
bool tree_count(int top, const struct tree_owner *owner, struct tree_report *report);
bool tree_remove(int top, struct tree_report *report);
bool tree_probe(int top, struct tree_report *report);

/* The arguments after "tree". Returns the exit status: 0, 1 if the job failed, 2 for a usage that is none. */
int tree_main(int argc, char **argv);

#endif
