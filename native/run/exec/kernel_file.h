/* Files of the kernel that take one write: those of proc(5) that change a process. */
#ifndef RUN_KERNEL_FILE_H
#define RUN_KERNEL_FILE_H

#include <stdbool.h>

/* Writes a text to the file at a path below the directory (AT_FDCWD for an absolute one), in one write(2). False with errno. */
bool kernel_file_write(int directory, const char *path, const char *text);

#endif
