/* Mounts what is on a loop device. */
#ifndef RUN_FILE_SYSTEM_H
#define RUN_FILE_SYSTEM_H

#include "loop.h"
#include "string_list.h"

/*
 * A mount of the file system of that type and those options ("name" or "name=value"), attached nowhere: nosuid, nodev and read-only, until
 * whoever attaches it takes that away. Ends the launcher if that fails.
 */
int file_system_mount(const char *image, const struct loop *loop, const char *type, const struct strings *options);

#endif
