/* Objects by tables; see json_fields.h. */
#include "json_fields.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define MASK_DIGITS 16U

struct object {
	struct reading *reading;
	const struct members *members;
	char *place;
	uint32_t seen;
};

bool members_text(struct json_reader *reader, const struct reading *reading, char **text)
{
	/* The same byte as reader->at, in memory that we may write to. What is written stays behind what is read. */
	char *place = reading->text + (reader->at - reading->start);

	if (json_string(reader, place, (size_t)(reader->end - reader->at)) != JSON_FIT)
		return false;
	*text = place;
	return true;
}

int members_word(const char *const *words, const char *text)
{
	for (int i = 0; words[i] != NULL; i++) {
		if (strcmp(words[i], text) == 0)
			return i;
	}
	return -1;
}

struct texts {
	const struct reading *reading;
	struct strings *list;
};

static bool read_item(struct json_reader *reader, void *context)
{
	const struct texts *texts = context;
	char *text;

	return members_text(reader, texts->reading, &text) && strings_add(texts->list, text);
}

static bool read_texts(struct json_reader *reader, const struct reading *reading, struct strings *list)
{
	struct texts texts = { .reading = reading, .list = list };

	return json_array(reader, read_item, &texts);
}

static bool digit_of(char byte, unsigned int base, uint64_t *digit)
{
	if (byte >= '0' && byte <= '9')
		*digit = (uint64_t)(byte - '0');
	else if (base == 16 && byte >= 'a' && byte <= 'f')
		*digit = (uint64_t)(byte - 'a' + 10);
	else
		return false;
	return true;
}

static bool read_digits(struct json_reader *reader, const struct reading *reading, unsigned int base, uint64_t *value)
{
	uint64_t digit;
	char *text;

	if (!members_text(reader, reading, &text) || text[0] == '\0' || (base == 16 && strlen(text) != MASK_DIGITS))
		return false;
	*value = 0;
	for (; *text != '\0'; text++) {
		if (!digit_of(*text, base, &digit) || __builtin_mul_overflow(*value, base, value) ||
		    __builtin_add_overflow(*value, digit, value))
			return false;
	}
	return true;
}

static bool read_word(struct json_reader *reader, const struct reading *reading, const struct member *member, void *place)
{
	char *text;
	int index = members_text(reader, reading, &text) ? members_word(member->words, text) : -1;
	unsigned int word = (unsigned int)index;

	memcpy(place, &word, sizeof(word));
	return index >= 0;
}

static bool read_value(struct json_reader *reader, struct reading *reading, const struct member *member, void *place)
{
	switch (member->kind) {
	case MEMBER_TEXT:
		return members_text(reader, reading, place);
	case MEMBER_TEXTS:
		return read_texts(reader, reading, place);
	case MEMBER_NUMBER:
		return json_uint32(reader, place) == JSON_FIT;
	case MEMBER_BOOLEAN:
		return json_boolean(reader, place);
	case MEMBER_DECIMAL:
		return read_digits(reader, reading, 10, place);
	case MEMBER_MASK:
		return read_digits(reader, reading, 16, place);
	case MEMBER_WORD:
		return read_word(reader, reading, member, place);
	case MEMBER_CUSTOM:
		return member->read(reader, reading, member, place);
	}
	return false;
}

/* Puts a name before what is known of the place where the reading broke. */
static bool broken_at(struct reading *reading, const char *name)
{
	char inner[sizeof(reading->where)];

	memcpy(inner, reading->where, sizeof(inner));
	(void)snprintf(reading->where, sizeof(reading->where), "%.31s%s%.60s", name, inner[0] == '\0' ? "" : ".", inner);
	return false;
}

static bool read_row(struct json_reader *reader, struct object *object, size_t row)
{
	const struct member *member = &object->members->rows[row];

	if ((object->seen & UINT32_C(1) << row) != 0)
		return broken_at(object->reading, member->name);
	object->seen |= UINT32_C(1) << row;
	if (member->optional && json_null(reader))
		return true;
	if (!read_value(reader, object->reading, member, object->place + member->offset))
		return broken_at(object->reading, member->name);
	if (member->seen > 0)
		*(bool *)(object->place + member->seen - 1) = true;
	return true;
}

static bool read_member(struct json_reader *reader, const char *key, void *context)
{
	struct object *object = context;

	for (size_t row = 0; row < object->members->count; row++) {
		if (strcmp(object->members->rows[row].name, key) == 0)
			return read_row(reader, object, row);
	}
	return object->members->open ? json_skip(reader) : broken_at(object->reading, key);
}

bool members_read(struct json_reader *reader, struct reading *reading, const struct members *members, void *place)
{
	struct object object = { .reading = reading, .members = members, .place = place };

	if (!json_object(reader, read_member, &object))
		return false;
	for (size_t row = 0; row < members->count; row++) {
		if (!members->rows[row].optional && (object.seen & UINT32_C(1) << row) == 0)
			return broken_at(reading, members->rows[row].name);
	}
	return true;
}
