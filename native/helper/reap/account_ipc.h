/* Owns what RemoveIPC= removes of a static user of the host: its IPC objects, and those of the group of its process. */
#ifndef DYNUSER_HELPER_REAP_ACCOUNT_IPC_H
#define DYNUSER_HELPER_REAP_ACCOUNT_IPC_H

#include "protocol.h"

/*
 * The argument is "UID,GID" in decimal. Objects of root and of root's group are none of anybody's, so a half that is 0 removes
 * nothing. Answers "free", and returns false, unless the argument is invalid: what cannot be removed keeps no number from anybody.
 */
bool remove_account_ipc(char *argument, struct answer *answer);

#endif
