/*
 * Every entry point with every size of buffer, from nothing to more than enough, at every alignment: too small is
 * TRYAGAIN with ERANGE and nothing consumed, and not one byte beside the buffer is written. Arguments: the module.
 */
#include <errno.h>
#include <string.h>

#include "check.h"
#include "module.h"
#include "server.h"

#define BACKLOG 16
#define ALIGNMENTS 8U
#define MORE 8U
#define BUFFER_BYTES 256U
/* Around the buffer, and in it before the call. */
#define GUARD 0x5A

/* The bytes that are lost where a buffer begins so many bytes after an aligned address. */
static size_t lost(enum query query, size_t shift)
{
	bool has_array = query == GROUP_BY_GID || query == GROUP_BY_NAME || query == GROUP_NEXT ||
			 query == GSHADOW_BY_NAME || query == GSHADOW_NEXT;

	return has_array ? (ALIGNMENTS - shift) % ALIGNMENTS : 0;
}

static void is_untouched(const char *bytes, size_t count, enum query query, size_t size)
{
	for (size_t i = 0; i < count; i++)
		CHECK(bytes[i] == GUARD, "query %d, size %zu: wrote at %zu", query, size, i);
}

/* One call with one size; true where it was enough. */
static bool try_size(const struct module *module, enum query query, const struct identity *who, size_t shift,
		     size_t size)
{
	_Alignas(16) char space[BUFFER_BYTES];
	char *buffer = space + ALIGNMENTS + shift;
	char text[TEXT_BYTES], expected[TEXT_BYTES];
	union record record, before;
	struct outcome outcome;

	memset(space, GUARD, sizeof(space));
	memset(&record, GUARD, sizeof(record));
	before = record;
	outcome = module_ask(module, query, who, &record, buffer, size);
	is_untouched(space, ALIGNMENTS + shift, query, size);
	is_untouched(buffer + size, sizeof(space) - ALIGNMENTS - shift - size, query, size);
	if (outcome.status == NSS_STATUS_TRYAGAIN) {
		CHECK(outcome.error_number == ERANGE, "query %d, size %zu: %d", query, size, outcome.error_number);
		is_untouched(buffer, size, query, size);
		CHECK(memcmp(&record, &before, sizeof(record)) == 0, "query %d, size %zu: record", query, size);
		return false;
	}
	CHECK(outcome.status == NSS_STATUS_SUCCESS && outcome.error_number == 0, "query %d, size %zu: %d", query, size,
	      outcome.status);
	record_text(query, &record, text);
	expected_text(query, who, expected);
	CHECK(strcmp(text, expected) == 0, "\n%s\n%s", text, expected);
	record_is_inside(query, &record, buffer, size);
	return true;
}

static void every_size(const struct module *module, enum query query, const struct identity *who, size_t shift)
{
	size_t enough = expected_size(query, who) + lost(query, shift);

	for (size_t size = 0; size <= enough + MORE; size++) {
		bool fits = try_size(module, query, who, shift, size);

		CHECK(fits == (size >= enough), "query %d, %s, shift %zu: %zu of %zu bytes, %s", query, who->name,
		      shift, size, enough, fits ? "fits" : "does not fit");
	}
}

/* All sizes that are too small for each user of a list, then one that is enough: no user is left out or comes twice. */
static void every_size_of_list(const struct module *module, enum query query, size_t shift)
{
	char buffer[BUFFER_BYTES];
	union record record;

	module_set(module, query);
	for (size_t i = 0; i < USERS; i++) {
		size_t enough = expected_size(query, &users[i]) + lost(query, shift);

		for (size_t size = 0; size <= enough; size++)
			CHECK(try_size(module, query, &users[i], shift, size) == (size == enough),
			      "query %d, %s: %zu of %zu bytes", query, users[i].name, size, enough);
	}
	CHECK(module_ask(module, query, NULL, &record, buffer, sizeof(buffer)).status == NSS_STATUS_NOTFOUND,
	      "query %d: the list continues", query);
	module_end(module, query);
}

int main(int argc, char **argv)
{
	struct runtime runtime = runtime_make();
	struct server server = server_start(&runtime, serve_users, BACKLOG);
	struct module *module;

	CHECK(argc == 2, "usage: %s MODULE", argv[0]);
	runtime_publish(&runtime);
	module = module_load(argv[1]);
	for (size_t shift = 0; shift < ALIGNMENTS; shift++) {
		for (enum query query = PASSWD_BY_UID; query < PASSWD_NEXT; query++)
			for (size_t i = 0; i < USERS; i++)
				every_size(module, query, &users[i], shift);
		for (enum query query = PASSWD_NEXT; query < QUERIES; query++)
			every_size_of_list(module, query, shift);
	}
	module_unload(module);
	server_stop(&server);
	runtime_remove(&runtime);
	return 0;
}
