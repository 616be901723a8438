/* Owns what can be asked: the table of verbs, and the order in which a UID is examined. */
#ifndef DYNUSER_HELPER_VERBS_H
#define DYNUSER_HELPER_VERBS_H

#include "known_threads.h"
#include "protocol.h"
#include "role.h"
#include "sysv_ipc.h"

/* What is learnt once and kept between questions. */
struct context {
	struct known_threads threads;
	struct uid_range dynamic;
	/* why NSS cannot be asked, or 0: what asks nothing of it is answered all the same */
	int sources_error;
};

/* Answers one question of those that the role has; the line is changed in the course of it. */
void answer_question(char *line, enum role role, struct context *context, struct answer *answer);

#endif
