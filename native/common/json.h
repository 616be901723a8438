/*
 * A strict reader of JSON text (RFC 8259) in memory: no allocation, bounded depth, never a byte past the end. It knows no schema: the
 * caller gives a function for the members of an object.
 */
#ifndef DYNUSER_JSON_H
#define DYNUSER_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How many objects and arrays may be open at once; a user record has three. It bounds the stack that a reader needs. */
#define JSON_DEPTH_MAX 16U
/* The longest key that is told apart, in bytes. */
#define JSON_KEY_MAX 31U

struct json_reader {
	const char *at;
	const char *end;
	unsigned int depth;
};

/* What became of a value that was read into a C one. */
enum json_fit {
	JSON_BROKEN, /* not JSON, or of another type */
	JSON_UNFIT,  /* JSON of this type, but the C value cannot hold it */
	JSON_FIT,
};

/*
 * Called for each member of an object, with the key unescaped (as "" if it is longer than JSON_KEY_MAX or holds a NUL: no schema has
 * such keys). Must read or skip the value; false ends the reading as broken.
 */
typedef bool json_member(struct json_reader *reader, const char *key, void *context);

/* Called for each item of an array. Must read or skip it; false ends the reading as broken. */
typedef bool json_item(struct json_reader *reader, void *context);

/* A reader of length bytes at text, which must outlive it. */
struct json_reader json_read(const char *text, size_t length);

/* Reads an object. False: it is something else, is not JSON, nests too deeply, or the function said so. */
bool json_object(struct json_reader *reader, json_member *member, void *context);

/* Reads an array. False: it is something else, is not JSON, nests too deeply, or the function said so. */
bool json_array(struct json_reader *reader, json_item *item, void *context);

/* Reads a string into buffer (size bytes), NUL-terminated. Unfit, with buffer empty: too long, or it holds a NUL. */
enum json_fit json_string(struct json_reader *reader, char *buffer, size_t size);

/* Reads a number. Unfit, with *value untouched: not a plain integer (as 1.0 and 1e3) of 0 to 2^32-1. */
enum json_fit json_uint32(struct json_reader *reader, uint32_t *value);

/* Reads true or false. */
bool json_boolean(struct json_reader *reader, bool *value);

/* Takes null if it is next. */
bool json_null(struct json_reader *reader);

/* Reads any value, checks it, and forgets it. */
bool json_skip(struct json_reader *reader);

/* Whether length bytes are well-formed UTF-8, as JSON text must be (section 8.1): shortest forms, no surrogates, nothing past U+10FFFF. */
bool json_is_utf8(const char *text, size_t length);

/* Whether nothing but white space is left. */
bool json_at_end(struct json_reader *reader);

#endif
