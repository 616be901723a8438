/* Envelopes of replies: what counts as an answer, and what is said of errors. No arguments. */
#include "protocol/launch_reply.h"

#include <string.h>

#include "check.h"

static struct reply reply;

static bool read_text(const char *text)
{
	char *copy = strdup(text);
	char where[96];

	CHECK(copy != NULL, "no memory");
	memset(&reply, 0, sizeof(reply));
	return reply_read(copy, strlen(text), &reply, where, sizeof(where));
}

static void test_sound(void)
{
	CHECK(read_text("{}") && !reply.continues && !reply.has_plan && reply.error == NULL, "nothing");
	CHECK(read_text(
		      "{\"parameters\":{\"progress\":{\"publicPath\":\"/a\",\"inodes\":1,\"changed\":0}},\"continues\":true}") &&
		      reply.continues,
	      "progress");
	CHECK(read_text(
		      "{\"parameters\":{\"image\":{\"path\":\"/i\",\"parts\":[{\"offset\":\"0\",\"size\":\"512\",\"type\":\"ext4\",\"options\":[],\"directory\":\"/\"}]}},\"continues\":true}") &&
		      reply.continues && reply.has_image && reply.image.parts_count == 1 &&
		      strcmp(reply.image.path, "/i") == 0,
	      "image");
	CHECK(read_text(
		      "{\"continues\":false,\"parameters\":{\"questions\":[{\"kind\":\"directory\",\"path\":\"/a\"}],\"warnings\":null}}") &&
		      reply.question_count == 1 && reply.questions[0].kind == QUESTION_DIRECTORY &&
		      strcmp(reply.questions[0].path, "/a") == 0,
	      "questions");
	CHECK(read_text("{\"parameters\":{\"warnings\":[\"a\",\"b\"],\"explanation\":[\"c\"]}}") &&
		      reply.warnings.count == 2 && reply.explanation.count == 1 &&
		      strcmp(reply.explanation.items[0], "c") == 0,
	      "texts");
}

static void test_errors(void)
{
	CHECK(read_text("{\"parameters\":{\"field\":\"f\",\"reason\":\"r\"},\"error\":\"a.B\"}") &&
		      strcmp(reply.error, "a.B") == 0 && strcmp(reply.field, "f") == 0 &&
		      strcmp(reply.reason, "r") == 0,
	      "error");
	CHECK(read_text("{\"error\":\"a.B\",\"parameters\":{\"parameter\":\"p\"}}") &&
		      strcmp(reply.parameter, "p") == 0,
	      "parameter");
	/* The interface of another daemon may have anything there. */
	CHECK(read_text("{\"error\":\"a.B\",\"parameters\":{\"field\":7}}") && reply.field == NULL &&
		      reply.reason == NULL,
	      "odd");
	CHECK(read_text("{\"error\":\"a.B\"}") && reply.reason == NULL, "bare");
}

static void test_broken(void)
{
	static const char *const bad[] = {
		"",
		"[]",
		"7",
		"{",
		"{}x",
		"{\"parameters\":[]}",
		"{\"continues\":1}",
		"{\"error\":{}}",
		"{\"parameters\":{\"plan\":{}}}",
		"{\"parameters\":{\"questions\":[{\"kind\":\"socket\",\"path\":\"/a\"}]}}",
		"{\"parameters\":{\"questions\":[{\"kind\":\"file\"}]}}",
		"{\"parameters\":{\"warnings\":[7]}}",
		"{\"parameters\":{},\"parameters\":{}}",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(!read_text(bad[i]), "%s", bad[i]);
}

static void test_too_many_questions(void)
{
	static const char one[] = "{\"kind\":\"file\",\"path\":\"/a\"},";
	size_t size = (QUESTIONS_MAX + 2) * sizeof(one);
	char *text = malloc(size);

	CHECK(text != NULL, "no memory");
	for (unsigned int more = 0; more < 2; more++) {
		size_t length = (size_t)sprintf(text, "{\"parameters\":{\"questions\":[");

		for (unsigned int i = 0; i < QUESTIONS_MAX + more; i++)
			length += (size_t)sprintf(text + length, "%s", one);
		(void)sprintf(text + length - 1, "]}}");
		CHECK(read_text(text) == (more == 0), "%u questions", QUESTIONS_MAX + more);
	}
	free(text);
}

int main(void)
{
	test_sound();
	test_errors();
	test_broken();
	test_too_many_questions();
	return 0;
}
