/* Owns the session keyring (session-keyring(7)): that of whoever started the launcher holds keys that are not the service's. */
#ifndef RUN_KEYRING_H
#define RUN_KEYRING_H

/* Puts this process into a session keyring of its own, empty and its present user's. Ends the process where it cannot be done. */
void keyring_leave(void);

#endif
