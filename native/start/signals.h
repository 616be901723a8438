/* What signals may do to Node from its first instruction on. */
#ifndef DYNUSER_START_SIGNALS_H
#define DYNUSER_START_SIGNALS_H

#include <stdbool.h>

/*
 * SIGUSR1 starts Node's inspector, which runs what any local user sends to it. Here the signal is ignored, and a filter
 * keeps it so: when Node sets an action for it, the call succeeds without effect. No signal stays blocked. Sets no_new_privs, which the
 * filter needs without CAP_SYS_ADMIN. Children inherit all of it. Returns false with errno.
 */
bool close_debug_signal(void);

#endif
