/* Replies of the user database: which are invalid, which are errors, which have a dynamic user. No arguments. */
#include "reply.h"

#include <string.h>

#include "check.h"

enum verdict {
	BROKEN,
	ERROR,
	NOBODY,
	SOMEBODY, /* a, 61184 */
};

struct example {
	enum verdict verdict;
	enum record_kind kind;
	const char *text;
};

#define USER_REPLY(members) "{\"parameters\":{\"record\":{" members "}}}"

static const struct example examples[] = {
	{ SOMEBODY, RECORD_USER, USER_REPLY("\"userName\":\"a\",\"uid\":61184") },
	{ SOMEBODY, RECORD_USER, USER_REPLY("\"gid\":61184,\"uid\":61184,\"userName\":\"a\",\"x\":[{}]") },
	{ SOMEBODY, RECORD_GROUP, USER_REPLY("\"groupName\":\"a\",\"gid\":61184,\"uid\":\"any\"") },
	{ SOMEBODY, RECORD_USER, " " USER_REPLY("\"userName\":\"a\",\"uid\":61184,\"x\":1,\"x\":2") "\n" },
	{ NOBODY, RECORD_USER, USER_REPLY("") },
	{ NOBODY, RECORD_USER, USER_REPLY("\"userName\":\"a\"") },
	{ NOBODY, RECORD_USER, USER_REPLY("\"uid\":61184") },
	{ NOBODY, RECORD_USER, USER_REPLY("\"userName\":\"a\",\"gid\":61184") },
	{ NOBODY, RECORD_USER, USER_REPLY("\"userName\":\"\",\"uid\":61184") },
	{ NOBODY, RECORD_USER, USER_REPLY("\"userName\":\"a\\u0000\",\"uid\":61184") },
	{ NOBODY, RECORD_USER, USER_REPLY("\"userName\":\"abcdefghijabcdefghijabcdefghijab\",\"uid\":61184") },
	{ NOBODY, RECORD_USER, USER_REPLY("\"userName\":\"a\",\"uid\":4295028480") },
	{ NOBODY, RECORD_USER, USER_REPLY("\"userName\":\"a\",\"uid\":61184,\"gid\":61185") },
	{ NOBODY, RECORD_USER, USER_REPLY("\"userName\":\"a\",\"uid\":61184,\"gid\":-1") },
	{ NOBODY, RECORD_GROUP, USER_REPLY("\"userName\":\"a\",\"uid\":61184,\"gid\":61184") },
	{ NOBODY, RECORD_USER, USER_REPLY("\"groupName\":\"a\",\"gid\":61184") },
	{ ERROR, RECORD_USER, "{\"error\":\"a.b.C\"}" },
	{ ERROR, RECORD_USER, "{\"error\":\"a.b.C\",\"parameters\":{\"record\":{\"userName\":\"a\",\"uid\":61184}}}" },
	{ BROKEN, RECORD_USER, "" },
	{ BROKEN, RECORD_USER, "[]" },
	{ BROKEN, RECORD_USER, "{}" },
	{ BROKEN, RECORD_USER, "{\"parameters\":{}}" },
	{ BROKEN, RECORD_USER, "{\"parameters\":null}" },
	{ BROKEN, RECORD_USER, "{\"parameters\":{\"record\":null}}" },
	{ BROKEN, RECORD_USER, "{\"error\":1}" },
	{ BROKEN, RECORD_USER, "{\"error\":\"a.b.C\",\"continues\":\"true\"}" },
	/* What we read must not be there twice: which one is meant? */
	{ BROKEN, RECORD_USER, USER_REPLY("\"userName\":\"a\",\"uid\":61184,\"uid\":61184") },
	{ BROKEN, RECORD_USER, USER_REPLY("\"userName\":\"a\",\"uid\":61184,\"\\u0075serName\":\"a\"") },
	{ BROKEN, RECORD_GROUP, USER_REPLY("\"groupName\":\"a\",\"gid\":61184,\"gid\":0") },
	{ BROKEN, RECORD_USER, "{\"parameters\":{\"record\":{},\"record\":{}}}" },
	{ BROKEN, RECORD_USER, "{\"parameters\":{\"record\":{}},\"parameters\":{}}" },
	{ BROKEN, RECORD_USER, "{\"error\":\"a.b.C\",\"error\":\"a.b.C\"}" },
	{ BROKEN, RECORD_USER, "{\"error\":\"a.b.C\",\"continues\":false,\"continues\":false}" },
	{ BROKEN, RECORD_USER, USER_REPLY("\"userName\":\"a\",\"uid\":\"61184\"") },
	{ BROKEN, RECORD_USER, USER_REPLY("\"userName\":1,\"uid\":61184") },
	{ BROKEN, RECORD_USER, USER_REPLY("\"userName\":\"a\",\"uid\":61184") "{}" },
	{ BROKEN, RECORD_USER, USER_REPLY("\"userName\":\"a\",\"uid\":61184") "x" },
};

static enum verdict judge(const struct example *example)
{
	struct reply reply;

	if (!reply_read(example->text, strlen(example->text), example->kind, &reply))
		return BROKEN;
	if (reply.is_error)
		return ERROR;
	if (!reply.has_record)
		return NOBODY;
	CHECK(reply.who.uid == 61184 && strcmp(reply.who.name, "a") == 0, "%s", example->text);
	return SOMEBODY;
}

/* A reply that is cut short anywhere is refused. */
static void test_every_part(const char *text)
{
	for (size_t length = 0; length < strlen(text); length++) {
		struct reply reply;

		CHECK(!reply_read(text, length, RECORD_USER, &reply), "%zu bytes of %s", length, text);
	}
}

static bool continues(const char *text)
{
	struct reply reply;

	CHECK(reply_read(text, strlen(text), RECORD_USER, &reply), "%s", text);
	return reply.continues;
}

struct membership_example {
	enum verdict verdict;
	const char *text;
};

#define MEMBERSHIP(parameters) "{\"parameters\":{" parameters "}}"

static const struct membership_example memberships[] = {
	{ SOMEBODY, MEMBERSHIP("\"userName\":\"a\",\"groupName\":\"web\"") },
	{ SOMEBODY, MEMBERSHIP("\"x\":[{}],\"groupName\":\"web\",\"userName\":\"a\"") },
	{ NOBODY, MEMBERSHIP("\"userName\":\"a b\",\"groupName\":\"web\"") },
	{ NOBODY, MEMBERSHIP("\"userName\":\"a\",\"groupName\":\"../web\"") },
	{ NOBODY, MEMBERSHIP("\"userName\":\"abcdefghijabcdefghijabcdefghijab\",\"groupName\":\"web\"") },
	{ NOBODY, MEMBERSHIP("\"userName\":\"a\\u0000\",\"groupName\":\"web\"") },
	{ ERROR, "{\"error\":\"io.systemd.UserDatabase.NoRecordFound\",\"parameters\":{}}" },
	{ BROKEN, MEMBERSHIP("\"userName\":\"a\"") },
	{ BROKEN, MEMBERSHIP("\"userName\":\"a\",\"groupName\":\"web\",\"userName\":\"b\"") },
	{ BROKEN, MEMBERSHIP("\"userName\":7,\"groupName\":\"web\"") },
	{ BROKEN, MEMBERSHIP("\"userName\":\"a\",\"groupName\":\"web\"") "x" },
	{ BROKEN, "{\"parameters\":[]}" },
	{ BROKEN, "{}" },
};

static enum verdict judge_membership(const char *text)
{
	struct reply reply;

	if (!reply_read(text, strlen(text), RECORD_MEMBERSHIP, &reply))
		return BROKEN;
	if (reply.is_error)
		return ERROR;
	if (!reply.has_record)
		return NOBODY;
	CHECK(strcmp(reply.membership.user, "a") == 0 && strcmp(reply.membership.group, "web") == 0, "%s", text);
	return SOMEBODY;
}

int main(void)
{
	for (size_t i = 0; i < sizeof(memberships) / sizeof(memberships[0]); i++) {
		enum verdict verdict = judge_membership(memberships[i].text);

		CHECK(verdict == memberships[i].verdict, "%s: %d", memberships[i].text, verdict);
	}
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		enum verdict verdict = judge(&examples[i]);

		CHECK(verdict == examples[i].verdict, "%s: %d", examples[i].text, verdict);
	}
	test_every_part(USER_REPLY("\"userName\":\"a\",\"uid\":61184,\"gid\":61184,\"x\":[1.5,null]"));
	CHECK(continues("{\"parameters\":{\"record\":{}},\"continues\":true}"), "continues");
	CHECK(!continues("{\"parameters\":{\"record\":{}},\"continues\":false}"), "does not continue");
	CHECK(!continues("{\"parameters\":{\"record\":{}}}"), "does not continue");
	return 0;
}
