/*
 * Answers the daemon's questions about files, drop-in directories, patterns and paths below the launcher's own root. All of it is bounded,
 * and only regular files are read.
 */
#ifndef RUN_QUESTIONS_H
#define RUN_QUESTIONS_H

#include <stddef.h>

#include "json_write.h"
#include "plan.h"
#include "string_list.h"

/* The bounds on what is read for one launch. */
#define FILE_BYTES_MAX 1048576U
#define ALL_BYTES_MAX 4194304U
#define NAMES_MAX 1000U
/* Names that all patterns of a launch may be compared with. */
#define ENTRIES_MAX 100000U
#define QUESTIONS_MAX 1000U

enum launch_question_kind { LAUNCH_QUESTION_KIND_ENUM(QUESTION_) };

struct question {
	LAUNCH_QUESTION_FIELDS(MEMBER, MEMBER, MARKED_MEMBER)
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

/*
 * Adds the answers to what is asked most often, before it is asked: a round costs more than all of them. program: that of the command line;
 * null: it is missing. properties: those of the command line, which may name images.
 */
void answer_usual_questions(struct answers *answers, const char *program, const struct strings *properties);

#endif
