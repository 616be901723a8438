/* The writer of JSON: escapes, UTF-8, and its bound. No arguments. */
#include "json_write.h"

#include <errno.h>
#include <string.h>

#include "check.h"
#include "json.h"

static void expect(const char *text, size_t length, const char *expected)
{
	struct json_writer writer = json_write_begin(1024);

	json_write_text(&writer, text, length);
	json_write_bytes(&writer, "", 1);
	CHECK(writer.error == 0 && strcmp(writer.text, expected) == 0, "%s: %s", expected, writer.text);
	json_write_end(&writer);
}

static void test_escapes(void)
{
	expect("", 0, "\"\"");
	expect("plain", 5, "\"plain\"");
	expect("a\"b\\c/", 6, "\"a\\\"b\\\\c/\"");
	expect("\n\t\0\x1f", 4, "\"\\u000a\\u0009\\u0000\\u001f\"");
	expect("caf\303\251 \360\237\230\200", 10, "\"caf\303\251 \360\237\230\200\"");
}

/* Every byte that may stand there comes back as it was. */
static void test_round_trip(void)
{
	struct json_writer writer = json_write_begin(4096);
	char all[127], back[128];
	struct json_reader reader;

	for (char byte = 1; byte < 127; byte++)
		all[byte - 1] = byte;
	json_write_text(&writer, all, 126);
	reader = json_read(writer.text, writer.length);
	CHECK(json_string(&reader, back, sizeof(back)) == JSON_FIT && memcmp(back, all, 126) == 0, "%s", back);
	json_write_end(&writer);
}

static void test_utf8(void)
{
	static const char *const bad[] = {
		"\200",
		"\300\200",
		"\301\277",
		"\302",
		"\302 ",
		"\340\237\277",
		"\355\240\200",
		"\360\217\277\277",
		"\364\220\200\200",
		"\365\200\200\200",
		"\377",
		"\360\220\200",
		"a\342\202",
		"\342\202\302",
	};
	static const char good[] =
		"\302\200\337\277\340\240\200\355\237\277\356\200\200\357\277\277\360\220\200\200\364\217\277\277";
	struct json_writer writer = json_write_begin(1024);

	CHECK(json_is_utf8(good, sizeof(good) - 1), "good");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		size_t length = strlen(bad[i]);
		/* Ends where the text ends, for the sanitizer. */
		char *copy = malloc(length);

		CHECK(copy != NULL, "no memory");
		memcpy(copy, bad[i], length);
		CHECK(!json_is_utf8(copy, length), "case %zu", i);
		free(copy);
	}
	json_write_string(&writer, "\377");
	json_write_raw(&writer, "more");
	CHECK(writer.error == EILSEQ && writer.length == 0, "%d", writer.error);
	json_write_end(&writer);
}

static void test_bound(void)
{
	struct json_writer writer = json_write_begin(10000);

	for (unsigned int i = 0; i < 10000; i++)
		json_write_bytes(&writer, "x", 1);
	CHECK(writer.error == 0 && writer.length == 10000, "%zu", writer.length);
	json_write_bytes(&writer, "x", 1);
	CHECK(writer.error == EMSGSIZE && writer.length == 10000, "%zu", writer.length);
	json_write_end(&writer);
}

int main(void)
{
	test_escapes();
	test_round_trip();
	test_utf8();
	test_bound();
	return 0;
}
