/* How far the handover of a large directory is: one line on a terminal that is drawn again and again, and is gone in the end. */
#ifndef RUN_PROGRESS_H
#define RUN_PROGRESS_H

#include <stdint.h>

/* Draws the line, if standard error is a terminal that this process may write to. */
void progress_show(const char *path, uint32_t inodes, uint32_t changed);

/* Removes the line, if there is one. To be called before anything else is written. */
void progress_clear(void);

#endif
