/*
 * Reads JSON objects by tables: one row for each field, with its place in a C structure. A field that is missing, of another type,
 * repeated, or (unless the table allows it) unknown is an error: a restriction that was not understood must not be left out. Texts
 * are unescaped in place, since they never become longer.
 */
#ifndef RUN_JSON_FIELDS_H
#define RUN_JSON_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

#include "json.h"
#include "string_list.h"

/* The message that is read, and after a failure the path of the field that failed: "plan.mountOps.mode". */
struct json_source {
	/* the first byte of the message; the reader has it as const */
	char *text;
	char where[96];
};

/* Reads one value to its place; for FIELD_CUSTOM, and the items of a FIELD_LIST, which are all zeros before. */
typedef bool json_field_reader(struct json_reader *reader, struct json_source *source, void *place);

enum json_field_kind {
	FIELD_TEXT,    /* const char * */
	FIELD_TEXTS,   /* struct strings */
	FIELD_NUMBER,  /* uint32_t */
	FIELD_BOOLEAN, /* bool */
	FIELD_DECIMAL, /* uint64_t, of a string of decimal digits */
	FIELD_MASK,    /* uint64_t, of a string of 16 hexadecimal digits */
	FIELD_WORD, /* an enumeration (unsigned int), of a string that is one of words; if it is optional, 0 is its absence */
	FIELD_FLAGS,  /* unsigned int with the bits 1 << index, of an array of words */
	FIELD_LIST,   /* a pointer to allocated items, as list says */
	FIELD_CUSTOM, /* whatever read makes of it */
};

/* The items of an array, and how many there may be. Their count is the size_t right before the pointer to them. */
struct json_list {
	size_t least, most;
	/* null: numbers (uint32_t), the largest of which is: */
	json_field_reader *read;
	uint32_t last;
};

struct json_field {
	const char *name;
	enum json_field_kind kind;
	/* whether it may be missing, or null */
	bool optional;
	size_t offset;
	/* the offset of a bool that says whether the field is present, plus one; 0: there is none */
	size_t present;
	/* each ended by a NUL, and an empty one at the end */
	const char *words;
	const struct json_list *list;
	size_t item_size;
	json_field_reader *read;
};

struct json_fields {
	const struct json_field *rows;
	size_t count;
	/* whether unknown fields are skipped */
	bool allow_unknown;
};

/* Rows of a table like the generated ones (launch_tables.h): name, field of the structure, type. The function has the structure. */
#define FIELD_ROW(text, field, ...) { .name = (text), .offset = offsetof(object, field), __VA_ARGS__ },
#define FIELD_OPTIONAL_ROW(text, field, ...) FIELD_ROW(text, field, .optional = true, __VA_ARGS__)
#define FIELD_MARKED_ROW(text, field, ...) \
	FIELD_OPTIONAL_ROW(text, field, .present = offsetof(object, has_##field) + 1, __VA_ARGS__)
/* Their types. The file that includes the table has the readers of objects, and the lists. */
#define NUMBER .kind = FIELD_NUMBER
#define TEXT .kind = FIELD_TEXT
#define TEXTS .kind = FIELD_TEXTS
#define BOOLEAN .kind = FIELD_BOOLEAN
#define DECIMAL .kind = FIELD_DECIMAL
#define MASK .kind = FIELD_MASK
#define WORD(enumeration) .kind = FIELD_WORD, .words = enumeration##_words
#define FLAGS(enumeration) .kind = FIELD_FLAGS, .words = enumeration##_words
#define OBJECT(structure) .kind = FIELD_CUSTOM, .read = read_##structure
#define LIST(field, item) .kind = FIELD_LIST, .list = &field##_list, .item_size = sizeof(item)

/* A bit for each is kept of those that were read. */
#define JSON_ROWS_MAX 64U
#define ONE_ROW(...) +1U

/* Defines a json_field_reader of that name, which reads all fields of a structure by their table. */
#define JSON_READER(reader_name, structure, TABLE, skips_unknown) \
	bool reader_name(struct json_reader *reader, struct json_source *source, void *place) \
	{ \
		typedef struct structure object; \
		static const struct json_field rows[] = { TABLE(FIELD_ROW, FIELD_OPTIONAL_ROW, FIELD_MARKED_ROW) }; \
		static const struct json_fields fields = { rows, sizeof(rows) / sizeof(rows[0]), skips_unknown }; \
\
		return json_fields_read(reader, source, &fields, place); \
	} \
	_Static_assert(0U TABLE(ONE_ROW, ONE_ROW, ONE_ROW) <= JSON_ROWS_MAX, #TABLE " has more rows than bits")

/* Reads an object into the structure at place. False: an error; source->where says where. */
bool json_fields_read(struct json_reader *reader, struct json_source *source, const struct json_fields *fields,
		      void *place);

#endif
