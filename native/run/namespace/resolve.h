/*
 * Opens paths below a root directory, which no symlink leads out of. Functions return -1 with errno on failure; descriptors are
 * closed by execve(2).
 */
#ifndef RUN_RESOLVE_H
#define RUN_RESOLVE_H

#include <stdint.h>
#include <sys/types.h>

/* What is opened here is closed by its close_quietly(). */
#include "descriptor.h"

/* Mode of missing parents that are created. */
#define PARENT_MODE 0755

/* Opens a directory of the launcher's own root, with O_PATH. Ends the launcher if that fails. */
int open_directory(const char *path);

/* Opens an absolute path below root, with O_PATH and further flags of open(2). */
int resolve(int root, const char *path, int flags);

/* The same, but fails with ELOOP if a component is a symlink. */
int resolve_no_symlinks(int root, const char *path);

/* Ends the launcher unless what was opened at a path is the object of these numbers, which the daemon prepared. */
void resolve_check(int found, const char *path, uint64_t device, uint64_t inode);

/* Opens a directory. If it is missing it is created with its parents, and gets the mode. */
int resolve_directory(int root, const char *path, mode_t mode);

/*
 * Opens the directory of a path's last component, created with its parents if it is missing. *name becomes that component,
 * within path. EINVAL: there is none.
 */
int resolve_parent(int root, const char *path, const char **name);

/* Opens a file, created empty with its parents if it is missing. */
int resolve_file(int root, const char *path);

#endif
