/*
 * A writer of JSON text into memory that grows up to a bound. It knows no schema. After a failure nothing is
 * written any more, and error says what it was.
 */
#ifndef DYNUSER_JSON_WRITE_H
#define DYNUSER_JSON_WRITE_H

#include <stddef.h>

struct json_writer {
	char *text;
	size_t length;
	size_t room;
	/* the most bytes that the text may have */
	size_t bound;
	/* 0, EMSGSIZE: longer than the bound, ENOMEM, or EILSEQ: a string is not UTF-8 */
	int error;
};

/* A writer of at most bound bytes; nothing is allocated yet. Its memory is freed by json_write_end(). */
struct json_writer json_write_begin(size_t bound);
void json_write_end(struct json_writer *writer);

/* Writes text as it is. */
void json_write_raw(struct json_writer *writer, const char *text);

/* Writes length bytes as they are. */
void json_write_bytes(struct json_writer *writer, const char *bytes, size_t length);

/* Writes length bytes of UTF-8 as a string, with quotes and escapes. */
void json_write_text(struct json_writer *writer, const char *text, size_t length);

/* Writes a C string of UTF-8 as a string. */
void json_write_string(struct json_writer *writer, const char *text);

/* Writes a comma, and the name of a member of an object. */
void json_write_name(struct json_writer *writer, const char *name);

/* Writes a comma, and a member that is a string; nothing if that is null. */
void json_write_member(struct json_writer *writer, const char *name, const char *text);

#endif
