/* Calls and replies; see daemon_client.h. */
#include "daemon_client.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "dynuser.h"
#include "cli/fail.h"
#include "launch_request.h"
#include "cli/field_label.h"
#include "varlink.h"

/* How long the daemon may say nothing. A handover of large directories takes longer, and is told of meanwhile. */
#define SILENCE_SECONDS 30U
#define MS_PER_S 1000U
/* The longest reply: a plan with the largest environment and command that execve(2) takes. */
#define REPLY_BYTES_MAX (8U * 1024U * 1024U)
/* What it may send in all: some plans, and a week of progress at one line a second. */
#define ALL_REPLIES_BYTES_MAX (128U * 1024U * 1024U)
/* A unit file asks for its drop-ins, those for their environment files, by more than one pattern. */
#define ROUNDS_MAX 16U
/* What an error is about: a path of a unit file, a line, a property. */
#define TYPED_BYTES_MAX (PATH_MAX + 128U)

struct dialogue {
	struct varlink connection;
	char *buffer;
	/* Why there is no connection; 0: there is one. */
	int error;
	char path[PATH_MAX];
};

static void find_socket(char *path, size_t size, const char *name)
{
	const char *directory = secure_getenv(DYNUSER_ENV_RUNTIME_DIRECTORY);

	if (directory == NULL || directory[0] != '/')
		directory = DYNUSER_RUNTIME_DIRECTORY;
	if (strlen(directory) + strlen("/") + strlen(name) >= size)
		fail(STATUS_LAUNCHER, "%s is too long", DYNUSER_ENV_RUNTIME_DIRECTORY);
	(void)stpcpy(stpcpy(stpcpy(path, directory), "/"), name);
}

static struct deadline silence(void)
{
	return deadline_after(SILENCE_SECONDS * MS_PER_S);
}

struct dialogue *ask_early(void)
{
	const struct varlink_bounds bounds = { .milliseconds = SILENCE_SECONDS * MS_PER_S, .bytes = ALL_REPLIES_BYTES_MAX };
	static struct dialogue dialogue;

	/*
	 * No other user's requests stand before ours on the socket of who may acquire. It may be closed to us, missing in a
	 * container, or left by a daemon that is too old for it now.
	 */
	find_socket(dialogue.path, sizeof(dialogue.path), DYNUSER_ALLOCATOR_SOCKET);
	dialogue.error = varlink_open(&dialogue.connection, dialogue.path, bounds, NULL, 0);
	if (dialogue.error == ENOENT || dialogue.error == EACCES || dialogue.error == EPERM || dialogue.error == ECONNREFUSED) {
		find_socket(dialogue.path, sizeof(dialogue.path), DYNUSER_SOCKET);
		dialogue.error = varlink_open(&dialogue.connection, dialogue.path, bounds, NULL, 0);
	}
	return &dialogue;
}

static void check_connection(const struct dialogue *dialogue)
{
	if (dialogue->error == ENOENT || dialogue->error == ECONNREFUSED)
		fail(STATUS_LAUNCHER,
		     "the daemon is not running (nobody listens at %s); start it with 'systemctl start dynuserd', or run dynuserd",
		     dialogue->path);
	if (dialogue->error == ETIMEDOUT)
		fail(STATUS_LAUNCHER, "the daemon at %s took no connection for %u seconds", dialogue->path, SILENCE_SECONDS);
	if (dialogue->error != 0)
		fail_errno(dialogue->error, "cannot connect to the daemon at %s", dialogue->path);
}

static void make_room(struct dialogue *dialogue)
{
	/* Pages come to be as they are written to. Not malloc(3)'s: it lives until execve(2) takes it all. */
	dialogue->buffer = mmap(NULL, REPLY_BYTES_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (dialogue->buffer == MAP_FAILED)
		fail_errno(errno, "cannot have memory for the daemon's answer");
	/* Nor by two MiB at once for an answer of some hundred bytes; an old kernel may not have huge pages at all. */
	(void)madvise(dialogue->buffer, REPLY_BYTES_MAX, MADV_NOHUGEPAGE);
	dialogue->connection.buffer = dialogue->buffer;
	dialogue->connection.size = REPLY_BYTES_MAX;
}

static _Noreturn void fail_dialogue(const struct dialogue *dialogue, int error)
{
	if (error == ETIMEDOUT)
		fail(STATUS_LAUNCHER, "the daemon at %s has said nothing for %u seconds", dialogue->path, SILENCE_SECONDS);
	if (error == ECONNRESET || error == EPIPE)
		fail(STATUS_LAUNCHER, "the daemon at %s closed the connection before it answered", dialogue->path);
	if (error == EMSGSIZE)
		fail(STATUS_LAUNCHER, "the daemon at %s sent more than an answer may have", dialogue->path);
	fail_errno(error, "lost the daemon at %s", dialogue->path);
}

static _Noreturn void fail_refused(const struct dialogue *dialogue, const struct options *options, const struct reply *reply)
{
	char typed[TYPED_BYTES_MAX] = "";

	if (reply->field != NULL)
		typed_write(options, reply->field, typed, sizeof(typed));
	if (reply->reason != NULL)
		fail(STATUS_LAUNCHER, "%s%s", typed, reply->reason);
	if (strcmp(reply->error, "org.varlink.service.MethodNotFound") == 0)
		fail(STATUS_LAUNCHER, "the daemon at %s is too old to launch anything; restart it after the upgrade", dialogue->path);
	fail(STATUS_LAUNCHER, "the daemon at %s answered with the error %s", dialogue->path, reply->error);
}

/* Receives up to the last reply to a call; those before it have progress alone, and count as signs of life. */
static void receive(struct dialogue *dialogue, const struct options *options, struct reply *reply)
{
	char where[96];

	do {
		const char *message;
		size_t length;
		int error;

		dialogue->connection.deadline = silence();
		error = varlink_receive(&dialogue->connection, &message, &length);
		if (error != 0)
			fail_dialogue(dialogue, error);
		memset(reply, 0, sizeof(*reply));
		if (!reply_read(dialogue->buffer + (message - dialogue->buffer), length, reply, where, sizeof(where)))
			fail(STATUS_LAUNCHER, "the daemon at %s answered what this launcher does not understand (%s); restart both at one version",
			     dialogue->path, where[0] == '\0' ? "no JSON" : where);
	} while (reply->continues);
	if (reply->error != NULL)
		fail_refused(dialogue, options, reply);
}

static void call(struct dialogue *dialogue, const struct options *options, const struct json_writer *request, struct reply *reply)
{
	int error;

	dialogue->connection.deadline = silence();
	error = varlink_send(&dialogue->connection, request->text, request->length);
	if (error != 0)
		fail_dialogue(dialogue, error);
	receive(dialogue, options, reply);
}

static void check_answer(const struct dialogue *dialogue, const struct options *options, const struct reply *reply)
{
	if (options->explain ? reply->explanation.count == 0 : !reply->has_plan)
		fail(STATUS_LAUNCHER, "the daemon at %s answered without %s", dialogue->path,
		     options->explain ? "an explanation" : "a plan");
}

const struct reply *ask(struct dialogue *dialogue, const struct options *options, bool may_mount)
{
	static struct reply reply;
	struct answers answers = { .text = json_write_begin(REQUEST_BYTES_MAX) };
	struct json_writer request = json_write_begin(REQUEST_BYTES_MAX);
	unsigned int rounds = 0;

	/* Bad options are told where there is no daemon, too. */
	request_write(&request, options, may_mount, &answers);
	check_connection(dialogue);
	make_room(dialogue);
	for (;;) {
		call(dialogue, options, &request, &reply);
		if (reply.question_count == 0)
			break;
		if (++rounds == ROUNDS_MAX)
			fail(STATUS_LAUNCHER, "the daemon at %s goes on asking after %u rounds", dialogue->path, rounds);
		for (size_t i = 0; i < reply.question_count; i++)
			answer_question(&answers, &reply.questions[i]);
		request_write(&request, options, may_mount, &answers);
	}
	varlink_close(&dialogue->connection);
	json_write_end(&request);
	json_write_end(&answers.text);
	for (size_t i = 0; i < reply.warnings.count; i++)
		say("%s", reply.warnings.items[i]);
	check_answer(dialogue, options, &reply);
	return &reply;
}
