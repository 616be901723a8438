/* Owns what signals may do to Node from its first instruction on. */
#ifndef DYNUSER_START_SIGNALS_H
#define DYNUSER_START_SIGNALS_H

#include <stdbool.h>

/*
 * SIGUSR1 starts Node's inspector, which runs what any local user sends to it. Here the signal is ignored, and a filter keeps it
 * so: whatever Node sets for it from now on is said to have succeeded, and is not done. No signal is blocked any more. Sets
 * no_new_privs, as the filter needs where CAP_SYS_ADMIN is missing. All of it passes to children. Returns false with errno.
 */
bool close_debug_signal(void);

#endif
