/* The servers; see hostile_servers.h. */
#include "hostile_servers.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* The bounds of the module (native/nss/bounds.h), said a second time: a test of a bound must not read it. */
#define RECORDS_MAX 131072U
#define REPLY_MAX 4096U
#define NS_PER_MS 1000000L

#define RECORD(name, uid, gid) \
	"{\"parameters\":{\"record\":{\"userName\":\"" name "\",\"uid\":" uid ",\"gid\":" gid ",\"service\":\"x\"}}}"
#define TRUTH RECORD("a", "61184", "61184")
#define PART "{\"continues\":true,\"parameters\":{\"record\":{\"userName\":\"a\",\"uid\":61184,\"gid\":61184}}}"
#define NO_RECORD "{\"error\":\"io.systemd.UserDatabase.NoRecordFound\",\"parameters\":{}}"

static const char truth[] = TRUTH;

static void swallow_request(int fd)
{
	char request[REQUEST_BYTES];

	receive_request(fd, request);
}

static void say(int fd, const char *text)
{
	swallow_request(fd);
	send_message(fd, text);
}

static void never_answers(int fd)
{
	char byte;

	swallow_request(fd);
	(void)recv(fd, &byte, 1, 0);
}

static void answers_slowly(int fd)
{
	const struct timespec pause = { .tv_nsec = 100 * NS_PER_MS };

	swallow_request(fd);
	for (size_t i = 0; i < sizeof(truth); i++) {
		if (send(fd, &truth[i], 1, MSG_NOSIGNAL) != 1)
			return;
		(void)nanosleep(&pause, NULL);
	}
}

static void answers_in_bytes(int fd)
{
	swallow_request(fd);
	for (size_t i = 0; i < sizeof(truth); i++)
		send_all(fd, &truth[i], 1);
}

static void closes_at_once(int fd)
{
	(void)fd;
}

static void answers_half(int fd)
{
	swallow_request(fd);
	send_all(fd, TRUTH, sizeof(TRUTH) / 2);
}

static void omits_the_nul(int fd)
{
	swallow_request(fd);
	send_all(fd, TRUTH, sizeof(TRUTH) - 1);
}

static void answers_nothing(int fd)
{
	say(fd, "");
}

static void answers_no_json(int fd)
{
	say(fd, "{\"parameters\":{\"record\":{\"userName\":\"a\",\"uid\":61184,\"gid\":61184,}}}");
}

static void answers_no_record(int fd)
{
	say(fd, "{\"parameters\":{}}");
}

static void answers_an_error(int fd)
{
	say(fd, "{\"error\":\"io.systemd.UserDatabase.ServiceNotAvailable\"}");
}

/* 1 MiB of white space before the truth: JSON, but longer than any reply may be. */
static void answers_at_length(int fd)
{
	char space[4096];

	swallow_request(fd);
	memset(space, ' ', sizeof(space));
	for (unsigned int i = 0; i < 256; i++)
		send_all(fd, space, sizeof(space));
	send_message(fd, TRUTH);
}

/* The longest reply that is taken, the NUL counted; and one byte more. */
static void pad_to(int fd, size_t length)
{
	char text[REPLY_MAX + 1];

	swallow_request(fd);
	memset(text, ' ', sizeof(text));
	memcpy(text + length - sizeof(TRUTH), TRUTH, sizeof(TRUTH));
	send_all(fd, text, length);
}

static void answers_at_the_limit(int fd)
{
	pad_to(fd, REPLY_MAX);
}

static void answers_above_the_limit(int fd)
{
	pad_to(fd, REPLY_MAX + 1);
}

static void never_ends(int fd)
{
	char text[4096];

	swallow_request(fd);
	memset(text, 'a', sizeof(text));
	while (send(fd, text, sizeof(text), MSG_NOSIGNAL) > 0)
		continue;
}

static void nests_deeply(int fd)
{
	char text[3000];

	memset(text, '[', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	say(fd, text);
}

static void answers_another(int fd)
{
	say(fd, RECORD("b", "61185", "61185"));
}

static void answers_root(int fd)
{
	say(fd, RECORD("root", "0", "0"));
}

static void answers_strange_name(int fd)
{
	say(fd, RECORD("a:b", "61184", "61184"));
}

static void answers_two_numbers(int fd)
{
	say(fd, RECORD("a", "61184", "0"));
}

static void answers_strange_numbers(int fd)
{
	say(fd, RECORD("a", "6.1184e4", "-1"));
}

static void answers_a_group(int fd)
{
	say(fd, "{\"parameters\":{\"record\":{\"groupName\":\"a\",\"gid\":61184}}}");
}

static void answers_otherwise(int fd)
{
	say(fd,
	    " { \"x.y\" : [ { } , [ null , 1e-3 , \"\\ud83d\\ude00\" ] ] , \"parameters\" :\n{ \"incomplete\" : false , "
	    "\"record\" : { \"locked\" : true , \"gid\" : 61184 , \"\\u0075id\" : 61184 , \"\303\244\" : { } , "
	    "\"userName\" : \"\\u0061\" } } , \"continues\" : false } ");
}

static void answers_twice(int fd)
{
	say(fd, TRUTH);
	send_message(fd, "and another thing");
}

static void send_records(int fd, unsigned int count)
{
	swallow_request(fd);
	for (unsigned int i = 0; i + 1 < count; i++)
		send_all(fd, PART, sizeof(PART));
	send_message(fd, TRUTH);
}

static void lists_100000(int fd)
{
	send_records(fd, 100000);
}

static void lists_to_the_limit(int fd)
{
	send_records(fd, RECORDS_MAX);
}

static void lists_above_the_limit(int fd)
{
	send_records(fd, RECORDS_MAX + 1);
}

static void lists_for_ever(int fd)
{
	swallow_request(fd);
	while (send(fd, PART, sizeof(PART), MSG_NOSIGNAL) > 0)
		continue;
}

static void lists_and_fails(int fd)
{
	say(fd, PART);
	send_message(fd, NO_RECORD);
}

static void lists_and_closes(int fd)
{
	say(fd, PART);
}

/* Users that cannot be ours among those that are: they are passed over. */
static void lists_strange_ones(int fd)
{
	say(fd, "{\"parameters\":{\"record\":{\"userName\":\"root\",\"uid\":0}},\"continues\":true}");
	send_message(fd, "{\"parameters\":{\"record\":{\"userName\":\"4242\",\"uid\":61185}},\"continues\":true}");
	send_message(fd,
		     "{\"parameters\":{\"record\":{\"userName\":\"games\",\"uid\":5,\"gid\":60}},\"continues\":true}");
	send_message(fd, "{\"parameters\":{\"record\":{}},\"continues\":true}");
	send_message(fd, TRUTH);
}

#define FOUND NSS_STATUS_SUCCESS, 0
#define ABSENT NSS_STATUS_NOTFOUND, 0
#define UNAVAILABLE(error) NSS_STATUS_UNAVAIL, error

static const struct hostile_server servers[] = {
	{ "never-answers", never_answers, UNAVAILABLE(ETIMEDOUT), UNAVAILABLE(ETIMEDOUT), 0 },
	{ "answers-slowly", answers_slowly, UNAVAILABLE(ETIMEDOUT), UNAVAILABLE(ETIMEDOUT), 0 },
	{ "answers-in-bytes", answers_in_bytes, FOUND, FOUND, 1 },
	{ "closes-at-once", closes_at_once, UNAVAILABLE(ECONNRESET), UNAVAILABLE(ECONNRESET), 0 },
	{ "closes-after-request", swallow_request, UNAVAILABLE(ECONNRESET), UNAVAILABLE(ECONNRESET), 0 },
	{ "answers-half", answers_half, UNAVAILABLE(ECONNRESET), UNAVAILABLE(ECONNRESET), 0 },
	{ "omits-the-nul", omits_the_nul, UNAVAILABLE(ECONNRESET), UNAVAILABLE(ECONNRESET), 0 },
	{ "answers-nothing", answers_nothing, UNAVAILABLE(EPROTO), UNAVAILABLE(EPROTO), 0 },
	{ "answers-no-json", answers_no_json, UNAVAILABLE(EPROTO), UNAVAILABLE(EPROTO), 0 },
	{ "answers-no-record", answers_no_record, UNAVAILABLE(EPROTO), UNAVAILABLE(EPROTO), 0 },
	{ "answers-an-error", answers_an_error, ABSENT, ABSENT, 0 },
	{ "answers-at-length", answers_at_length, UNAVAILABLE(EPROTO), UNAVAILABLE(EPROTO), 0 },
	{ "answers-at-the-limit", answers_at_the_limit, FOUND, FOUND, 1 },
	{ "answers-above-the-limit", answers_above_the_limit, UNAVAILABLE(EPROTO), FOUND, 1 },
	{ "never-ends", never_ends, UNAVAILABLE(EPROTO), UNAVAILABLE(EPROTO), 0 },
	{ "nests-deeply", nests_deeply, UNAVAILABLE(EPROTO), UNAVAILABLE(EPROTO), 0 },
	{ "answers-another", answers_another, ABSENT, FOUND, 1 },
	{ "answers-root", answers_root, ABSENT, ABSENT, 0 },
	{ "answers-strange-name", answers_strange_name, ABSENT, ABSENT, 0 },
	{ "answers-two-numbers", answers_two_numbers, ABSENT, ABSENT, 0 },
	{ "answers-strange-numbers", answers_strange_numbers, ABSENT, ABSENT, 0 },
	{ "answers-a-group", answers_a_group, ABSENT, ABSENT, 0 },
	{ "answers-otherwise", answers_otherwise, FOUND, FOUND, 1 },
	{ "answers-twice", answers_twice, FOUND, FOUND, 1 },
	{ "lists-100000", lists_100000, UNAVAILABLE(EPROTO), FOUND, 100000 },
	{ "lists-to-the-limit", lists_to_the_limit, UNAVAILABLE(EPROTO), FOUND, RECORDS_MAX },
	{ "lists-above-the-limit", lists_above_the_limit, UNAVAILABLE(EPROTO), UNAVAILABLE(EPROTO), 0 },
	{ "lists-for-ever", lists_for_ever, UNAVAILABLE(EPROTO), UNAVAILABLE(EPROTO), 0 },
	{ "lists-and-fails", lists_and_fails, UNAVAILABLE(EPROTO), UNAVAILABLE(EPROTO), 0 },
	{ "lists-and-closes", lists_and_closes, UNAVAILABLE(EPROTO), UNAVAILABLE(ECONNRESET), 0 },
	{ "lists-strange-ones", lists_strange_ones, UNAVAILABLE(EPROTO), FOUND, 1 },
};

const struct hostile_server *hostile_server_named(const char *name)
{
	for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++)
		if (strcmp(servers[i].name, name) == 0)
			return &servers[i];
	return NULL;
}

void hostile_servers_print(void)
{
	for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++)
		(void)puts(servers[i].name);
}
