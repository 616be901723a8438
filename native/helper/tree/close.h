/*
 * Owns closed directories: while one changes hands it is root's, and nobody but root can change the names in it. So what a
 * name stands for is the same at every time, and links can be counted: who may rename and unlink in between can make a
 * foreign inode with two names seem to have one.
 */
#ifndef DYNUSER_HELPER_TREE_CLOSE_H
#define DYNUSER_HELPER_TREE_CLOSE_H

#include <stdbool.h>

#include "open.h"
#include "owner.h"

/*
 * Closes a directory and reads its status anew. Permission bits that let others write to it are taken away meanwhile; they are
 * kept in the extended attribute trusted.dynuser.mode, which an interrupted run leaves to the next. *closed is false if
 * the file system has no such attributes; the directory is root's then, but others may still write to it.
 * Returns NULL, or the call that failed, with errno.
 */
const char *tree_close(int descriptor, struct tree_status *status, bool *closed);

/* Gives a directory the permission bits back that it had, and says so in its status. Returns as tree_close() does. */
const char *tree_reopen(int descriptor, struct tree_status *status);

/*
 * Whether a directory of the new owner's is as good as closed: nobody else can write to it, and the new owner has no
 * processes, or it would not get the tree.
 */
bool tree_is_owners_alone(int descriptor, const struct tree_status *status);

#endif
