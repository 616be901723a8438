/* The strict JSON reader: what it takes, what it refuses, and that it reads not one byte too many. No arguments. */
#include "json.h"

#include <string.h>

#include "check.h"

/* RFC 8259, and what it leaves to a reader: bounded depth. */
static const char *const good[] = {
	"{}",
	"[]",
	"null",
	"true",
	"false",
	"0",
	"-0",
	"1",
	"-1.5e+10",
	"0.0",
	"1E3",
	"\"\"",
	" [ ] ",
	"\t{\n}\r",
	"[1,[2,{\"a\":[]}],\"b\"]",
	"{\"a\":1,\"a\":2}",
	"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
	"\"\\u0000\\uFFFF\\uabcd\"",
	"\"\\ud83d\\ude00\"",
	"\"\177\"",
	"\"\302\200\337\277\"",
	"\"\340\240\200\355\237\277\356\200\200\357\277\277\"",
	"\"\360\220\200\200\364\217\277\277\"",
	"[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]",
	"123456789012345678901234567890",
};

static const char *const bad[] = {
	"",
	" ",
	"{",
	"}",
	"[",
	"]",
	"[1,]",
	"[,1]",
	"[1 2]",
	"[1}",
	"{]",
	"{,}",
	"{\"a\"}",
	"{\"a\":}",
	"{\"a\":1,}",
	"{\"a\" 1}",
	"{a:1}",
	"{1:2}",
	"{\"a\":1 \"b\":2}",
	"nul",
	"nulll",
	"True",
	"tru",
	"fals",
	"01",
	"-",
	"-01",
	"+1",
	".5",
	"1.",
	"1.e1",
	"1e",
	"1e+",
	"0x1",
	"1 1",
	"NaN",
	"Infinity",
	"\"",
	"\"a",
	"\"\\",
	"\"\\\"",
	"\"\\x\"",
	"\"\\u\"",
	"\"\\u12\"",
	"\"\\u123g\"",
	"\"\\ud800\"",
	"\"\\udc00\"",
	"\"\\ud800\\u0041\"",
	"\"\\ud800\\ud800\"",
	"\"\\ud800x\"",
	"\"\n\"",
	"\"\001\"",
	"\"\037\"",
	"\"\200\"",
	"\"\300\200\"",
	"\"\301\277\"",
	"\"\302\"",
	"\"\302 \"",
	"\"\340\200\200\"",
	"\"\340\237\277\"",
	"\"\355\240\200\"",
	"\"\355\277\277\"",
	"\"\360\200\200\200\"",
	"\"\360\217\277\277\"",
	"\"\364\220\200\200\"",
	"\"\365\200\200\200\"",
	"\"\377\"",
	"\"\360\220\200\"",
	"\357\273\277{}",
	"'a'",
	"{}{}",
	"{}\\",
	"/**/{}",
	"[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]",
};

/* A copy that ends where the text ends, so that the sanitizer sees a read beyond it. */
static bool is_json(const char *text)
{
	size_t length = strlen(text);
	char *copy = malloc(length + (length == 0));
	struct json_reader reader;
	bool answer;

	CHECK(copy != NULL, "no memory");
	memcpy(copy, text, length);
	reader = json_read(copy, length);
	answer = json_skip(&reader) && json_at_end(&reader);
	free(copy);
	return answer;
}

static void test_grammar(void)
{
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		CHECK(is_json(good[i]), "%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(!is_json(bad[i]), "%s", bad[i]);
}

static void expect_string(const char *text, size_t size, enum json_fit fit, const char *expected)
{
	struct json_reader reader = json_read(text, strlen(text));
	char buffer[32] = "untouched";
	enum json_fit got = json_string(&reader, buffer, size);

	CHECK(got == fit, "%s: %d", text, got);
	CHECK(fit == JSON_BROKEN || strcmp(buffer, expected) == 0, "%s: %s", text, buffer);
}

/* Objects count for the depth as arrays do, and each that is closed makes room. */
static void test_depth(void)
{
	char text[8 * (JSON_DEPTH_MAX + 1)];

	for (size_t depth = JSON_DEPTH_MAX; depth <= JSON_DEPTH_MAX + 1; depth++) {
		size_t length = 0;

		for (size_t i = 1; i < depth; i++)
			length += (size_t)sprintf(text + length, "{\"\":");
		length += (size_t)sprintf(text + length, "{}");
		for (size_t i = 1; i < depth; i++)
			length += (size_t)sprintf(text + length, "}");
		CHECK(is_json(text) == (depth == JSON_DEPTH_MAX), "%zu: %s", depth, text);
	}
	CHECK(is_json("[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]]"), "siblings");
	CHECK(is_json("[{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}]"), "siblings");
}

static void test_strings(void)
{
	expect_string("\"abc\"", 4, JSON_FIT, "abc");
	expect_string("\"abc\"", 3, JSON_UNFIT, "");
	expect_string("\"\"", 1, JSON_FIT, "");
	expect_string("\"a\\u0000b\"", 32, JSON_UNFIT, "");
	expect_string("\"\\u0041\\u00e4\\u20AC\\ud83d\\ude00\"", 32, JSON_FIT, "A\303\244\342\202\254\360\237\230\200");
	expect_string("\"\\ud83d\\ude00\"", 4, JSON_UNFIT, "");
	expect_string("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", 32, JSON_FIT, "\"\\/\b\f\n\r\t");
	expect_string("1", 32, JSON_BROKEN, "");
}

static void expect_number(const char *text, enum json_fit fit, uint32_t expected)
{
	struct json_reader reader = json_read(text, strlen(text));
	uint32_t value = 7;
	enum json_fit got = json_uint32(&reader, &value);

	CHECK(got == fit, "%s: %d", text, got);
	CHECK(value == (fit == JSON_FIT ? expected : 7), "%s: %u", text, value);
}

static void test_numbers(void)
{
	expect_number("0", JSON_FIT, 0);
	expect_number(" 61184", JSON_FIT, 61184);
	expect_number("4294967295", JSON_FIT, 4294967295U);
	expect_number("4294967296", JSON_UNFIT, 0);
	expect_number("18446744073709612800", JSON_UNFIT, 0);
	expect_number("99999999999999999999999999999999999999999999", JSON_UNFIT, 0);
	expect_number("-1", JSON_UNFIT, 0);
	expect_number("-0", JSON_UNFIT, 0);
	expect_number("1.0", JSON_UNFIT, 0);
	expect_number("1e3", JSON_UNFIT, 0);
	expect_number("\"1\"", JSON_BROKEN, 0);
	expect_number("01", JSON_BROKEN, 0);
	expect_number("-", JSON_BROKEN, 0);
	expect_number("", JSON_BROKEN, 0);
}

/* Counts the members, and holds that a key too long to be known is not a prefix of itself. */
static bool count_member(struct json_reader *reader, const char *key, void *context)
{
	unsigned int *counts = context;

	if (strcmp(key, "abcdefghijabcdefghijabcdefghija") == 0)
		counts[0]++;
	else if (key[0] == '\0')
		counts[1]++;
	return json_skip(reader);
}

static void test_keys(void)
{
	static const char text[] = "{\"abcdefghijabcdefghijabcdefghija\":1,\"abcdefghijabcdefghijabcdefghijab\":2,"
				   "\"a\\u0000\":3,\"\\u0061bcdefghijabcdefghijabcdefghija\":[4]}";
	struct json_reader reader = json_read(text, strlen(text));
	unsigned int counts[2] = { 0, 0 };

	CHECK(json_object(&reader, count_member, counts) && json_at_end(&reader), "%s", text);
	CHECK(counts[0] == 2 && counts[1] == 2, "%u, %u", counts[0], counts[1]);
}

int main(void)
{
	test_grammar();
	test_depth();
	test_strings();
	test_numbers();
	test_keys();
	return 0;
}
