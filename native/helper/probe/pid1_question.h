/*
 * Owns one question to the service manager, process 1: which of its dynamic users has a name. nss-systemd(8) would ask it
 * for the user, for the group and for the members of the group, which are all the same to it, and wait each time. This
 * question is sent before other sources are asked, and answered meanwhile.
 */
#ifndef DYNUSER_HELPER_PROBE_PID1_QUESTION_H
#define DYNUSER_HELPER_PROBE_PID1_QUESTION_H

#include <stdbool.h>
#include <stdint.h>

#include "varlink.h"

/* A record has about 350 bytes. */
#define PID1_REPLY_MAX 4096

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
 * Sends the question. Returns false if the manager is not there, or the name is none that a dynamic user can have: then
 * there is nothing to end.
 */
bool pid1_question_begin(struct pid1_question *question, const char *socket, const char *name);

/* Waits for the answer. The user of a dynamic user, and its group, have the number. */
enum pid1_answer pid1_question_end(struct pid1_question *question, uint32_t *number);

/* Ends the question without an answer. */
void pid1_question_drop(struct pid1_question *question);

#endif
