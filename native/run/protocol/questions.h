/*
 * Owns the answers to the daemon's questions: what of files, drop-in directories and patterns there is in the launcher's own
 * world. All of it is bounded, and nothing that is no regular file is waited for.
 */
#ifndef RUN_QUESTIONS_H
#define RUN_QUESTIONS_H

#include <stddef.h>

#include "json_write.h"
#include "plan.h"

/* The bounds on what is read for one launch. */
#define FILE_BYTES_MAX 1048576U
#define ALL_BYTES_MAX 4194304U
#define NAMES_MAX 1000U
/* What all patterns of a launch may look at, in names. */
#define ENTRIES_MAX 100000U
#define QUESTIONS_MAX 1000U

enum question_kind { QUESTION_FILE, QUESTION_DIRECTORY, QUESTION_GLOB };

struct question {
	const char *path;
	enum question_kind kind;
};

/* What was answered so far: objects of LaunchAnswer with commas between them, and how much went into them. */
struct answers {
	struct json_writer text;
	size_t bytes;
	size_t names;
	size_t entries;
};

/* Adds the answer to one question. Ends the launcher where it cannot be given: unreadable, or past a bound. */
void answer_question(struct answers *answers, const struct question *question);

#endif
