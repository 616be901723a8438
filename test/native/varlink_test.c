/*
 * The bounded client connection against a peer in the same program, so that what races elsewhere comes in a known
 * order. No arguments.
 */
#include "varlink.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "leftovers.h"
#include "users.h"

#define BUFFER_BYTES 16
#define WAIT_MS 150

static const struct varlink_bounds bounds = { .milliseconds = WAIT_MS, .bytes = 64 };

/* A connection, and the peer's end of it. */
struct pair {
	struct runtime runtime;
	char path[100];
	char buffer[BUFFER_BYTES];
	struct varlink connection;
	int listener, peer;
};

static void pair_open(struct pair *pair)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	pair->runtime = runtime_make();
	(void)snprintf(pair->path, sizeof(pair->path), "%s/socket", pair->runtime.path);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", pair->path);
	pair->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(pair->listener >= 0, "%m");
	CHECK(bind(pair->listener, (struct sockaddr *)&address, sizeof(address)) == 0, "%m");
	CHECK(listen(pair->listener, 1) == 0, "%m");
	CHECK(varlink_open(&pair->connection, pair->path, bounds, pair->buffer, sizeof(pair->buffer)) == 0, "open");
	pair->peer = accept(pair->listener, NULL, NULL);
	CHECK(pair->peer >= 0, "%m");
}

static void pair_close(struct pair *pair)
{
	varlink_close(&pair->connection);
	CHECK(close(pair->peer) == 0 && close(pair->listener) == 0, "%m");
	runtime_remove(&pair->runtime);
}

static void peer_sends(const struct pair *pair, const char *bytes, size_t length)
{
	CHECK(send(pair->peer, bytes, length, 0) == (ssize_t)length, "%m");
}

static void expect_message(struct pair *pair, const char *expected)
{
	const char *message;
	size_t length;
	int error = varlink_receive(&pair->connection, &message, &length);

	CHECK(error == 0, "%s: %s", expected, strerror(error));
	CHECK(length == strlen(expected) && memcmp(message, expected, length + 1) == 0, "%s: %s", expected, message);
}

static void expect_failure(struct pair *pair, int expected)
{
	const char *message;
	size_t length;
	int error = varlink_receive(&pair->connection, &message, &length);

	CHECK(error == expected, "%s, not %s", strerror(error), strerror(expected));
}

/* Messages that come together, in parts, and over the end of the buffer. */
static void test_framing(void)
{
	struct pair pair;
	char received[8];

	pair_open(&pair);
	CHECK(varlink_send(&pair.connection, "hello", 6) == 0, "send");
	CHECK(recv(pair.peer, received, sizeof(received), 0) == 6 && strcmp(received, "hello") == 0, "what was sent");
	peer_sends(&pair, "one\0\0three\0fo", 13);
	expect_message(&pair, "one");
	expect_message(&pair, "");
	expect_message(&pair, "three");
	peer_sends(&pair, "ur and more\0", 12);
	expect_message(&pair, "four and more");
	peer_sends(&pair, "fifteen bytes..\0", 16);
	expect_message(&pair, "fifteen bytes..");
	peer_sends(&pair, "sixteen bytes...\0", 17);
	expect_failure(&pair, EMSGSIZE);
	pair_close(&pair);
}

/* 64 bytes in all; the last of them may be used. */
static void test_budget(void)
{
	struct pair pair;

	pair_open(&pair);
	for (unsigned int i = 0; i < 4; i++) {
		peer_sends(&pair, "fifteen bytes..\0", 16);
		expect_message(&pair, "fifteen bytes..");
	}
	peer_sends(&pair, "\0", 1);
	expect_failure(&pair, EMSGSIZE);
	pair_close(&pair);
}

static void test_end(void)
{
	struct pair pair;

	pair_open(&pair);
	peer_sends(&pair, "whole\0half", 10);
	CHECK(shutdown(pair.peer, SHUT_WR) == 0, "%m");
	expect_message(&pair, "whole");
	expect_failure(&pair, ECONNRESET);
	pair_close(&pair);
}

/* A signal that comes all the time must neither end the wait nor prolong it. */
static void ignore_signal(int number)
{
	(void)number;
}

static void test_deadline_under_signals(void)
{
	const struct itimerspec often = { .it_interval.tv_nsec = 1000000, .it_value.tv_nsec = 1000000 };
	const struct sigaction action = { .sa_handler = ignore_signal };
	struct timespec before, after;
	struct pair pair;
	timer_t timer;
	long took;

	CHECK(sigaction(SIGALRM, &action, NULL) == 0 && timer_create(CLOCK_MONOTONIC, NULL, &timer) == 0, "%m");
	CHECK(clock_gettime(CLOCK_MONOTONIC, &before) == 0, "%m");
	pair_open(&pair);
	CHECK(timer_settime(timer, 0, &often, NULL) == 0, "%m");
	expect_failure(&pair, ETIMEDOUT);
	/* Past its deadline, nothing is begun. */
	CHECK(varlink_send(&pair.connection, "late", 5) == ETIMEDOUT, "a late send");
	CHECK(timer_delete(timer) == 0, "%m");
	CHECK(clock_gettime(CLOCK_MONOTONIC, &after) == 0, "%m");
	took = (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
	CHECK(took >= WAIT_MS && took < 6L * WAIT_MS, "%ld ms", took);
	pair_close(&pair);
}

/* The peer is gone before the request is sent. */
static void test_peer_gone(void)
{
	struct leftovers before = leftovers_before();
	struct pair pair;
	int error;

	pair_open(&pair);
	CHECK(shutdown(pair.peer, SHUT_RDWR) == 0, "%m");
	error = varlink_send(&pair.connection, "hello", 6);
	CHECK(error == EPIPE, "%s", strerror(error));
	pair_close(&pair);
	leftovers_after(&before, "a peer that is gone");
}

/* A peer that never reads, when its buffers are full. */
static void test_peer_full(void)
{
	static const char plenty[1024 * 1024];
	struct pair pair;
	int error;

	pair_open(&pair);
	error = varlink_send(&pair.connection, plenty, sizeof(plenty));
	CHECK(error == ETIMEDOUT, "%s", strerror(error));
	pair_close(&pair);
}

static void expect_no_connection(const char *path, int expected)
{
	struct leftovers before = leftovers_before();
	struct varlink connection;
	char buffer[BUFFER_BYTES];
	int error = varlink_open(&connection, path, bounds, buffer, sizeof(buffer));

	CHECK(error == expected, "%s: %s", path, strerror(error));
	leftovers_after(&before, path);
}

static void test_no_connection(void)
{
	struct pair pair;
	char path[200];

	expect_no_connection("/nonexistent/socket", ENOENT);
	/* 107 bytes are a path, 108 are not. */
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[107] = '\0';
	expect_no_connection(path, ENOENT);
	path[107] = 'a';
	path[108] = '\0';
	expect_no_connection(path, ENAMETOOLONG);
	pair_open(&pair);
	CHECK(shutdown(pair.listener, SHUT_RDWR) == 0, "%m");
	expect_no_connection(pair.path, ECONNREFUSED);
	pair_close(&pair);
}

static void test_late_answer(void)
{
	const struct timespec pause = { .tv_nsec = 20000000 };
	struct pair pair;
	pid_t child;
	int status;

	pair_open(&pair);
	child = fork();
	CHECK(child >= 0, "%m");
	if (child == 0) {
		(void)nanosleep(&pause, NULL);
		_exit(send(pair.peer, "late\0soon", 10, 0) == 10 ? 0 : 1);
	}
	expect_message(&pair, "late");
	expect_message(&pair, "soon");
	CHECK(waitpid(child, &status, 0) == child && status == 0, "%d", status);
	pair_close(&pair);
}

int main(void)
{
	test_framing();
	test_budget();
	test_end();
	test_deadline_under_signals();
	test_late_answer();
	test_peer_gone();
	test_peer_full();
	test_no_connection();
	return 0;
}
