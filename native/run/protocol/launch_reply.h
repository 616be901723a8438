/* Reads the daemon's replies to io.dynuser.Allocator.Launch. */
#ifndef RUN_LAUNCH_REPLY_H
#define RUN_LAUNCH_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan.h"
#include "questions.h"

/* Of the handover of a large directory. */
struct progress {
	const char *path;
	uint32_t inodes;
	uint32_t changed;
};

struct reply {
	/* the name of the varlink error and its parameters; null for a plan, and for what the error lacks */
	const char *error;
	const char *field;
	const char *reason;
	const char *parameter;
	/* this reply reports progress, or has an image, and more follow */
	bool continues;
	bool has_progress;
	struct progress progress;
	bool has_image;
	struct image image;
	bool has_plan;
	struct plan plan;
	size_t question_count;
	struct question *questions;
	/* why nothing is started, or null */
	const char *skipped;
	struct strings warnings;
	struct strings explanation;
};

/*
 * Reads a message of length bytes, which is changed and must outlive the reply (all zeros before). False: it does not match the
 * interface; *where is the path of the field, "" if it is not JSON.
 */
bool reply_read(char *message, size_t length, struct reply *reply, char *where, size_t size);

#endif
