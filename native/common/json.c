/* See json.h. */
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

/* Skips white space and takes the byte if it is next. */
static bool take(struct json_reader *reader, char byte)
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

/* Where the bytes of a string go; size 0: nowhere. */
struct sink {
	char *buffer;
	size_t size;
	size_t length;
	bool fits;
};

static void put(struct sink *sink, unsigned int byte)
{
	/* One place stays free for the NUL; a NUL within the text would cut a C string short. */
	if (byte == 0 || sink->length + 1 >= sink->size) {
		sink->fits = false;
		return;
	}
	sink->buffer[sink->length++] = (char)byte;
}

/* UTF-8 of a code point that is not a surrogate (RFC 3629, section 3). */
static void put_code_point(struct sink *sink, uint32_t point)
{
	if (point < 0x80) {
		put(sink, point);
		return;
	}
	if (point < 0x800) {
		put(sink, 0xC0 | point >> 6);
	} else {
		if (point < 0x10000) {
			put(sink, 0xE0 | point >> 12);
		} else {
			put(sink, 0xF0 | point >> 18);
			put(sink, 0x80 | (point >> 12 & 0x3F));
		}
		put(sink, 0x80 | (point >> 6 & 0x3F));
	}
	put(sink, 0x80 | (point & 0x3F));
}

static bool take_hex4(struct json_reader *reader, uint32_t *value)
{
	*value = 0;
	if (reader->end - reader->at < 4)
		return false;
	for (unsigned int i = 0; i < 4; i++) {
		char byte = *reader->at++;

		if (byte >= '0' && byte <= '9')
			*value = *value << 4 | (uint32_t)(byte - '0');
		else if (byte >= 'a' && byte <= 'f')
			*value = *value << 4 | (uint32_t)(byte - 'a' + 10);
		else if (byte >= 'A' && byte <= 'F')
			*value = *value << 4 | (uint32_t)(byte - 'A' + 10);
		else
			return false;
	}
	return true;
}

/* What follows "\u": one code point, or a pair of surrogates for one (RFC 8259, section 7). */
static bool take_unicode(struct json_reader *reader, struct sink *sink)
{
	uint32_t high, low;

	if (!take_hex4(reader, &high))
		return false;
	if (high < 0xD800 || high > 0xDFFF) {
		put_code_point(sink, high);
		return true;
	}
	if (high > 0xDBFF || reader->end - reader->at < 2 || reader->at[0] != '\\' || reader->at[1] != 'u')
		return false;
	reader->at += 2;
	if (!take_hex4(reader, &low) || low < 0xDC00 || low > 0xDFFF)
		return false;
	put_code_point(sink, 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00));
	return true;
}

/* A backslash and what follows it. */
static bool take_escape(struct json_reader *reader, struct sink *sink)
{
	static const char escapes[] = "\"\\/bfnrt";
	static const char meanings[] = "\"\\/\b\f\n\r\t";

	reader->at++;
	if (reader->at == reader->end)
		return false;
	if (*reader->at == 'u') {
		reader->at++;
		return take_unicode(reader, sink);
	}
	for (unsigned int i = 0; i < sizeof(escapes) - 1; i++) {
		if (*reader->at == escapes[i]) {
			reader->at++;
			put(sink, (unsigned char)meanings[i]);
			return true;
		}
	}
	return false;
}

/*
 * The number of bytes of the sequence of UTF-8 at the start of length bytes (at least one), by the table of well-formed ones (RFC 3629,
 * section 4); 0 if there is none.
 */
static size_t utf8_sequence(const char *text, size_t length)
{
	const unsigned char *bytes = (const unsigned char *)text;
	unsigned char first = bytes[0];
	size_t size = first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;

	if (size == 1)
		return 1;
	if (first < 0xC2 || first > 0xF4 || length < size)
		return 0;
	/* The second byte has narrower bounds if the first alone would allow a longer form than needed or a surrogate. */
	if (bytes[1] < (first == 0xE0 ? 0xA0 :
			first == 0xF0 ? 0x90 :
					0x80) ||
	    bytes[1] > (first == 0xED ? 0x9F :
			first == 0xF4 ? 0x8F :
					0xBF))
		return 0;
	for (size_t i = 2; i < size; i++) {
		if (bytes[i] < 0x80 || bytes[i] > 0xBF)
			return 0;
	}
	return size;
}

bool json_is_utf8(const char *text, size_t length)
{
	while (length > 0) {
		size_t size = utf8_sequence(text, length);

		if (size == 0)
			return false;
		text += size;
		length -= size;
	}
	return true;
}

/* A sequence of UTF-8 beyond ASCII. */
static bool take_utf8(struct json_reader *reader, struct sink *sink)
{
	size_t size = utf8_sequence(reader->at, (size_t)(reader->end - reader->at));

	for (size_t i = 0; i < size; i++)
		put(sink, (unsigned char)*reader->at++);
	return size > 0;
}

enum json_fit json_string(struct json_reader *reader, char *buffer, size_t size)
{
	struct sink sink = { .buffer = buffer, .size = size, .fits = true };

	if (!take(reader, '"'))
		return JSON_BROKEN;
	while (reader->at < reader->end && *reader->at != '"') {
		unsigned char byte = (unsigned char)*reader->at;
		bool well_formed = byte >= 0x20;

		if (byte >= 0x80)
			well_formed = take_utf8(reader, &sink);
		else if (byte == '\\')
			well_formed = take_escape(reader, &sink);
		else if (well_formed)
			put(&sink, (unsigned char)*reader->at++);
		if (!well_formed)
			return JSON_BROKEN;
	}
	if (!next_is(reader, '"'))
		return JSON_BROKEN;
	reader->at++;
	if (size > 0)
		buffer[sink.fits ? sink.length : 0] = '\0';
	return sink.fits ? JSON_FIT : JSON_UNFIT;
}

/* Reads what is between the brackets of an object or array: items with commas in between. */
static bool read_list(struct json_reader *reader, char open, char close, json_item *item, void *context)
{
	if (!take(reader, open) || reader->depth == JSON_DEPTH_MAX)
		return false;
	reader->depth++;
	if (!take(reader, close)) {
		do {
			if (!item(reader, context))
				return false;
		} while (take(reader, ','));
		if (!take(reader, close))
			return false;
	}
	reader->depth--;
	return true;
}

struct members {
	json_member *read;
	void *context;
};

static bool read_member(struct json_reader *reader, void *context)
{
	const struct members *members = context;
	char key[JSON_KEY_MAX + 1];

	return json_string(reader, key, sizeof(key)) != JSON_BROKEN && take(reader, ':') &&
	       members->read(reader, key, members->context);
}

bool json_object(struct json_reader *reader, json_member *member, void *context)
{
	struct members members = { .read = member, .context = context };

	return read_list(reader, '{', '}', read_member, &members);
}

bool json_array(struct json_reader *reader, json_item *item, void *context)
{
	return read_list(reader, '[', ']', item, context);
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

	*plain = !take(reader, '-');
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
