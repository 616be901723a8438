/*
 * Members of groups and groups of users by their links: all of them or ERANGE in a buffer of any size and alignment, nothing of a list that is
 * damaged, and an array of initgroups_dyn that grows as far as its caller lets it. Arguments: the module.
 */
#include <errno.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "module.h"
#include "users.h"

#define BUFFER_BYTES 8192
#define ALIGNMENTS sizeof(char *)
#define GROUP_GID "61184"
#define PRIMARY 61184U

static const struct identity *const group = &users[0];

/* The members as the record has them, with commas in between. */
static void join(char *const *members, char *text, size_t size)
{
	text[0] = '\0';
	for (; *members != NULL; members++) {
		CHECK(strlen(text) + strlen(*members) + 2 < size, "too many members");
		if (text[0] != '\0')
			(void)strcat(text, ",");
		(void)strcat(text, *members);
	}
}

static struct outcome ask(const struct module *module, enum query query, char *buffer, size_t size, char *text)
{
	union record record;
	struct outcome outcome = module_ask(module, query, group, &record, buffer, size);
	char *const *members;

	if (outcome.status != NSS_STATUS_SUCCESS)
		return outcome;
	members = query == GSHADOW_BY_NAME ? record.gshadow.sg_mem : record.group.gr_mem;
	CHECK((uintptr_t)members % alignof(char *) == 0, "%p is not aligned", (const void *)members);
	for (char *const *member = members; *member != NULL; member++) {
		CHECK(*member >= buffer && *member + strlen(*member) < buffer + size, "a member is elsewhere");
		CHECK((const char *)(member + 2) <= buffer + size, "the array is elsewhere");
	}
	join(members, text, BUFFER_BYTES);
	return outcome;
}

static void expect_members(const struct module *module, const char *expected)
{
	static const enum query queries[] = { GROUP_BY_GID, GROUP_BY_NAME, GSHADOW_BY_NAME };

	for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
		char buffer[BUFFER_BYTES], text[BUFFER_BYTES];
		struct outcome outcome = ask(module, queries[i], buffer, sizeof(buffer), text);

		CHECK(outcome.status == NSS_STATUS_SUCCESS && outcome.error_number == 0, "%d", outcome.status);
		CHECK(strcmp(text, expected) == 0, "\n%s\n%s", text, expected);
	}
}

/* From a size on all of them, below it ERANGE, wherever the buffer begins; nothing is written behind it. */
static void expect_in_every_buffer(const struct module *module, enum query query, const char *expected, size_t needed)
{
	static _Alignas(char *) char space[BUFFER_BYTES];
	char text[BUFFER_BYTES];

	for (size_t shift = 0; shift < ALIGNMENTS; shift++) {
		size_t least = 0;

		for (size_t size = 0; size < needed + 2 * ALIGNMENTS; size++) {
			struct outcome outcome;

			memset(space, '#', sizeof(space));
			outcome = ask(module, query, space + shift, size, text);
			CHECK(space[shift + size] == '#', "a byte behind %zu was written", size);
			if (outcome.status != NSS_STATUS_SUCCESS) {
				CHECK(outcome.status == NSS_STATUS_TRYAGAIN && outcome.error_number == ERANGE,
				      "%zu bytes: %d", size, outcome.error_number);
				CHECK(least == 0, "%zu bytes suffice, and %zu do not", least, size);
				continue;
			}
			CHECK(strcmp(text, expected) == 0, "%zu bytes: %s", size, text);
			least = least == 0 ? size : least;
		}
		CHECK(least >= needed && least < needed + ALIGNMENTS, "%zu bytes suffice instead of %zu", least,
		      needed);
	}
}

static void test_buffers(const struct module *module, const struct runtime *runtime)
{
	static const char *const lists[] = { "b", "b,c", "dynamic-user-test,abcdefghijabcdefghijabcdefghija,_x" };

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		size_t pointers = 2, bytes = strlen(lists[i]) + 1;

		for (const char *byte = lists[i]; *byte != '\0'; byte++)
			pointers += *byte == ',';
		runtime_link(runtime, DYNUSER_MEMBERS, GROUP_GID, lists[i]);
		expect_members(module, lists[i]);
		expect_in_every_buffer(module, GROUP_BY_NAME, lists[i],
				       sizeof("a") + sizeof("x") + pointers * sizeof(char *) + bytes);
		expect_in_every_buffer(module, GSHADOW_BY_NAME, lists[i],
				       sizeof("a") + sizeof("!*") + (pointers + 1) * sizeof(char *) + bytes);
	}
}

static void test_damaged_members(const struct module *module, const struct runtime *runtime)
{
	static const char *const lists[] = { ",",
					     "b,",
					     ",b",
					     "b,,c",
					     "b c",
					     "b,0",
					     "b,a/b",
					     "../b",
					     "b\n",
					     "\303\244",
					     "abcdefghijabcdefghijabcdefghijab",
					     "*" };

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		runtime_link(runtime, DYNUSER_MEMBERS, GROUP_GID, lists[i]);
		expect_members(module, "");
	}
}

static void expect_groups(const struct module *module, const char *user, long limit, const char *expected)
{
	gid_t *groups = malloc(sizeof(*groups));
	long start = 1, size = 1;
	int error_number = 0;
	enum nss_status status;
	char text[64] = "";

	CHECK(groups != NULL, "%m");
	groups[0] = PRIMARY;
	errno = 0;
	status = module_initgroups(module)(user, PRIMARY, &start, &size, &groups, limit, &error_number);
	CHECK(error_number == 0 && errno == 0, "errno %d, %d", error_number, errno);
	CHECK(start <= size && groups[0] == PRIMARY, "%ld of %ld", start, size);
	CHECK(limit <= 0 || size <= limit, "%ld are more than %ld", size, limit);
	for (long i = 1; i < start; i++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%u ", groups[i]);
	CHECK(strcmp(text, expected) == 0, "%s: \"%s\"", user, text);
	CHECK(status == (start > 1 ? NSS_STATUS_SUCCESS : NSS_STATUS_NOTFOUND), "%d", status);
	free(groups);
}

static void test_groups(const struct module *module, const struct runtime *runtime)
{
	static const char *const damaged[] = { ",", "61300,", "61300,x", "0", "61300 61301", "65534", "-1", "061300" };

	runtime_link(runtime, DYNUSER_GROUPS, "b", "61300");
	expect_groups(module, "b", -1, "61300 ");
	runtime_link(runtime, DYNUSER_GROUPS, "b", "61300,61184,61302,61303");
	expect_groups(module, "b", -1, "61300 61302 61303 ");
	expect_groups(module, "b", 3, "61300 61302 ");
	expect_groups(module, "b", 1, "");
	for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
		runtime_link(runtime, DYNUSER_GROUPS, "b", damaged[i]);
		expect_groups(module, "b", -1, "");
	}
	expect_groups(module, "c", -1, "");
	expect_groups(module, "../groups/b", -1, "");
	runtime_link(runtime, DYNUSER_GROUPS, "b", "61300");
	CHECK(setenv(DYNUSER_ENV_BYPASS, "1", 1) == 0, "%m");
	expect_groups(module, "b", -1, "");
	CHECK(unsetenv(DYNUSER_ENV_BYPASS) == 0, "%m");
}

int main(int argc, char **argv)
{
	struct module *module;
	struct runtime runtime;

	CHECK(argc == 2, "usage: %s MODULE", argv[0]);
	module = module_load(argv[1]);
	runtime = runtime_make();
	runtime_publish(&runtime);
	test_buffers(module, &runtime);
	test_damaged_members(module, &runtime);
	test_groups(module, &runtime);
	runtime_remove(&runtime);
	module_unload(module);
	return 0;
}
