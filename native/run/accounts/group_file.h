/*
 * Owns the reading of a group(5) file. Why not fgetgrent(3): it asks the kernel for its place before and after each line; nor
 * getgrouplist(3) with the source "files": it takes a file that cannot be read for one without members.
 */
#ifndef RUN_GROUP_FILE_H
#define RUN_GROUP_FILE_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

/* What to do with a group that the name is a member of. */
typedef void group_file_found(void *context, gid_t id);

/* Finds the groups of a member in an open file; false with errno where it cannot be read to its end. */
bool group_file_read(FILE *file, const char *member, group_file_found *found, void *context);

#endif
