/*
 * The JSON reader that the NSS module, the launcher and the helper share. Three ways through one text have to agree: skipping it, reading
 * every value of it, and reading it with buffers that are too small.
 */
#include "target.h"

#include <string.h>

#include "check.h"
#include "json.h"

#define SMALL 4U
#define LARGE 4096U

struct sums {
	size_t values;
	size_t depth, deepest;
	size_t buffer;
};

static bool read_value(struct json_reader *reader, struct sums *sums);

static bool read_member(struct json_reader *reader, const char *key, void *context)
{
	CHECK(memchr(key, '\0', JSON_KEY_MAX + 1U) != NULL, "a key without an end");
	return read_value(reader, context);
}

static bool read_item(struct json_reader *reader, void *context)
{
	return read_value(reader, context);
}

static bool read_nested(struct json_reader *reader, struct sums *sums, char first)
{
	sums->depth++;
	CHECK(sums->depth <= JSON_DEPTH_MAX, "%zu objects and arrays are open", sums->depth);
	bool whole = first == '{' ? json_object(reader, read_member, sums) : json_array(reader, read_item, sums);

	sums->depth--;
	return whole;
}

static bool read_string(struct json_reader *reader, struct sums *sums)
{
	char buffer[LARGE];
	enum json_fit fit = json_string(reader, buffer, sums->buffer);

	if (fit == JSON_FIT)
		CHECK(strlen(buffer) < sums->buffer, "%zu bytes in %zu", strlen(buffer), sums->buffer);
	if (fit == JSON_UNFIT)
		CHECK(buffer[0] == '\0', "what does not fit leaves \"%s\"", buffer);
	return fit != JSON_BROKEN;
}

/* Reads a value of any sort by the function of its sort, but for the numbers that are not plain integers. */
static bool read_value(struct json_reader *reader, struct sums *sums)
{
	struct json_reader before;
	uint32_t number = 0;
	bool truth = false;

	while (reader->at < reader->end && strchr(" \t\r\n", *reader->at) != NULL && *reader->at != '\0')
		reader->at++;
	sums->values++;
	before = *reader;
	if (before.at == before.end)
		return json_skip(reader);
	switch (*before.at) {
	case '{':
	case '[':
		/* One that is too deep is for the reader to refuse. */
		if (sums->depth == JSON_DEPTH_MAX)
			return json_skip(reader);
		return read_nested(reader, sums, *before.at);
	case '"':
		return read_string(reader, sums);
	case 't':
	case 'f':
		return json_boolean(reader, &truth);
	case 'n':
		return json_null(reader);
	default:
		return json_uint32(reader, &number) != JSON_BROKEN;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct json_reader skipping = json_read(text, size);
	bool skipped = json_skip(&skipping);

	CHECK(skipping.at >= text && skipping.at <= text + size, "the reader left the text");
	for (size_t buffer = SMALL; buffer <= LARGE; buffer = buffer == SMALL ? LARGE : LARGE + 1U) {
		struct json_reader reading = json_read(text, size);
		struct sums sums = { .buffer = buffer };
		bool whole = read_value(&reading, &sums);

		CHECK(whole == skipped, "reading says %d, skipping says %d", whole, skipped);
		CHECK(!whole || reading.at == skipping.at, "they end at %zd and %zd", reading.at - text,
		      skipping.at - text);
		CHECK(sums.values <= size + 1, "%zu values in %zu bytes", sums.values, size);
	}
	if (skipped && json_at_end(&skipping) && size > 0) {
		/* A text that was cut short is another one, but for the digits of a number and the space behind a value. */
		struct json_reader cut = json_read(text, (size_t)(skipping.at - text));

		CHECK(json_skip(&cut) && json_at_end(&cut), "the value alone is refused");
	}
	return 0;
}
