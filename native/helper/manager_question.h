/*
 * Owns one question to the service manager, process 1: which of its dynamic users has a name. nss-systemd(8) would ask it
 * for the user, for the group and for the members of the group, which are all the same to it, and wait each time. This
 * question is sent before other sources are asked, and answered meanwhile.
 */
#ifndef DYNUSER_HELPER_MANAGER_QUESTION_H
#define DYNUSER_HELPER_MANAGER_QUESTION_H

#include <stdbool.h>
#include <stdint.h>

#include "varlink.h"

/* A record has about 350 bytes. */
#define MANAGER_REPLY_MAX 4096

struct manager_question {
	struct varlink connection;
	char reply[MANAGER_REPLY_MAX];
};

enum manager_answer {
	MANAGER_HAS_USER,
	MANAGER_HAS_NONE,
	MANAGER_UNCLEAR, /* it is away, has closed the connection, or says what nobody understands */
};

/*
 * Sends the question. Returns false where the manager is not there, or the name is none that a dynamic user can have: then
 * there is nothing to end.
 */
bool manager_question_begin(struct manager_question *question, const char *socket, const char *name);

/* Waits for the answer. The user of a dynamic user, and its group, have the number. */
enum manager_answer manager_question_end(struct manager_question *question, uint32_t *number);

/* Ends the question without an answer. */
void manager_question_drop(struct manager_question *question);

#endif
