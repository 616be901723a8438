/* Objects, arrays, numbers and literals of the strict JSON reader; see json.h. */
#include "json.h"

#include <string.h>

struct json_reader json_read(const char *text, size_t length)
{
	return (struct json_reader){ .at = text, .end = text + length };
}

static void skip_space(struct json_reader *reader)
{
	while (reader->at < reader->end &&
	       (*reader->at == ' ' || *reader->at == '\t' || *reader->at == '\n' || *reader->at == '\r'))
		reader->at++;
}

static bool next_is(const struct json_reader *reader, char byte)
{
	return reader->at < reader->end && *reader->at == byte;
}

bool json_take(struct json_reader *reader, char byte)
{
	skip_space(reader);
	if (!next_is(reader, byte))
		return false;
	reader->at++;
	return true;
}

bool json_at_end(struct json_reader *reader)
{
	skip_space(reader);
	return reader->at == reader->end;
}

static bool read_member(struct json_reader *reader, json_member *member, void *context)
{
	char key[JSON_KEY_MAX + 1];

	return json_string(reader, key, sizeof(key)) != JSON_BROKEN && json_take(reader, ':') &&
	       member(reader, key, context);
}

bool json_object(struct json_reader *reader, json_member *member, void *context)
{
	if (!json_take(reader, '{') || reader->depth == JSON_DEPTH_MAX)
		return false;
	reader->depth++;
	if (!json_take(reader, '}')) {
		do {
			if (!read_member(reader, member, context))
				return false;
		} while (json_take(reader, ','));
		if (!json_take(reader, '}'))
			return false;
	}
	reader->depth--;
	return true;
}

bool json_array(struct json_reader *reader, json_item *item, void *context)
{
	if (!json_take(reader, '[') || reader->depth == JSON_DEPTH_MAX)
		return false;
	reader->depth++;
	if (!json_take(reader, ']')) {
		do {
			if (!item(reader, context))
				return false;
		} while (json_take(reader, ','));
		if (!json_take(reader, ']'))
			return false;
	}
	reader->depth--;
	return true;
}

/* Takes one digit or more. */
static bool take_digits(struct json_reader *reader)
{
	const char *first = reader->at;

	while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9')
		reader->at++;
	return reader->at > first;
}

/* RFC 8259, section 6: [ minus ] int [ frac ] [ exp ]. *plain: an int alone. */
static bool take_number(struct json_reader *reader, bool *plain)
{
	const char *first;

	*plain = !json_take(reader, '-');
	first = reader->at;
	if (!take_digits(reader) || (*first == '0' && reader->at - first > 1))
		return false;
	if (next_is(reader, '.')) {
		*plain = false;
		reader->at++;
		if (!take_digits(reader))
			return false;
	}
	if (next_is(reader, 'e') || next_is(reader, 'E')) {
		*plain = false;
		reader->at++;
		if (next_is(reader, '+') || next_is(reader, '-'))
			reader->at++;
		return take_digits(reader);
	}
	return true;
}

enum json_fit json_uint32(struct json_reader *reader, uint32_t *value)
{
	const char *first;
	uint64_t number = 0;
	bool plain;

	skip_space(reader);
	first = reader->at;
	if (!take_number(reader, &plain))
		return JSON_BROKEN;
	if (!plain)
		return JSON_UNFIT;
	for (; first < reader->at; first++) {
		number = number * 10 + (uint64_t)(*first - '0');
		if (number > UINT32_MAX)
			return JSON_UNFIT;
	}
	*value = (uint32_t)number;
	return JSON_FIT;
}

static bool take_literal(struct json_reader *reader, const char *literal)
{
	size_t length = strlen(literal);

	skip_space(reader);
	if ((size_t)(reader->end - reader->at) < length || memcmp(reader->at, literal, length) != 0)
		return false;
	reader->at += length;
	return true;
}

bool json_boolean(struct json_reader *reader, bool *value)
{
	*value = take_literal(reader, "true");
	return *value || take_literal(reader, "false");
}

bool json_null(struct json_reader *reader)
{
	return take_literal(reader, "null");
}

static bool skip_item(struct json_reader *reader, void *context)
{
	(void)context;
	return json_skip(reader);
}

static bool skip_member(struct json_reader *reader, const char *key, void *context)
{
	(void)key;
	(void)context;
	return json_skip(reader);
}

bool json_skip(struct json_reader *reader)
{
	bool plain;

	skip_space(reader);
	if (reader->at == reader->end)
		return false;
	switch (*reader->at) {
	case '{':
		return json_object(reader, skip_member, NULL);
	case '[':
		return json_array(reader, skip_item, NULL);
	case '"':
		return json_string(reader, NULL, 0) != JSON_BROKEN;
	case 't':
		return take_literal(reader, "true");
	case 'f':
		return take_literal(reader, "false");
	case 'n':
		return take_literal(reader, "null");
	default:
		return take_number(reader, &plain);
	}
}
