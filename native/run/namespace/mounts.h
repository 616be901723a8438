/*
 * The mount API of Linux 5.2 (mounts are descriptors until they are attached) and 5.12 (mount_setattr(2)). Functions return -1 with
 * errno on failure; descriptors are closed by execve(2).
 */
#ifndef RUN_MOUNTS_H
#define RUN_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "string_list.h"

/* Clones the mount of a descriptor, from there on, with the mounts below it unless non_recursive. */
int mount_clone(int from, bool non_recursive);

/* Sets and clears flags (bits 1 << enum mount_flag) of the mount whose root a descriptor is, and of those below it. */
int mount_flags(int mount, unsigned int set, unsigned int clear, bool non_recursive);

/* Id-maps a mount that is attached nowhere, but none below it, by a user namespace. */
int mount_map(int mount, int user_namespace);

/* Attaches a mount on top of the file or directory of a descriptor. */
int mount_attach(int mount, int target);

/* Detaches a mount; the descriptor is its root. Changes the working directory to /. */
int mount_detach(int mount);

/*
 * A new file system of a type, attached nowhere. Options are "name=value" or "name", as in tmpfs(5) and proc(5), and mode is one more of
 * them; either may be null. Flags as in mount_flags().
 */
int mount_new(const char *type, const struct strings *options, const char *mode, unsigned int flags);

/* Sets an option, "name=value" or "name", of a file system that is being made (fsopen(2)). */
int mount_option(int context, const char *option);

/* Makes a mount that is attached nowhere read-only, and symlinks on it lead nowhere, if the kernel can do that (Linux 5.14). */
int mount_seal(int mount);

/*
 * Lists the mounts below the mount whose root a descriptor is, at most so many. Returns their number; -1 also if the kernel has no such
 * call (before Linux 6.8), a container forbids it, or the descriptor is not such a root.
 */
int mounts_below(int mount, uint64_t *ids, size_t most);

/* The path of one of them, until the next call; empty if no path leads there. Null with errno on failure. */
const char *mount_path(uint64_t id);

/* 1: a descriptor is the root of a mount; 0: it is not; -1 with errno: the kernel does not say. */
int mount_is_root(int descriptor);

#endif
