/*
 * Answers the daemon's questions about files, drop-in directories and patterns below the launcher's own root. All of it is bounded,
 * and only regular files are read.
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
/* Names that all patterns of a launch may be compared with. */
#define ENTRIES_MAX 100000U
#define QUESTIONS_MAX 1000U

enum question_kind { LAUNCH_QUESTION_KIND_ENUM(QUESTION_) };

struct question {
	const char *path;
	enum question_kind kind;
};

/* The answers so far, objects of LaunchAnswer with commas in between, and what they count. */
struct answers {
	struct json_writer text;
	size_t bytes;
	size_t names;
	size_t entries;
};

/* Adds the answer to one question. Ends the launcher if it is unreadable or exceeds a bound. */
void answer_question(struct answers *answers, const struct question *question);

#endif
