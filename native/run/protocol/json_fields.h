/*
 * Owns the reading of JSON objects by tables: one row a member, with the place in a C structure that it is for. What is missing,
 * of another type, twice there or (where the table says so) unknown breaks the reading: a restriction that was not
 * understood must not be one that is left out. Texts are unescaped where they stand, since they never become longer, so
 * nothing is copied.
 */
#ifndef RUN_MEMBERS_H
#define RUN_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>

#include "json.h"
#include "string_list.h"

/* The message that is read, and after a failure the path to the member that broke it: "plan.steps.mode". */
struct reading {
	/* the first byte of the message, in memory that may be written to, and the reader's view of the same byte */
	char *text;
	const char *start;
	char where[96];
};

struct member;

/* Reads one value to its place; for what the kinds below do not have. */
typedef bool member_read(struct json_reader *reader, struct reading *reading, const struct member *member, void *place);

enum member_kind {
	MEMBER_TEXT,	/* const char * */
	MEMBER_TEXTS,	/* struct strings */
	MEMBER_NUMBER,	/* uint32_t */
	MEMBER_BOOLEAN, /* bool */
	MEMBER_DECIMAL, /* uint64_t, of a string of decimal digits */
	MEMBER_MASK,	/* uint64_t, of a string of 16 hexadecimal digits */
	MEMBER_WORD,	/* an enumeration (unsigned int), of a string that is one of words */
	MEMBER_CUSTOM,	/* what read makes of it */
};

struct member {
	const char *name;
	enum member_kind kind;
	/* whether it may be missing, or null */
	bool optional;
	size_t offset;
	/* where a bool that says whether it was there is, plus one; 0: nowhere */
	size_t seen;
	const char *const *words;
	member_read *read;
};

struct members {
	const struct member *rows;
	size_t count;
	/* unknown members are skipped */
	bool open;
};

/* At most that many rows a table. */
#define MEMBERS_MAX 32U

/* Reads an object into the structure at place. False: broken; reading->where says where. */
bool members_read(struct json_reader *reader, struct reading *reading, const struct members *members, void *place);

/* Reads a string where it stands. */
bool members_text(struct json_reader *reader, const struct reading *reading, char **text);

/* The index of text among words, which end with a null pointer; -1: it is none. */
int members_word(const char *const *words, const char *text);

#endif
