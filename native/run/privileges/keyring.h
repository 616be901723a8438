/* Leaves the session keyring (session-keyring(7)) of whoever started the launcher, whose keys are not the service's. */
#ifndef RUN_KEYRING_H
#define RUN_KEYRING_H

/*
 * Gives this process a new, empty session keyring. To be called as the launcher's user, so that no key counts for a dynamic user that
 * uses none; the process keeps its rights to the keyring. Ends the process on failure.
 */
void keyring_leave(void);

#endif
