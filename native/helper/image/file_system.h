/* Mounts what is on a loop device. */
#ifndef DYNUSER_HELPER_IMAGE_FILE_SYSTEM_H
#define DYNUSER_HELPER_IMAGE_FILE_SYSTEM_H

#include <stddef.h>

#include "loop.h"
#include "service.h"

/*
 * A mount of the file system of that type and those options ("name" or "name=value"), attached nowhere: nosuid, nodev and read-only, until
 * whoever attaches it takes that away. -1: error says why.
 */
int file_system_mount(const struct loop *loop, const char *type, char *const *options, size_t count,
		      char error[IMAGE_ERROR_MAX]);

#endif
