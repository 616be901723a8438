/*
 * The module before a server that lies, stalls or floods: the right status within the bound, nothing left behind, and
 * the next server is believed again. Arguments: the module and the server's name; or none, to print the names.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "hostile_servers.h"
#include "leftovers.h"
#include "module.h"

#define BUFFER_BYTES 256
#define BACKLOG 16
/* The bounds of the module, and what a busy machine may add. */
#define LOOKUP_MS 2000
#define LIST_MS 5000
#define SLACK_MS 3000
/* A server that closes may do so before the request is sent, or after: often enough to have both. */
#define REPEATS 200
/* More than a backlog of none has room for. */
#define CROWD 8
/* The one server that is not among the behaviours: it does not even accept. */
#define NEVER_ACCEPTS "never-accepts"

static long now_ms(void)
{
	struct timespec now;

	CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0, "%m");
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void expect(const struct module *module, enum query query, enum nss_status status, int error, long bound)
{
	char buffer[BUFFER_BYTES];
	union record record;
	long before = now_ms(), took;
	struct outcome outcome = module_ask(module, query, &users[0], &record, buffer, sizeof(buffer));

	took = now_ms() - before;
	CHECK(outcome.status == status && outcome.error_number == error, "query %d: status %d, errno %d", query,
	      outcome.status, outcome.error_number);
	CHECK(took <= bound + SLACK_MS, "query %d took %ld ms", query, took);
	CHECK(error != ETIMEDOUT || took >= bound, "query %d gave up after %ld ms", query, took);
}

static void expect_list(const struct module *module, const struct hostile_server *hostile)
{
	expect(module, PASSWD_NEXT, hostile->list_status, hostile->list_error, LIST_MS);
	for (unsigned int i = 1; i < hostile->listed; i++)
		expect(module, PASSWD_NEXT, NSS_STATUS_SUCCESS, 0, 0);
	if (hostile->listed > 0)
		expect(module, PASSWD_NEXT, NSS_STATUS_NOTFOUND, 0, 0);
	module_end(module, PASSWD_NEXT);
}

/* After all that, an honest server is asked as if nothing had been. */
static void expect_honest(const struct module *module, const struct runtime *runtime)
{
	struct server server = server_start(runtime, serve_users, BACKLOG);

	expect(module, PASSWD_BY_UID, NSS_STATUS_SUCCESS, 0, 0);
	for (size_t i = 0; i < USERS; i++)
		expect(module, PASSWD_NEXT, NSS_STATUS_SUCCESS, 0, 0);
	expect(module, PASSWD_NEXT, NSS_STATUS_NOTFOUND, 0, 0);
	module_end(module, PASSWD_NEXT);
	server_stop(&server);
}

static void test_hostile(const struct module *module, const struct runtime *runtime,
			 const struct hostile_server *hostile)
{
	struct leftovers before = leftovers_before();
	struct server server = server_start(runtime, hostile->behave, BACKLOG);

	expect(module, PASSWD_BY_UID, hostile->lookup_status, hostile->lookup_error, LOOKUP_MS);
	expect(module, PASSWD_BY_NAME, hostile->lookup_status, hostile->lookup_error, LOOKUP_MS);
	if (hostile->lookup_error != ETIMEDOUT)
		for (unsigned int i = 0; i < REPEATS; i++)
			expect(module, PASSWD_BY_UID, hostile->lookup_status, hostile->lookup_error, LOOKUP_MS);
	expect_list(module, hostile);
	server_stop(&server);
	leftovers_after(&before, hostile->name);
}

static void block_for_ever(int fd)
{
	char byte;

	(void)recv(fd, &byte, 1, 0);
}

/*
 * A server that is busy with its first client, behind which others fill the backlog: connect(2) itself must be bounded.
 */
static void test_never_accepts(const struct module *module, const struct runtime *runtime)
{
	const struct hostile_server hostile = { .list_status = NSS_STATUS_UNAVAIL, .list_error = ETIMEDOUT };
	struct server server = server_start(runtime, block_for_ever, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct leftovers before;
	int crowd[CROWD];

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", runtime->path, DYNUSER_SOCKET);
	for (size_t i = 0; i < CROWD; i++) {
		crowd[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		CHECK(crowd[i] >= 0, "%m");
		CHECK(connect(crowd[i], (struct sockaddr *)&address, sizeof(address)) == 0 || errno == EAGAIN, "%m");
	}
	before = leftovers_before();
	expect(module, PASSWD_BY_UID, NSS_STATUS_UNAVAIL, ETIMEDOUT, LOOKUP_MS);
	expect_list(module, &hostile);
	leftovers_after(&before, NEVER_ACCEPTS);
	for (size_t i = 0; i < CROWD; i++)
		CHECK(close(crowd[i]) == 0, "%m");
	server_stop(&server);
}

int main(int argc, char **argv)
{
	struct runtime runtime;
	struct module *module;

	if (argc == 1) {
		(void)puts(NEVER_ACCEPTS);
		hostile_servers_print();
		return 0;
	}
	CHECK(argc == 3, "usage: %s [MODULE SERVER]", argv[0]);
	runtime = runtime_make();
	module = module_load(argv[1]);
	if (strcmp(argv[2], NEVER_ACCEPTS) == 0) {
		test_never_accepts(module, &runtime);
	} else {
		const struct hostile_server *hostile = hostile_server_named(argv[2]);

		CHECK(hostile != NULL, "no server is called %s", argv[2]);
		test_hostile(module, &runtime, hostile);
	}
	expect_honest(module, &runtime);
	module_unload(module);
	runtime_remove(&runtime);
	return 0;
}
