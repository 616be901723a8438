/* Owns what can be asked: the table of questions, and how the questions of one line are answered. */
#ifndef DYNUSER_HELPER_QUESTIONS_H
#define DYNUSER_HELPER_QUESTIONS_H

#include "known_threads.h"
#include "protocol.h"
#include "role.h"
#include "sysv_ipc.h"

/* What is learnt once and kept between lines. */
struct context {
	struct known_threads threads;
	struct uid_range dynamic;
	/* why NSS cannot be asked, or 0: what asks nothing of it is answered all the same */
	int sources_error;
};

/*
 * Answers the questions of one line, in their order, until one finds something or fails: the rest is not asked then. Answers
 * only what the role may be asked. Changes the line. The answer is clear to begin with.
 */
void answer_line(char *line, enum role role, struct context *context, struct answer *answer);

#endif
