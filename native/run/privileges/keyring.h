/* Owns the session keyring (session-keyring(7)): that of whoever started the launcher holds keys that are not the service's. */
#ifndef RUN_KEYRING_H
#define RUN_KEYRING_H

/*
 * Puts this process into a session keyring of its own, empty and its present user's. To be called as the launcher's user: its
 * process has all rights to it that one's own session keyring gives, and no key is counted for a dynamic user that uses none.
 * Ends the process where it cannot be done.
 */
void keyring_leave(void);

#endif
