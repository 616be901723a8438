#include "tree_writer.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool read_link(int descriptor, char path[PATH_MAX])
{
	char link[16];

	(void)snprintf(link, sizeof(link), "%d", descriptor);
	ssize_t length = readlink(link, path, PATH_MAX - 1);

	path[length < 0 ? 0 : length] = '\0';
	return length >= 0;
}

/* Words for a person only: the kernel's name of a pinned inode, without that of the top. */
static void where(const struct tree_writer *writer, int descriptor, struct tree_path *path)
{
	char top[PATH_MAX], found[PATH_MAX];
	const char *shown = found;

	if (!read_link(descriptor, found) || !read_link(writer->top, top))
		shown = "?";
	else if (strncmp(found, top, strlen(top)) == 0 && found[strlen(top)] == '/')
		shown = found + strlen(top) + 1;
	tree_path_start(path, shown);
}

/* A directory that got, lost or renamed an entry since it was read may have some that were never seen. */
static bool directory_unchanged(const struct tree_gift *gift, const char **failed)
{
	struct tree_status now;

	if (!S_ISDIR(gift->status.mode))
		return true;
	if (!tree_look(gift->descriptor, "", &now)) {
		*failed = "statx";
		return false;
	}
	return tree_unchanged(&gift->status, &now);
}

static bool give(struct tree_writer *writer, const struct tree_gift *gift)
{
	const char *failed = NULL;

	if (directory_unchanged(gift, &failed)) {
		/* Of all others they were dropped by the thread that walks, to share the work evenly. */
		if (S_ISDIR(gift->status.mode))
			failed = tree_drop_acls(gift->descriptor, &gift->status);
		if (failed == NULL)
			failed = tree_give(gift->descriptor, &gift->status, &writer->owner);
		if (failed == NULL) {
			writer->given++;
			return true;
		}
	}
	writer->failure.call = failed;
	writer->failure.error = errno;
	where(writer, gift->descriptor, &writer->failure.path);
	return false;
}

static bool give_batch(struct tree_writer *writer, const struct tree_batch *batch)
{
	bool good = true;

	for (size_t i = 0; i < batch->count; i++) {
		good = good && give(writer, &batch->gifts[i]);
		(void)close(batch->gifts[i].descriptor);
	}
	return good;
}

static void *run(void *argument)
{
	struct tree_writer *writer = argument;

	(void)pthread_mutex_lock(&writer->mutex);
	for (;;) {
		while (writer->out == writer->in && !writer->over)
			(void)pthread_cond_wait(&writer->moved, &writer->mutex);
		if (writer->out == writer->in)
			break;
		const struct tree_batch *batch = &writer->batches[writer->out % TREE_BATCHES];

		(void)pthread_mutex_unlock(&writer->mutex);
		bool good = give_batch(writer, batch);

		(void)pthread_mutex_lock(&writer->mutex);
		writer->failed = writer->failed || !good;
		writer->out++;
		(void)pthread_cond_signal(&writer->moved);
		if (!good)
			break;
	}
	(void)pthread_mutex_unlock(&writer->mutex);
	return NULL;
}

void tree_writer_start(struct tree_writer *writer, int top, const struct tree_owner *owner)
{
	writer->owner = *owner;
	writer->top = top;
	(void)pthread_mutex_init(&writer->mutex, NULL);
	(void)pthread_cond_init(&writer->moved, NULL);
}

/* Hands the batch over and makes sure of an empty one; the thread is started with the first. */
static bool hand_over(struct tree_writer *writer)
{
	if (!writer->started) {
		int error = pthread_create(&writer->thread, NULL, run, writer);

		if (error != 0) {
			writer->failed = true;
			writer->failure = (struct tree_failure){ .call = "pthread_create", .error = error };
			tree_path_start(&writer->failure.path, ".");
			return false;
		}
		writer->started = true;
	}
	(void)pthread_mutex_lock(&writer->mutex);
	writer->in++;
	(void)pthread_cond_signal(&writer->moved);
	while (writer->in - writer->out == TREE_BATCHES && !writer->failed)
		(void)pthread_cond_wait(&writer->moved, &writer->mutex);
	bool good = !writer->failed;

	(void)pthread_mutex_unlock(&writer->mutex);
	if (good)
		writer->batches[writer->in % TREE_BATCHES].count = 0;
	return good;
}

bool tree_writer_put(struct tree_writer *writer, int descriptor, const struct tree_status *status)
{
	struct tree_batch *batch = &writer->batches[writer->in % TREE_BATCHES];

	batch->gifts[batch->count++] = (struct tree_gift){ .descriptor = descriptor, .status = *status };
	return batch->count < TREE_BATCH || hand_over(writer);
}

bool tree_writer_finish(struct tree_writer *writer)
{
	if (writer->started) {
		(void)pthread_mutex_lock(&writer->mutex);
		writer->over = true;
		(void)pthread_cond_signal(&writer->moved);
		(void)pthread_mutex_unlock(&writer->mutex);
		(void)pthread_join(writer->thread, NULL);
	}
	/* What never filled a batch is done here; for a small tree there is no thread at all. */
	if (!writer->failed && writer->out == writer->in)
		writer->failed = !give_batch(writer, &writer->batches[writer->in % TREE_BATCHES]);
	return !writer->failed;
}
