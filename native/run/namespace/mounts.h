/*
 * Owns the calls of the mount API that Linux has since 5.2 (mounts that are descriptors until they are attached) and 5.12
 * (mount_setattr(2)). Functions return -1 with errno where they fail; descriptors are closed by execve(2).
 */
#ifndef RUN_MOUNTS_H
#define RUN_MOUNTS_H

#include <stdbool.h>

#include "string_list.h"

/* A clone of the mount that a descriptor is in, from there on; with those below it, unless it is to be single. */
int mount_clone(int from, bool single);

/* Sets and clears flags (bits 1 << enum mount_flag) of the mount whose root a descriptor is, and of those below it. */
int mount_flags(int mount, unsigned int set, unsigned int clear, bool single);

/* Shows a mount that is attached nowhere, but none below it, as a user namespace maps it. */
int mount_map(int mount, int user_namespace);

/* Attaches a mount on top of what a descriptor is. */
int mount_attach(int mount, int target);

/* Takes a mount away from where it is attached; descriptor is its root. Changes the working directory to /. */
int mount_detach(int mount);

/* A new file system of a type, attached nowhere. Options are "name=value" or "name", as in tmpfs(5) and proc(5); flags as in mount_flags(). */
int mount_new(const char *type, const struct strings *options, unsigned int flags);

/* 1: a descriptor is the root of a mount; 0: it is not; -1 with errno: the kernel does not say. */
int mount_is_root(int descriptor);

#endif
