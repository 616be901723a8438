/* See daemon_client.h. */
#include "daemon_client.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "dynuser.h"
#include "cli/fail.h"
#include "cli/progress.h"
#include "images/images.h"
#include "launch_request.h"
#include "varlink.h"

/* How long the daemon may be silent. A handover of large directories takes longer, but sends progress. */
#define SILENCE_SECONDS 30U
#define MS_PER_S 1000U
/* The longest reply: a plan with the largest environment and command that execve(2) takes. */
#define REPLY_BYTES_MAX (8U * 1024U * 1024U)
/* What it may send in all: some plans, and a week of progress at one line a second. */
#define ALL_REPLIES_BYTES_MAX (128U * 1024U * 1024U)
/* A unit file leads to drop-ins, those to environment files, and patterns to more of them. */
#define ROUNDS_MAX 16U
/* The label of a field: a path of a unit file, a line, a property. */
#define LABEL_BYTES_MAX (PATH_MAX + 128U)

struct daemon_client {
	struct varlink connection;
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

struct daemon_client *daemon_connect(void)
{
	const struct varlink_bounds bounds = { .milliseconds = SILENCE_SECONDS * MS_PER_S,
					       .bytes = ALL_REPLIES_BYTES_MAX };
	static struct daemon_client client;

	/*
	 * On the socket of those who may acquire, no other user's requests are before ours. It may be closed to us, be missing in a
	 * container, or be left over although the daemon that runs now is too old for it.
	 */
	find_socket(client.path, sizeof(client.path), DYNUSER_ALLOCATOR_SOCKET);
	client.error = varlink_open(&client.connection, client.path, bounds, NULL, 0);
	if (client.error == ENOENT || client.error == EACCES || client.error == EPERM || client.error == ECONNREFUSED) {
		find_socket(client.path, sizeof(client.path), DYNUSER_SOCKET);
		client.error = varlink_open(&client.connection, client.path, bounds, NULL, 0);
	}
	return &client;
}

static void check_connection(const struct daemon_client *client)
{
	if (client->error == ENOENT || client->error == ECONNREFUSED)
		fail(STATUS_LAUNCHER,
		     "the daemon is not running (nobody listens at %s); start it with 'systemctl start dynuserd', or run dynuserd",
		     client->path);
	if (client->error == ETIMEDOUT)
		fail(STATUS_LAUNCHER, "the daemon at %s accepted no connection for %u seconds", client->path,
		     SILENCE_SECONDS);
	if (client->error != 0)
		fail_errno(client->error, "cannot connect to the daemon at %s", client->path);
}

static void make_room(struct daemon_client *client)
{
	/* The kernel provides pages as they are written to. Lives until execve(2). */
	char *buffer =
		mmap(NULL, REPLY_BYTES_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (buffer == MAP_FAILED)
		fail_errno(errno, "cannot allocate memory for the daemon's reply");
	/* No huge page for a reply of some hundred bytes; a kernel may have none at all. */
	(void)madvise(buffer, REPLY_BYTES_MAX, MADV_NOHUGEPAGE);
	client->connection.buffer = buffer;
	client->connection.size = REPLY_BYTES_MAX;
}

static _Noreturn void fail_exchange(const struct daemon_client *client, int error)
{
	if (error == ETIMEDOUT)
		fail(STATUS_LAUNCHER, "the daemon at %s has been silent for %u seconds", client->path, SILENCE_SECONDS);
	if (error == ECONNRESET || error == EPIPE)
		fail(STATUS_LAUNCHER, "the daemon at %s closed the connection before it answered", client->path);
	if (error == EMSGSIZE)
		fail(STATUS_LAUNCHER, "the daemon at %s sent a reply that is too long", client->path);
	fail_errno(error, "lost the daemon at %s", client->path);
}

static _Noreturn void fail_refused(const struct daemon_client *client, const struct options *options,
				   const struct reply *reply)
{
	char label[LABEL_BYTES_MAX] = "";

	if (reply->field != NULL)
		field_label_write(options, reply->field, label, sizeof(label));
	if (reply->reason != NULL)
		fail(STATUS_LAUNCHER, "%s%s", label, reply->reason);
	if (strcmp(reply->error, "org.varlink.service.MethodNotFound") == 0)
		fail(STATUS_LAUNCHER, "the daemon at %s is too old to launch programs; restart it after the upgrade",
		     client->path);
	if (strcmp(reply->error, "org.varlink.service.InvalidParameter") == 0 && reply->parameter != NULL)
		fail(STATUS_LAUNCHER,
		     "the daemon at %s does not take the parameter '%s'; install dynuserd and dynuser-run of the same version, and restart the daemon",
		     client->path, reply->parameter);
	fail(STATUS_LAUNCHER, "the daemon at %s answered with the error %s", client->path, reply->error);
}

/*
 * Receives the last reply to a call. Those before it prove that the daemon is alive; they report progress, which a terminal shows, or have
 * the image that can be mounted meanwhile.
 */
static void receive(struct daemon_client *client, const struct options *options, struct reply *reply)
{
	char where[96], *buffer = client->connection.buffer;

	do {
		const char *message;
		size_t length;
		int error;

		client->connection.deadline = silence();
		error = varlink_receive(&client->connection, &message, &length);
		progress_clear();
		if (error != 0)
			fail_exchange(client, error);
		memset(reply, 0, sizeof(*reply));
		if (!reply_read(buffer + (message - buffer), length, reply, where, sizeof(where)))
			fail(STATUS_LAUNCHER,
			     "cannot understand the daemon at %s (%s); install dynuserd and dynuser-run of the same version",
			     client->path, where[0] == '\0' ? "invalid JSON" : where);
		if (reply->has_progress)
			progress_show(reply->progress.path, reply->progress.inodes, reply->progress.changed);
		if (reply->has_image && reply->continues)
			image_get_ready(&reply->image, options->program);
	} while (reply->continues);
	if (reply->error != NULL)
		fail_refused(client, options, reply);
}

static void call(struct daemon_client *client, const struct options *options, const struct json_writer *request,
		 struct reply *reply)
{
	int error;

	client->connection.deadline = silence();
	error = varlink_send(&client->connection, request->text, request->length);
	if (error != 0)
		fail_exchange(client, error);
	receive(client, options, reply);
}

static void check_answer(const struct daemon_client *client, const struct options *options, const struct reply *reply)
{
	if (options->explain ? reply->explanation.count == 0 : !reply->has_plan && reply->skipped == NULL)
		fail(STATUS_LAUNCHER, "the daemon at %s answered without %s", client->path,
		     options->explain ? "an explanation" : "a plan");
}

const struct reply *daemon_launch(struct daemon_client *client, const struct options *options, bool may_mount)
{
	static struct reply reply;
	struct answers answers = { .text = json_write_begin(REQUEST_BYTES_MAX) };
	struct json_writer request = json_write_begin(REQUEST_BYTES_MAX);
	unsigned int rounds = 0;

	answer_usual_questions(&answers, options->program, &options->properties);
	/* Before the connection is checked: bad options are reported even without a daemon. */
	launch_request_write(&request, options, may_mount, &answers);
	check_connection(client);
	make_room(client);
	for (;;) {
		call(client, options, &request, &reply);
		if (reply.question_count == 0)
			break;
		if (++rounds == ROUNDS_MAX)
			fail(STATUS_LAUNCHER, "the daemon at %s still asks questions after %u rounds", client->path,
			     rounds);
		for (size_t i = 0; i < reply.question_count; i++)
			answer_question(&answers, &reply.questions[i]);
		free(reply.questions);
		launch_request_write(&request, options, may_mount, &answers);
	}
	images_looked();
	varlink_close(&client->connection);
	json_write_end(&request);
	json_write_end(&answers.text);
	for (size_t i = 0; i < reply.warnings.count; i++)
		say("%s", reply.warnings.items[i]);
	check_answer(client, options, &reply);
	return &reply;
}
