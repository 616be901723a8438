/* Owns what can be asked: the table of verbs, and the order in which a UID is examined. */
#ifndef DYNUSER_HELPER_VERBS_H
#define DYNUSER_HELPER_VERBS_H

#include "known_threads.h"
#include "protocol.h"

/* What is learnt once and kept between questions. */
struct context {
	struct known_threads threads;
	/* why NSS cannot be asked, or 0: what asks nothing of it is answered all the same */
	int sources_error;
};

/* Answers one question; the line is changed in the course of it. */
void answer_question(char *line, struct context *context, struct answer *answer);

#endif
