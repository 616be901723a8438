/*
 * Lookups through the module itself: the same answers from the links and from the socket, nothing left behind, damaged
 * links, and who is asked when. Arguments: the module.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "leftovers.h"
#include "module.h"
#include "server.h"

#define BUFFER_BYTES 1024
#define BACKLOG 16
#define ANYBODY 65534U

static void expect_record(const struct module *module, enum query query, const struct identity *who)
{
	char buffer[BUFFER_BYTES], text[TEXT_BYTES], expected[TEXT_BYTES];
	union record record;
	struct outcome outcome = module_ask(module, query, who, &record, buffer, sizeof(buffer));

	CHECK(outcome.status == NSS_STATUS_SUCCESS && outcome.error_number == 0, "query %d: %d, %d", query,
	      outcome.status, outcome.error_number);
	record_text(query, &record, text);
	expected_text(query, who, expected);
	CHECK(strcmp(text, expected) == 0, "\n%s\n%s", text, expected);
	record_is_inside(query, &record, buffer, sizeof(buffer));
}

static void expect_absent(const struct module *module, enum query query, const struct identity *who)
{
	char buffer[BUFFER_BYTES];
	union record record;
	struct outcome outcome = module_ask(module, query, who, &record, buffer, sizeof(buffer));

	CHECK(outcome.status == NSS_STATUS_NOTFOUND && outcome.error_number == 0, "query %d, %u, %s: %d, %d", query,
	      who->uid, who->name, outcome.status, outcome.error_number);
}

/* Every user, in every database, and one who is not there. */
static void expect_all(const struct module *module, const char *what)
{
	struct leftovers before = leftovers_before();

	for (enum query query = PASSWD_BY_UID; query < PASSWD_NEXT; query++) {
		for (size_t i = 0; i < USERS; i++)
			expect_record(module, query, &users[i]);
		expect_absent(module, query, &nobody_there);
	}
	leftovers_after(&before, what);
}

static void expect_nobody(const struct module *module, const char *what)
{
	struct leftovers before = leftovers_before();

	for (enum query query = PASSWD_BY_UID; query < QUERIES; query++) {
		expect_absent(module, query, &users[0]);
		if (query >= PASSWD_NEXT)
			module_end(module, query);
	}
	leftovers_after(&before, what);
}

/*
 * With links but no server: had the socket been asked, this would not be found, or be found missing for another reason.
 */
static void test_links(const struct module *module)
{
	struct runtime runtime = runtime_make();

	runtime_publish(&runtime);
	expect_all(module, "links");
	runtime_remove(&runtime);
}

static void test_socket_without_links(const struct module *module)
{
	struct runtime runtime = runtime_make();
	struct server server = server_start(&runtime, serve_users, BACKLOG);

	expect_all(module, "socket, no links to see");
	server_stop(&server);
	expect_nobody(module, "socket of a server that is gone");
	runtime_remove(&runtime);
	expect_nobody(module, "no runtime directory");
}

/* The links say what is not so: who asks them, gets it. */
static void test_socket_forced(const struct module *module)
{
	struct runtime runtime = runtime_make();
	struct server server = server_start(&runtime, serve_users, BACKLOG);

	runtime_link(&runtime, DYNUSER_BY_UID, "61999", nobody_there.name);
	runtime_link(&runtime, DYNUSER_BY_NAME, nobody_there.name, "61999");
	expect_record(module, PASSWD_BY_UID, &nobody_there);
	/* Links are there, so what has none is not there, and the socket is not asked. */
	expect_absent(module, PASSWD_BY_UID, &users[0]);
	CHECK(setenv(DYNUSER_ENV_SOURCE, "varlink", 1) == 0, "%m");
	expect_all(module, "socket by " DYNUSER_ENV_SOURCE);
	CHECK(setenv(DYNUSER_ENV_SOURCE, "varlinks", 1) == 0, "%m");
	expect_record(module, GROUP_BY_NAME, &nobody_there);
	CHECK(unsetenv(DYNUSER_ENV_SOURCE) == 0, "%m");
	server_stop(&server);
	runtime_remove(&runtime);
}

static void test_bypass(const struct module *module)
{
	struct runtime runtime = runtime_make();
	struct server server = server_start(&runtime, serve_users, BACKLOG);

	runtime_publish(&runtime);
	CHECK(setenv(DYNUSER_ENV_BYPASS, "1", 1) == 0, "%m");
	expect_nobody(module, DYNUSER_ENV_BYPASS);
	CHECK(setenv(DYNUSER_ENV_SOURCE, "varlink", 1) == 0, "%m");
	expect_nobody(module, DYNUSER_ENV_BYPASS " with " DYNUSER_ENV_SOURCE);
	CHECK(unsetenv(DYNUSER_ENV_SOURCE) == 0, "%m");
	CHECK(setenv(DYNUSER_ENV_BYPASS, "0", 1) == 0, "%m");
	expect_all(module, DYNUSER_ENV_BYPASS "=0");
	CHECK(unsetenv(DYNUSER_ENV_BYPASS) == 0, "%m");
	server_stop(&server);
	runtime_remove(&runtime);
}

static void test_damaged_links(const struct module *module)
{
	static const char *const numbers[] = { "",	 "0",	       "-1",	     "+61999",	   "061999",
					       "61999 ", " 61999",     "61999x",     "65534",	   "65535",
					       "60577",	 "4294967295", "4294967296", "4295029295", "99999999999",
					       "0xf22f", "61999.0",    "../61999" };
	static const char *const names[] = { "0",
					     "-a",
					     "a.b",
					     "a:b",
					     "a/b",
					     "../a",
					     "a b",
					     "\303\244",
					     "a\n",
					     "abcdefghijabcdefghijabcdefghijab",
					     "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghij" };
	struct runtime runtime = runtime_make();
	char path[128];

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		/* symlink(2) takes no empty text: that one is not a link at all. */
		runtime_link(&runtime, DYNUSER_BY_NAME, nobody_there.name, numbers[i][0] ? numbers[i] : "x");
		expect_absent(module, PASSWD_BY_NAME, &nobody_there);
		expect_absent(module, GROUP_BY_NAME, &nobody_there);
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		runtime_link(&runtime, DYNUSER_BY_UID, "61999", names[i]);
		expect_absent(module, PASSWD_BY_UID, &nobody_there);
		expect_absent(module, GROUP_BY_GID, &nobody_there);
	}
	(void)snprintf(path, sizeof(path), "%s/" DYNUSER_BY_UID "/61999", runtime.path);
	CHECK(unlink(path) == 0 && close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644)) == 0, "%m");
	expect_absent(module, PASSWD_BY_UID, &nobody_there);
	runtime_remove(&runtime);
}

static void test_impossible(const struct module *module)
{
	static const char *const names[] = { "",
					     "0",
					     "1a",
					     "-a",
					     ".",
					     "..",
					     "a.b",
					     "a:b",
					     "a/b",
					     "a ",
					     "a\n",
					     "\303\244",
					     "abcdefghijabcdefghijabcdefghij!" };
	static const uid_t numbers[] = { 0, 1, 1000, 60577, 65534, 65535, 2147483648U, 4294967294U, 4294967295U };
	struct runtime runtime = runtime_make();
	struct identity who = { .uid = 0 };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		char number[16];

		(void)snprintf(number, sizeof(number), "%u", numbers[i]);
		runtime_link(&runtime, DYNUSER_BY_UID, number, "impossible");
		who.uid = numbers[i];
		expect_absent(module, PASSWD_BY_UID, &who);
		expect_absent(module, GROUP_BY_GID, &who);
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(who.name, sizeof(who.name), "%s", names[i]);
		for (enum query query = PASSWD_BY_NAME; query < PASSWD_NEXT; query++)
			if (query != GROUP_BY_GID)
				expect_absent(module, query, &who);
	}
	runtime_remove(&runtime);
}

static void test_runtime_directory(const struct module *module)
{
	struct runtime runtime = runtime_make();
	char longest[256];

	runtime_publish(&runtime);
	/* The longest path that is taken, by slashes, and one more. */
	(void)snprintf(longest, sizeof(longest), "%0*d", 84 - (int)strlen(runtime.path), 0);
	for (char *byte = longest; *byte != '\0'; byte++)
		*byte = '/';
	(void)strcat(longest, runtime.path);
	CHECK(setenv(DYNUSER_ENV_RUNTIME_DIRECTORY, longest, 1) == 0, "%m");
	expect_record(module, PASSWD_BY_UID, &users[0]);
	(void)strcat(longest, "/");
	CHECK(setenv(DYNUSER_ENV_RUNTIME_DIRECTORY, longest, 1) == 0, "%m");
	expect_absent(module, PASSWD_BY_UID, &users[0]);
	/* From the root directory it would be found, if it were taken for a path. */
	CHECK(chdir("/") == 0 && setenv(DYNUSER_ENV_RUNTIME_DIRECTORY, runtime.path + 1, 1) == 0, "%m");
	expect_absent(module, PASSWD_BY_UID, &users[0]);
	runtime_remove(&runtime);
}

/* Root alone has shadow records, whatever the source. */
static void test_shadow_of_others(const struct module *module)
{
	struct runtime runtime = runtime_make();
	struct server server = server_start(&runtime, serve_users, BACKLOG);
	pid_t child;
	int status;

	runtime_publish(&runtime);
	child = fork();
	CHECK(child >= 0, "%m");
	if (child == 0) {
		CHECK(setresgid(ANYBODY, ANYBODY, ANYBODY) == 0 && setresuid(ANYBODY, ANYBODY, ANYBODY) == 0, "%m");
		expect_record(module, PASSWD_BY_NAME, &users[0]);
		expect_record(module, PASSWD_NEXT, &users[0]);
		module_end(module, PASSWD_NEXT);
		expect_absent(module, SHADOW_BY_NAME, &users[0]);
		expect_absent(module, GSHADOW_BY_NAME, &users[0]);
		expect_absent(module, SHADOW_NEXT, &users[0]);
		expect_absent(module, GSHADOW_NEXT, &users[0]);
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0, "the unprivileged child: %d", status);
	server_stop(&server);
	runtime_remove(&runtime);
}

static void test_initgroups(const struct module *module)
{
	struct runtime runtime = runtime_make();
	gid_t space[2] = { 7, 7 }, *groups = space;
	long start = 1, size = 2;
	int error_number = 0;

	runtime_publish(&runtime);
	errno = 0;
	CHECK(module_initgroups(module)("a", 61184, &start, &size, &groups, -1, &error_number) == NSS_STATUS_NOTFOUND,
	      "initgroups");
	CHECK(groups == space && space[0] == 7 && space[1] == 7 && start == 1 && size == 2, "the array was touched");
	CHECK(error_number == 0 && errno == 0, "errno %d, %d", error_number, errno);
	runtime_remove(&runtime);
}

int main(int argc, char **argv)
{
	struct module *module;

	CHECK(argc == 2, "usage: %s MODULE", argv[0]);
	module = module_load(argv[1]);
	test_links(module);
	test_socket_without_links(module);
	test_socket_forced(module);
	test_bypass(module);
	test_damaged_links(module);
	test_impossible(module);
	test_runtime_directory(module);
	test_shadow_of_others(module);
	test_initgroups(module);
	module_unload(module);
	return 0;
}
