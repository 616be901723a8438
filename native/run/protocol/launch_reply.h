/* Owns the reading of the daemon's replies to io.dynuser.Allocator.Launch. */
#ifndef RUN_LAUNCH_REPLY_H
#define RUN_LAUNCH_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "plan.h"
#include "questions.h"

struct reply {
	/* the name of the varlink error, and what it says of itself; null where it is none, or does not say */
	const char *error;
	const char *field;
	const char *reason;
	/* more replies to this call follow: this one is of progress */
	bool continues;
	bool has_plan;
	struct plan plan;
	struct question questions[QUESTIONS_MAX];
	size_t question_count;
	struct strings warnings;
	struct strings explanation;
};

/*
 * Reads a message of length bytes, which is changed and must outlive the reply (all zeros before). False: it is not what the
 * interface says; *where says which member, "" where it is no JSON.
 */
bool reply_read(char *message, size_t length, struct reply *reply, char *where, size_t size);

#endif
