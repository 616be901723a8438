/*
 * What comes from outside, damaged at random but the same at each run: the reply reader and the parsers of link texts
 * must not crash, read beyond the end (the sanitizer sees it), or let through what cannot be a dynamic user.
 * No arguments.
 */
#include <stdint.h>
#include <string.h>

#include "check.h"
#include "reply.h"

#define ROUNDS 300000U
#define SEED 0x9E3779B97F4A7C15U
#define TEXT_MAX 512U
#define DAMAGES_MAX 6U

static const char *const seeds[] = {
	"{\"parameters\":{\"record\":{\"userName\":\"a\",\"uid\":61184,\"gid\":61184,\"locked\":true}},\"continues\":true}",
	"{\"parameters\":{\"record\":{\"groupName\":\"a-b\",\"gid\":65519,\"members\":[\"x\",{\"y\":[1.5e-3,null]}]}}}",
	"{\"error\":\"io.systemd.UserDatabase.NoRecordFound\",\"parameters\":{}}",
	"{\"parameters\":{\"record\":{\"userName\":\"\\u0061\\ud83d\\ude00\",\"uid\":4294967295}}}",
	"61184",
	"dynamic-user-test",
	"[[[[[[[[[[[[[[[[[[[[[[[[",
	"\"\360\220\200\200\355\237\277\"",
};

/* Bytes that mean something to the parsers come more often than chance has them. */
static const char tokens[] = "{}[]\",:\\u0dD89eE+-. \tntf\001\200\303\355\360\377";

/* Xorshift (Marsaglia, 2003): one state, any platform, the same sequence. */
static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static size_t below(uint64_t *state, size_t bound)
{
	return (size_t)(next_random(state) >> 16) % bound;
}

static char random_byte(uint64_t *state)
{
	return below(state, 2) == 0 ? tokens[below(state, sizeof(tokens) - 1)] : (char)below(state, 256);
}

/* Changes, removes, repeats or inserts; the text has room for TEXT_MAX. */
static size_t damage(uint64_t *state, char *text, size_t length)
{
	size_t at = length > 0 ? below(state, length) : 0;
	size_t part = length > 0 ? below(state, length - at) + 1 : 0;

	switch (below(state, 5)) {
	case 0:
		if (length > 0)
			text[at] = random_byte(state);
		return length;
	case 1:
		memmove(text + at, text + at + part, length - at - part);
		return length - part;
	case 2:
		if (length + part > TEXT_MAX)
			return length;
		memmove(text + at + part, text + at, length - at);
		return length + part;
	case 3:
		if (length == TEXT_MAX)
			return length;
		memmove(text + at + 1, text + at, length - at);
		text[at] = random_byte(state);
		return length + 1;
	default:
		return at;
	}
}

static void is_sound(const struct identity *who)
{
	CHECK(uid_is_possible(who->uid), "%u", who->uid);
	CHECK(name_is_possible(who->name), "%s", who->name);
}

/* In memory that ends where the text ends. True where the reader took it. */
static bool try_text(const char *text, size_t length)
{
	char *copy = malloc(length + 1), *name;
	struct reply reply;
	bool taken = false;
	uid_t uid;

	CHECK(copy != NULL, "no memory");
	/* A text for the name parser has a NUL; the others have none and must not look for it. */
	name = copy;
	memcpy(name, text, length);
	name[length] = '\0';
	if (name_is_possible(name))
		CHECK(strlen(name) <= DYNUSER_NAME_MAX, "%s", name);
	copy = realloc(copy, length + (length == 0));
	CHECK(copy != NULL, "no memory");
	if (uid_from_text(copy, length, &uid))
		CHECK(uid_is_possible(uid), "%u", uid);
	for (enum record_kind kind = RECORD_USER; kind <= RECORD_GROUP; kind++) {
		if (!reply_read(copy, length, kind, &reply))
			continue;
		taken = true;
		if (reply.has_record)
			is_sound(&reply.who);
		CHECK(!(reply.is_error && reply.has_record), "an error with a record");
	}
	free(copy);
	return taken;
}

int main(void)
{
	uint64_t state = SEED;
	unsigned int taken = 0;

	for (unsigned int round = 0; round < ROUNDS; round++) {
		const char *seed = seeds[below(&state, sizeof(seeds) / sizeof(seeds[0]))];
		char text[TEXT_MAX];
		size_t length = strlen(seed);

		memcpy(text, seed, length);
		for (size_t damages = below(&state, DAMAGES_MAX); damages > 0; damages--)
			length = damage(&state, text, length);
		taken += try_text(text, length);
	}
	/* Were nothing or everything taken, the damage would be too great or too small to find anything. */
	CHECK(taken > ROUNDS / 20 && taken < ROUNDS / 2, "%u of %u texts were taken", taken, ROUNDS);
	return 0;
}
