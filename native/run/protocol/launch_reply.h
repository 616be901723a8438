/* Reads the daemon's replies to io.dynuser.Allocator.Launch. */
#ifndef RUN_LAUNCH_REPLY_H
#define RUN_LAUNCH_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "plan.h"
#include "questions.h"

struct reply {
	/* the name of the varlink error and its parameters; null if it is none, or has none */
	const char *error;
	const char *field;
	const char *reason;
	/* this reply reports progress, and more follow */
	bool continues;
	bool has_plan;
	struct plan plan;
	struct question questions[QUESTIONS_MAX];
	size_t question_count;
	struct strings warnings;
	struct strings explanation;
};

/*
 * Reads a message of length bytes, which is changed and must outlive the reply (all zeros before). False: it does not match the
 * interface; *where is the path of the field, "" if it is not JSON.
 */
bool reply_read(char *message, size_t length, struct reply *reply, char *where, size_t size);

#endif
