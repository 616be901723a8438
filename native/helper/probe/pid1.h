/*
 * Owns what the service manager, process 1, says of its dynamic users: whether nss-systemd(8) asks it, as it does by default, once for
 * each user, group and membership; whether its locks tell; and our own question to it.
 */
#ifndef DYNUSER_HELPER_PROBE_PID1_H
#define DYNUSER_HELPER_PROBE_PID1_H

#include <stdbool.h>
#include <stdint.h>

#include "varlink.h"

#define PID1_LOCKS "/run/systemd/dynamic-uid"
#define PID1_SERVICE "io.systemd.DynamicUser"
#define PID1_SOCKET "/run/systemd/userdb/" PID1_SERVICE
/* A record has about 350 bytes. */
#define PID1_REPLY_MAX 4096

/* Makes the switch. To be called once, before the first lookup. Returns false if there is no memory for it. */
bool pid1_lookup_prepare(void);

/* Sets the switch: whether lookups of nss-systemd from here on go to the manager. */
void pid1_lookup_enable(bool ask);

/*
 * Whether the manager has no number that its lock file does not tell of: the locks and its socket are on the one tmpfs of one host.
 * Not so in a container that has its own /run and of its host the sockets alone, nor if there is no such socket.
 */
bool pid1_locks_tell(void);

/*
 * One question to the manager: which of its dynamic users has a name. nss-systemd would ask it for the user, for the group and for
 * the members of the group, which are all the same to it, and wait each time. This question is sent before other sources are asked,
 * and answered meanwhile.
 */
struct pid1_question {
	struct varlink connection;
	char reply[PID1_REPLY_MAX];
};

enum pid1_answer {
	PID1_HAS_USER,
	PID1_HAS_NONE,
	PID1_UNCLEAR, /* it is away, has closed the connection, or says what nobody understands */
};

/*
 * Sends the question. Returns false if the manager is not there, or a dynamic user cannot have the name: then
 * there is nothing to end.
 */
bool pid1_question_begin(struct pid1_question *question, const char *name);

/* Waits for the answer. The user of a dynamic user, and its group, have the number. */
enum pid1_answer pid1_question_end(struct pid1_question *question, uint32_t *number);

/* Ends the question without an answer. */
void pid1_question_drop(struct pid1_question *question);

#endif
