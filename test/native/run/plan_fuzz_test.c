/*
 * Replies damaged at random, but the same at each run: the reader must not crash, read or write beyond the message (the
 * sanitizer sees it), or take for sound what breaks the rules of a plan. No arguments.
 */
#include "protocol/launch_reply.h"

#include <string.h>

#include "check.h"

#define ROUNDS 60000U
#define SEED 0x9E3779B97F4A7C15U
#define TEXT_MAX 4096U
#define DAMAGES_MAX 4U

static const char *const seeds[] = {
	"{\"parameters\":{\"plan\":{\"uid\":61184,\"gid\":61184,\"groups\":[7,61184],\"mountNamespace\":true,"
	"\"mountOps\":[{\"kind\":\"clone\",\"path\":\"/a\",\"slot\":0,\"noSymlinks\":true,\"device\":\"1\",\"inode\":\"2\",\"set\":[\"noSuid\"],"
	"\"idMap\":{\"diskUid\":65534,\"diskGid\":65534,\"uid\":61184,\"gid\":61184}},{\"kind\":\"tmpfs\",\"path\":\"/b\",\"options\":[\"size=10%\"],"
	"\"mode\":448},{\"kind\":\"mount\",\"path\":\"/p\",\"slot\":1,\"type\":\"proc\",\"options\":[\"subset=pid\"]},{\"kind\":\"attach\",\"path\":\"/c\",\"slot\":0,\"create\":\"directory\"},{\"kind\":\"symlink\",\"path\":\"/d\",\"target\":\"e\"}],"
	"\"privateUsers\":\"identity\",\"propagation\":\"slave\",\"networkNamespace\":\"/run/netns/a\",\"privateControlGroups\":false,\"privateNetwork\":true,\"privateIPC\":false,\"privateHostName\":true,\"ignoreSigpipe\":true,\"noNewPrivileges\":true,\"filter\":\"BgAAAAAA/38=\",\"filterIsForTerminal\":true,\"memoryDenyWriteExecute\":true,\"boundingSet\":\"000001ffffffffff\","
	"\"ambientSet\":\"0000000000000000\",\"umask\":18,\"workingDirectory\":\"/\",\"workingDirectoryOptional\":false,"
	"\"inheritEnvironment\":true,\"passEnvironment\":[\"LC_*\"],\"environment\":[\"A=\\u00e9\\n\",\"B=2\"],\"unsetEnvironment\":[\"C\"],"
	"\"commands\":[{\"path\":\"/bin/sh\",\"arguments\":[\"sh\",\"-c\"],\"as\":\"user\",\"ignoreFailure\":false}]},\"lease\":\"x\","
	"\"warnings\":[\"w\"]}}",
	"{\"parameters\":{\"questions\":[{\"kind\":\"file\",\"path\":\"/etc/x\"},{\"kind\":\"glob\",\"path\":\"/*\"}]},\"continues\":false}",
	"{\"error\":\"io.dynuser.Allocator.LaunchFailed\",\"parameters\":{\"field\":\"User\",\"reason\":\"\\ud83d\\ude00\"}}",
	"{\"parameters\":{\"explanation\":[\"one\",\"two\"]}}",
};

/* Bytes that mean something to the parser come more often than chance has them. */
static const char tokens[] = "{}[]\",:\\u0dD89eE+-. \tntf/\001\200\303\355\360\377";

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

/* Changes one byte, takes a part away, repeats one, or cuts the rest off. */
static size_t damage(uint64_t *state, char *text, size_t length)
{
	size_t at = below(state, length), part = below(state, (length - at < 64 ? length - at : 64)) + 1;

	switch (below(state, 8)) {
	case 0:
		return at + 1;
	case 1:
	case 2:
		if (part == length)
			return length;
		memmove(text + at, text + at + part, length - at - part);
		return length - part;
	case 3:
		if (length + part > TEXT_MAX)
			return length;
		memmove(text + at + part, text + at, length - at);
		return length + part;
	default:
		text[at] = random_byte(state);
		return length;
	}
}

static void check_strings(const struct strings *list)
{
	CHECK(list->count == 0 || list->items[list->count] == NULL, "a list without an end");
	for (size_t i = 0; i < list->count; i++)
		CHECK(list->items[i] != NULL && strlen(list->items[i]) < TEXT_MAX, "a string without an end");
}

static void check_plan(const struct plan *plan)
{
	CHECK((plan->groups_count == 0) == (plan->groups == NULL), "groups without memory");
	check_strings(&plan->environment);
	check_strings(&plan->unset_environment);
	for (size_t i = 0; i < plan->mount_ops_count; i++) {
		const struct mount_op *op = &plan->mount_ops[i];

		CHECK(op->path[0] == '/' && op->slot < SLOTS_MAX && op->kind <= OP_MASK, "%s", op->path);
		CHECK((op->kind == OP_SYMLINK) == (op->target != NULL), "%s", op->path);
		check_strings(&op->options);
		free(op->options.items);
	}
	for (size_t i = 0; i < plan->commands_count; i++) {
		CHECK(plan->commands[i].path[0] != '\0' && plan->commands[i].arguments.count > 0,
		      "a command without a name");
		check_strings(&plan->commands[i].arguments);
		free(plan->commands[i].arguments.items);
	}
}

static bool try_text(const char *text, size_t length)
{
	static struct reply reply;
	char where[96];
	char *copy = malloc(length);
	bool sound;

	CHECK(copy != NULL, "no memory");
	memcpy(copy, text, length);
	memset(&reply, 0, sizeof(reply));
	sound = reply_read(copy, length, &reply, where, sizeof(where));
	if (sound && reply.error == NULL && reply.has_plan)
		check_plan(&reply.plan);
	check_strings(&reply.warnings);
	free(reply.plan.groups);
	free(reply.plan.environment.items);
	free(reply.plan.unset_environment.items);
	free(reply.plan.mount_ops);
	free(reply.plan.commands);
	free(reply.warnings.items);
	free(reply.explanation.items);
	free(reply.questions);
	free(copy);
	return sound;
}

int main(void)
{
	uint64_t state = SEED;
	unsigned int sound = 0;

	for (size_t i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++)
		CHECK(try_text(seeds[i], strlen(seeds[i])), "%s", seeds[i]);
	for (unsigned int round = 0; round < ROUNDS; round++) {
		char text[TEXT_MAX];
		const char *seed = seeds[below(&state, 8) < 5 ? 0 : 1 + below(&state, 3)];
		size_t length = strlen(seed);

		memcpy(text, seed, length);
		for (size_t left = below(&state, DAMAGES_MAX) + 1; left > 0; left--)
			length = damage(&state, text, length);
		sound += try_text(text, length);
	}
	/* Where nothing came through, or all, the damage would not be one that tells anything. */
	CHECK(sound > ROUNDS / 100 && sound < ROUNDS * 9 / 10, "%u of %u are sound", sound, ROUNDS);
	return 0;
}
