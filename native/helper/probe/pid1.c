/*
 * The switch is an environment variable that nss-systemd reads at every lookup (systemd's docs/ENVIRONMENT.md). The question is
 * io.systemd.UserDatabase (docs/USER_GROUP_API.md), as process 1 serves it to everybody.
 */
#include "pid1.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "identity.h"
#include "json.h"

/* What nss-systemd itself would wait for. The daemon kills this process long before. */
#define PID1_WAIT_MS 45000U
/* The longest method and the longest name make less than 200 bytes. Nothing in it needs an escape. */
#define REQUEST_MAX 256
#define REQUEST \
	"{\"method\":\"io.systemd.UserDatabase.GetUserRecord\"," \
	"\"parameters\":{\"userName\":\"%s\",\"service\":\"" PID1_SERVICE "\"}}"
#define NO_SUCH_USER "io.systemd.UserDatabase.NoRecordFound"
#define ERROR_MAX 128

/* Set by one byte of a string that stays where it is: setenv(3) would move what a thread of another module may be reading. */
static char variable[] = "SYSTEMD_NSS_DYNAMIC_BYPASS=0";

bool pid1_lookup_prepare(void)
{
	return putenv(variable) == 0;
}

void pid1_lookup_enable(bool ask)
{
	variable[sizeof(variable) - 2] = ask ? '0' : '1';
}

bool pid1_locks_tell(void)
{
	struct stat locks, socket;

	return stat(PID1_LOCKS, &locks) == 0 && stat(PID1_SOCKET, &socket) == 0 && locks.st_dev == socket.st_dev;
}

struct reply {
	char error[ERROR_MAX];
	bool has_number;
	uint32_t number;
};

static bool read_record(struct json_reader *reader, const char *key, void *context)
{
	struct reply *reply = context;

	if (strcmp(key, "uid") != 0)
		return json_skip(reader);
	reply->has_number = json_uint32(reader, &reply->number) == JSON_FIT;
	return reply->has_number;
}

static bool read_parameters(struct json_reader *reader, const char *key, void *context)
{
	return strcmp(key, "record") == 0 ? json_object(reader, read_record, context) : json_skip(reader);
}

static bool read_envelope(struct json_reader *reader, const char *key, void *context)
{
	struct reply *reply = context;

	if (strcmp(key, "error") == 0)
		return json_string(reader, reply->error, sizeof(reply->error)) == JSON_FIT;
	return strcmp(key, "parameters") == 0 ? json_object(reader, read_parameters, context) : json_skip(reader);
}

static enum pid1_answer judge(const char *text, size_t length, uint32_t *number)
{
	struct json_reader reader = json_read(text, length);
	struct reply reply = { .error = "" };

	if (!json_object(&reader, read_envelope, &reply) || !json_at_end(&reader))
		return PID1_UNCLEAR;
	if (strcmp(reply.error, NO_SUCH_USER) == 0)
		return PID1_HAS_NONE;
	if (reply.error[0] != '\0' || !reply.has_number)
		return PID1_UNCLEAR;
	*number = reply.number;
	return PID1_HAS_USER;
}

bool pid1_question_begin(struct pid1_question *question, const char *name)
{
	const struct varlink_bounds bounds = { .milliseconds = PID1_WAIT_MS, .bytes = PID1_REPLY_MAX };
	char request[REQUEST_MAX];

	if (!name_is_possible(name) ||
	    varlink_open(&question->connection, PID1_SOCKET, bounds, question->reply, sizeof(question->reply)) != 0)
		return false;
	(void)snprintf(request, sizeof(request), REQUEST, name);
	if (varlink_send(&question->connection, request, strlen(request) + 1) == 0)
		return true;
	varlink_close(&question->connection);
	return false;
}

enum pid1_answer pid1_question_end(struct pid1_question *question, uint32_t *number)
{
	const char *text;
	size_t length;
	int error = varlink_receive(&question->connection, &text, &length);
	enum pid1_answer answer = error == 0 ? judge(text, length, number) : PID1_UNCLEAR;

	varlink_close(&question->connection);
	return answer;
}

void pid1_question_drop(struct pid1_question *question)
{
	varlink_close(&question->connection);
}
