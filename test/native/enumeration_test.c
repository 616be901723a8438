/*
 * Lists of all users: from the beginning each time, no user twice, whole or not at all; and what a fork(2) in their
 * midst may not break. Arguments: the module.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "leftovers.h"
#include "module.h"
#include "server.h"

#define BACKLOG 64
#define BUFFER_BYTES 256
#define FORKS 200
#define THREADS 4
#define LISTS 50
/* Far more than a child needs that is not blocked. */
#define CHILD_SECONDS 20

/* Takes the next of the list; false at its end. */
static bool take(const struct module *module, enum query query, const struct identity *expected)
{
	char buffer[BUFFER_BYTES], text[TEXT_BYTES], wanted[TEXT_BYTES];
	union record record;
	struct outcome outcome = module_ask(module, query, NULL, &record, buffer, sizeof(buffer));

	if (outcome.status == NSS_STATUS_NOTFOUND)
		return false;
	CHECK(outcome.status == NSS_STATUS_SUCCESS, "query %d: %d, %d", query, outcome.status, outcome.error_number);
	if (expected != NULL) {
		record_text(query, &record, text);
		expected_text(query, expected, wanted);
		CHECK(strcmp(text, wanted) == 0, "\n%s\n%s", text, wanted);
	}
	return true;
}

static void take_from(const struct module *module, enum query query, size_t first)
{
	for (size_t i = first; i < USERS; i++)
		CHECK(take(module, query, &users[i]), "query %d ends before %s", query, users[i].name);
	CHECK(!take(module, query, NULL), "query %d continues", query);
	CHECK(!take(module, query, NULL), "query %d continues after its end", query);
}

static void test_walk(const struct module *module)
{
	struct leftovers before = leftovers_before();

	for (enum query query = PASSWD_NEXT; query < QUERIES; query++) {
		take_from(module, query, 0);
		module_set(module, query);
		CHECK(take(module, query, &users[0]), "query %d", query);
		module_set(module, query);
		module_set(module, query);
		take_from(module, query, 0);
		module_end(module, query);
		module_end(module, query);
		take_from(module, query, 0);
		module_end(module, query);
		leftovers_after(&before, "a list");
	}
}

/* The pages that the program has mapped (proc_pid_statm(5)). */
static unsigned long mapped_pages(void)
{
	unsigned long pages = 0;
	FILE *statm = fopen("/proc/self/statm", "re");

	CHECK(statm != NULL && fscanf(statm, "%lu", &pages) == 1 && fclose(statm) == 0, "/proc/self/statm: %m");
	return pages;
}

/* A list takes memory from the system itself, which no sanitizer watches: all of it is given back. */
static void test_memory(const struct module *module)
{
	unsigned long before = mapped_pages(), after;

	for (size_t i = 0; i < LISTS; i++) {
		take_from(module, SHADOW_NEXT, 0);
		module_set(module, SHADOW_NEXT);
		take_from(module, SHADOW_NEXT, 0);
		module_end(module, SHADOW_NEXT);
	}
	after = mapped_pages();
	CHECK(after == before, "%lu pages, %lu before", after, before);
}

/* Four lists side by side: each database has a place of its own. */
static void test_side_by_side(const struct module *module)
{
	for (size_t i = 0; i < USERS; i++)
		for (enum query query = PASSWD_NEXT; query < QUERIES; query++)
			CHECK(take(module, query, &users[i]), "query %d ends before %s", query, users[i].name);
	for (enum query query = PASSWD_NEXT; query < QUERIES; query++)
		module_end(module, query);
}

static void join(pid_t child)
{
	int status;

	CHECK(waitpid(child, &status, 0) == child && status == 0, "the child: %#x", status);
}

/* The child continues from the place where it was forked, with the server gone, and so does its parent. */
static void test_fork_in_the_midst(const struct module *module, const struct server *server)
{
	pid_t child;

	CHECK(take(module, PASSWD_NEXT, &users[0]), "nobody");
	server_stop(server);
	child = fork();
	CHECK(child >= 0, "%m");
	if (child == 0) {
		(void)alarm(CHILD_SECONDS);
		take_from(module, PASSWD_NEXT, 1);
		module_end(module, PASSWD_NEXT);
		_exit(0);
	}
	join(child);
	take_from(module, PASSWD_NEXT, 1);
	module_end(module, PASSWD_NEXT);
}

struct walkers {
	const struct module *module;
	atomic_bool stop;
};

static void *walk(void *context)
{
	struct walkers *walkers = context;

	while (!atomic_load(&walkers->stop)) {
		module_set(walkers->module, PASSWD_NEXT);
		while (take(walkers->module, PASSWD_NEXT, NULL))
			continue;
	}
	return NULL;
}

/* Threads that hold the lock of the list as often as they can while children are forked, which must not wait for it. */
static void test_fork_beside_threads(const struct module *module)
{
	struct walkers walkers = { .module = module };
	pthread_t threads[THREADS];

	for (size_t i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, walk, &walkers) == 0, "a thread");
	for (size_t i = 0; i < FORKS; i++) {
		pid_t child = fork();

		CHECK(child >= 0, "%m");
		if (child == 0) {
			(void)alarm(CHILD_SECONDS);
			module_set(module, PASSWD_NEXT);
			take_from(module, PASSWD_NEXT, 0);
			module_end(module, PASSWD_NEXT);
			_exit(0);
		}
		join(child);
	}
	atomic_store(&walkers.stop, true);
	for (size_t i = 0; i < THREADS; i++)
		CHECK(pthread_join(threads[i], NULL) == 0, "a thread");
	module_end(module, PASSWD_NEXT);
}

struct share {
	const struct module *module;
	size_t taken;
};

static void *take_share(void *context)
{
	struct share *share = context;

	while (take(share->module, GROUP_NEXT, NULL))
		share->taken++;
	return NULL;
}

/* Threads that share one list have each user once between them. */
static void test_shared_list(const struct module *module)
{
	struct share shares[THREADS];
	pthread_t threads[THREADS];
	size_t sum = 0;

	module_set(module, GROUP_NEXT);
	for (size_t i = 0; i < THREADS; i++) {
		shares[i] = (struct share){ .module = module };
		CHECK(pthread_create(&threads[i], NULL, take_share, &shares[i]) == 0, "a thread");
	}
	for (size_t i = 0; i < THREADS; i++) {
		CHECK(pthread_join(threads[i], NULL) == 0, "a thread");
		sum += shares[i].taken;
	}
	CHECK(sum == USERS, "%zu users", sum);
	module_end(module, GROUP_NEXT);
}

int main(int argc, char **argv)
{
	struct runtime runtime = runtime_make();
	struct server server = server_start(&runtime, serve_users, BACKLOG);
	struct module *module;

	CHECK(argc == 2, "usage: %s MODULE", argv[0]);
	/* Lists come from the socket even where there are links. */
	runtime_publish(&runtime);
	module = module_load(argv[1]);
	test_walk(module);
	test_memory(module);
	test_side_by_side(module);
	for (size_t i = 0; i < FORKS; i++)
		test_shared_list(module);
	test_fork_beside_threads(module);
	test_fork_in_the_midst(module, &server);
	module_unload(module);
	runtime_remove(&runtime);
	return 0;
}
