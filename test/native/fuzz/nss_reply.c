/*
 * Replies of a peer to the NSS module: whatever the bytes are, the reader says the same each time, and what it lets through can be a
 * dynamic user.
 */
#include "target.h"

#include <string.h>

#include "check.h"
#include "reply.h"

static void try_kind(const char *text, size_t size, enum record_kind kind)
{
	struct reply reply, again;

	memset(&reply, 0, sizeof(reply));
	memset(&again, 0xff, sizeof(again));
	bool taken = reply_read(text, size, kind, &reply);

	CHECK(reply_read(text, size, kind, &again) == taken, "two answers to one question");
	if (!taken)
		return;
	CHECK(reply.is_error == again.is_error && reply.continues == again.continues &&
		      reply.has_record == again.has_record,
	      "two answers to one question");
	CHECK(!(reply.is_error && reply.has_record), "an error with a record");
	if (!reply.has_record)
		return;
	CHECK(uid_is_possible(reply.who.uid) && reply.who.uid == again.who.uid, "%u", reply.who.uid);
	CHECK(memchr(reply.who.name, '\0', sizeof(reply.who.name)) != NULL, "a name without an end");
	CHECK(name_is_possible(reply.who.name) && strcmp(reply.who.name, again.who.name) == 0, "%s", reply.who.name);
}

/* The texts of links: a number and a name. */
static void try_link(const char *text, size_t size)
{
	char name[DYNUSER_NAME_MAX + 8];
	uid_t uid = 0;

	if (uid_from_text(text, size, &uid)) {
		char digits[16];
		int length = snprintf(digits, sizeof(digits), "%u", uid);

		CHECK(uid_is_possible(uid), "%u", uid);
		CHECK((size_t)length == size && memcmp(digits, text, size) == 0, "%u is written in two ways", uid);
	}
	if (size >= sizeof(name))
		return;
	memcpy(name, text, size);
	name[size] = '\0';
	if (name_is_possible(name))
		CHECK(strlen(name) <= DYNUSER_NAME_MAX && strpbrk(name, "/.: \n") == NULL, "%s", name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;

	try_kind(text, size, RECORD_USER);
	try_kind(text, size, RECORD_GROUP);
	try_link(text, size);
	return 0;
}
