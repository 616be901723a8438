/* What a process that becomes a user has of its account: the questions "groups" and "login" of protocol.h. */
#ifndef DYNUSER_HELPER_PROBE_MEMBERSHIPS_H
#define DYNUSER_HELPER_PROBE_MEMBERSHIPS_H

#include "questions.h"

/* The GIDs of one answer; the daemon asks for more from the last one on (src/host/helper/protocol.ts). */
#define GROUPS_ANSWERED 512U

bool ask_groups(char *argument, struct context *context, struct answer *answer);
bool ask_login(char *name, struct context *context, struct answer *answer);

#endif
