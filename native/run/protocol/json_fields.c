/* See json_fields.h. */
#include "json_fields.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MASK_DIGITS 16U
#define LIST_ROOM_MIN 16U

struct object {
	struct json_source *source;
	const struct json_fields *fields;
	char *place;
	/* a bit for each of JSON_ROWS_MAX rows */
	uint64_t seen;
};

static bool read_text(struct json_reader *reader, const struct json_source *source, char **text)
{
	/* The byte of reader->at, writable. Writing never overtakes reading. */
	char *place = source->text + (reader->at - source->text);

	if (json_string(reader, place, (size_t)(reader->end - reader->at)) != JSON_FIT)
		return false;
	*text = place;
	return true;
}

/* Reads a string that is one of some words; returns its index, or -1. */
static int read_word(struct json_reader *reader, const struct json_source *source, const char *words)
{
	char *text;

	if (!read_text(reader, source, &text))
		return -1;
	for (int i = 0; *words != '\0'; words += strlen(words) + 1, i++) {
		if (strcmp(words, text) == 0)
			return i;
	}
	return -1;
}

/* An array, read item by item to the place of its field. */
struct items {
	struct json_source *source;
	const struct json_field *field;
	void *place;
	/* how many items of a list the memory has room for */
	size_t room;
};

static bool read_text_item(struct json_reader *reader, void *context)
{
	const struct items *items = context;
	char *text;

	return read_text(reader, items->source, &text) && strings_add(items->place, text);
}

static bool read_flag(struct json_reader *reader, void *context)
{
	const struct items *items = context;
	int flag = read_word(reader, items->source, items->field->words);

	if (flag >= 0)
		*(unsigned int *)items->place |= 1U << flag;
	return flag >= 0;
}

static size_t *count_of_list(void *place)
{
	return (size_t *)place - 1;
}

static bool read_list_item(struct json_reader *reader, void *context)
{
	struct items *items = context;
	const struct json_list *list = items->field->list;
	size_t size = items->field->item_size, *count = count_of_list(items->place);
	char **first = items->place, *item;

	if (*count == list->most)
		return false;
	if (*count == items->room) {
		size_t room = items->room == 0 ? LIST_ROOM_MIN : items->room * 2;
		char *grown = realloc(*first, room * size);

		if (grown == NULL)
			return false;
		*first = grown;
		items->room = room;
	}
	item = *first + (*count)++ * size;
	memset(item, 0, size);
	if (list->read != NULL)
		return list->read(reader, items->source, item);
	return json_uint32(reader, (uint32_t *)(void *)item) == JSON_FIT &&
	       *(const uint32_t *)(const void *)item <= list->last;
}

static bool read_digits(struct json_reader *reader, const struct json_source *source, unsigned int base,
			uint64_t *value)
{
	static const char digits[] = "0123456789abcdef";
	char *text;

	if (!read_text(reader, source, &text) || text[0] == '\0' || (base == 16 && strlen(text) != MASK_DIGITS))
		return false;
	*value = 0;
	for (; *text != '\0'; text++) {
		const char *digit = memchr(digits, *text, base);

		if (digit == NULL || __builtin_mul_overflow(*value, base, value) ||
		    __builtin_add_overflow(*value, digit - digits, value))
			return false;
	}
	return true;
}

static bool read_enumerator(struct json_reader *reader, const struct json_source *source,
			    const struct json_field *field, void *place)
{
	int index = read_word(reader, source, field->words);
	unsigned int enumerator = (unsigned int)index + (field->optional ? 1 : 0);

	memcpy(place, &enumerator, sizeof(enumerator));
	return index >= 0;
}

static bool read_value(struct json_reader *reader, struct json_source *source, const struct json_field *field,
		       void *place)
{
	struct items items = { .source = source, .field = field, .place = place };

	switch (field->kind) {
	case FIELD_TEXT:
		return read_text(reader, source, place);
	case FIELD_TEXTS:
		return json_array(reader, read_text_item, &items);
	case FIELD_NUMBER:
		return json_uint32(reader, place) == JSON_FIT;
	case FIELD_BOOLEAN:
		return json_boolean(reader, place);
	case FIELD_DECIMAL:
		return read_digits(reader, source, 10, place);
	case FIELD_MASK:
		return read_digits(reader, source, 16, place);
	case FIELD_WORD:
		return read_enumerator(reader, source, field, place);
	case FIELD_FLAGS:
		return json_array(reader, read_flag, &items);
	case FIELD_LIST:
		return json_array(reader, read_list_item, &items) && *count_of_list(place) >= field->list->least;
	case FIELD_CUSTOM:
		return field->read(reader, source, place);
	}
	return false;
}

/* Prepends a name to the path of the field that failed. */
static bool failed_at(struct json_source *source, const char *name)
{
	char inner[sizeof(source->where)];

	memcpy(inner, source->where, sizeof(inner));
	(void)snprintf(source->where, sizeof(source->where), "%.31s%s%.60s", name, inner[0] == '\0' ? "" : ".", inner);
	return false;
}

static bool read_row(struct json_reader *reader, struct object *object, size_t row)
{
	const struct json_field *field = &object->fields->rows[row];

	if ((object->seen & UINT64_C(1) << row) != 0)
		return failed_at(object->source, field->name);
	object->seen |= UINT64_C(1) << row;
	if (field->optional && json_null(reader))
		return true;
	if (!read_value(reader, object->source, field, object->place + field->offset))
		return failed_at(object->source, field->name);
	if (field->present > 0)
		*(bool *)(object->place + field->present - 1) = true;
	return true;
}

static bool read_member(struct json_reader *reader, const char *key, void *context)
{
	struct object *object = context;

	for (size_t row = 0; row < object->fields->count; row++) {
		if (strcmp(object->fields->rows[row].name, key) == 0)
			return read_row(reader, object, row);
	}
	return object->fields->allow_unknown ? json_skip(reader) : failed_at(object->source, key);
}

bool json_fields_read(struct json_reader *reader, struct json_source *source, const struct json_fields *fields,
		      void *place)
{
	struct object object = { .source = source, .fields = fields, .place = place };

	if (!json_object(reader, read_member, &object))
		return false;
	for (size_t row = 0; row < fields->count; row++) {
		if (!fields->rows[row].optional && (object.seen & UINT64_C(1) << row) == 0)
			return failed_at(source, fields->rows[row].name);
	}
	return true;
}
