/*
 * Eight threads, ten thousand lookups each, through the links and through the socket, on the smallest stack that a
 * thread may have. Arguments: the module.
 */
#include <limits.h>
#include <pthread.h>
#include <string.h>

#include "check.h"
#include "leftovers.h"
#include "module.h"
#include "server.h"

#define THREADS 8
#define LOOKUPS 10000
#define LOOKUPS_BY_SOCKET 200
#define BACKLOG 64
#define BUFFER_BYTES 256

#ifdef TEST_SANITIZED
/* The sanitizer needs more of it for itself than the smallest. */
#define STACK_BYTES (1024UL * 1024UL)
#else
#define STACK_BYTES ((size_t)PTHREAD_STACK_MIN)
#endif

struct work {
	const struct module *module;
	unsigned int lookups;
};

static void *look_up(void *context)
{
	const struct work *work = context;

	for (unsigned int i = 0; i < work->lookups; i++) {
		enum query query = (enum query)(i % PASSWD_NEXT);
		const struct identity *who = &users[i / PASSWD_NEXT % USERS];
		char buffer[BUFFER_BYTES], text[TEXT_BYTES], expected[TEXT_BYTES];
		union record record;
		struct outcome outcome = module_ask(work->module, query, who, &record, buffer, sizeof(buffer));

		CHECK(outcome.status == NSS_STATUS_SUCCESS, "query %d: %d, %d", query, outcome.status,
		      outcome.error_number);
		record_text(query, &record, text);
		expected_text(query, who, expected);
		CHECK(strcmp(text, expected) == 0, "\n%s\n%s", text, expected);
	}
	return NULL;
}

static void run(const struct module *module, unsigned int lookups)
{
	struct leftovers before = leftovers_before();
	struct work work = { .module = module, .lookups = lookups };
	pthread_t threads[THREADS];
	pthread_attr_t attributes;

	CHECK(pthread_attr_init(&attributes) == 0 && pthread_attr_setstacksize(&attributes, STACK_BYTES) == 0,
	      "the stack's size");
	for (size_t i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], &attributes, look_up, &work) == 0, "a thread");
	for (size_t i = 0; i < THREADS; i++)
		CHECK(pthread_join(threads[i], NULL) == 0, "a thread");
	CHECK(pthread_attr_destroy(&attributes) == 0, "the attributes");
	leftovers_after(&before, "threads");
}

int main(int argc, char **argv)
{
	struct runtime runtime = runtime_make();
	struct server server = server_start(&runtime, serve_users, BACKLOG);
	struct module *module;

	CHECK(argc == 2, "usage: %s MODULE", argv[0]);
	module = module_load(argv[1]);
	run(module, LOOKUPS_BY_SOCKET);
	server_stop(&server);
	runtime_publish(&runtime);
	run(module, LOOKUPS);
	module_unload(module);
	runtime_remove(&runtime);
	return 0;
}
