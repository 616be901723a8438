/*
 * A thread that is cancelled while it waits for a server that never answers: it ends after the lookup, and leaves
 * neither descriptor nor lock behind. Arguments: the module.
 */
#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "check.h"
#include "hostile_servers.h"
#include "leftovers.h"
#include "module.h"

#define BUFFER_BYTES 256
#define BACKLOG 16
#define PAUSE_NS 200000000L

struct lookup {
	const struct module *module;
	enum query query;
	struct outcome outcome;
};

static void *look_up(void *context)
{
	struct lookup *lookup = context;
	char buffer[BUFFER_BYTES];
	union record record;

	lookup->outcome = module_ask(lookup->module, lookup->query, &users[0], &record, buffer, sizeof(buffer));
	/* The first chance to be cancelled, as before the lookup. */
	pthread_testcancel();
	return NULL;
}

static void test_cancelled(const struct module *module, enum query query)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	struct lookup lookup = { .module = module, .query = query };
	struct leftovers before = leftovers_before();
	pthread_t thread;
	void *result;

	CHECK(pthread_create(&thread, NULL, look_up, &lookup) == 0, "a thread");
	CHECK(nanosleep(&pause, NULL) == 0, "%m");
	CHECK(pthread_cancel(thread) == 0 && pthread_join(thread, &result) == 0, "the thread");
	CHECK(result == PTHREAD_CANCELED, "query %d: the thread was not cancelled", query);
	CHECK(lookup.outcome.status == NSS_STATUS_UNAVAIL && lookup.outcome.error_number == ETIMEDOUT,
	      "query %d did not end: %d, %d", query, lookup.outcome.status, lookup.outcome.error_number);
	leftovers_after(&before, "a thread that was cancelled");
}

int main(int argc, char **argv)
{
	const struct hostile_server *silent = hostile_server_named("never-answers");
	struct runtime runtime = runtime_make();
	struct module *module;
	struct server server;

	CHECK(argc == 2, "usage: %s MODULE", argv[0]);
	CHECK(silent != NULL, "no server is silent");
	server = server_start(&runtime, silent->behave, BACKLOG);
	module = module_load(argv[1]);
	test_cancelled(module, PASSWD_BY_NAME);
	test_cancelled(module, GROUP_NEXT);
	module_end(module, GROUP_NEXT);
	module_unload(module);
	server_stop(&server);
	runtime_remove(&runtime);
	return 0;
}
