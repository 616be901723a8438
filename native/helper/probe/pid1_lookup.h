/*
 * Owns whether nss-systemd(8) asks the service manager, process 1, which of its dynamic users has a name or a number. By
 * default it does. The manager answers everybody in turn, and is asked once for each user, group and membership.
 */
#ifndef DYNUSER_HELPER_PROBE_PID1_LOOKUP_H
#define DYNUSER_HELPER_PROBE_PID1_LOOKUP_H

#include <stdbool.h>

#define PID1_LOCKS "/run/systemd/dynamic-uid"
#define PID1_SERVICE "io.systemd.DynamicUser"
#define PID1_SOCKET "/run/systemd/userdb/" PID1_SERVICE

/* Makes the switch. To be called once, before the first lookup. Returns false if there is no memory for it. */
bool pid1_lookup_prepare(void);

/* Sets the switch: whether lookups from here on go to the manager. */
void pid1_lookup_enable(bool ask);

/*
 * Whether the manager has no number that its lock file does not tell of: the locks and its socket, at these paths, are on
 * the one tmpfs of one host. Not so in a container that has its own /run and of its host the sockets alone, nor where
 * there is no such socket.
 */
bool pid1_locks_tell(const char *locks, const char *socket);

#endif
