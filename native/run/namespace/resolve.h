/*
 * Owns how paths become descriptors: each below a root, which nothing on the way leads out of, whatever symlinks there are.
 * Functions return -1 with errno where they fail; descriptors are closed by execve(2).
 */
#ifndef RUN_RESOLVE_H
#define RUN_RESOLVE_H

#include <sys/types.h>

/* Mode of directories that are made on the way. */
#define PARENT_MODE 0755

/* Opens what is at an absolute path below root, with O_PATH and further flags of open(2). */
int resolve(int root, const char *path, int flags);

/* The same where no component is a symlink: ELOOP where one is. */
int resolve_straight(int root, const char *path);

/* Opens a directory, made with its parents where it is missing; mode is set where it was made. */
int resolve_directory(int root, const char *path, mode_t mode);

/*
 * Opens the directory that a path's last component is in, made with its parents where it is missing. *name becomes that
 * component, within path. EINVAL: there is none.
 */
int resolve_parent(int root, const char *path, const char **name);

/* Opens a file, made empty where it is missing, with its parents. */
int resolve_file(int root, const char *path);

#endif
