/*
 * Owns the second thread of a handover: it gives pinned inodes to their new owner, strictly in the order in which they
 * were put in, while the first walks on. So a directory that is put in after all that is below it changes after it.
 */
#ifndef DYNUSER_HELPER_TREE_WRITER_H
#define DYNUSER_HELPER_TREE_WRITER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tree_limits.h"
#include "tree_open.h"
#include "tree_owner.h"
#include "tree_report.h"

/* An inode to be given away. */
struct tree_gift {
	int descriptor;
	struct tree_status status;
};

struct tree_batch {
	struct tree_gift gifts[TREE_BATCH];
	size_t count;
};

struct tree_writer {
	struct tree_owner owner;
	/* the top, whose path is cut off from those that are told */
	int top;
	struct tree_batch batches[TREE_BATCHES];
	/* batches that were put in and taken out so far; the batch of number n is batches[n % TREE_BATCHES] */
	uint64_t in, out;
	bool over;
	bool started;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t moved;
	/* of the thread, to be read after tree_writer_finish() or where tree_writer_put() returned false */
	uint64_t given;
	bool failed;
	struct tree_failure failure;
};

void tree_writer_start(struct tree_writer *writer, int top, const struct tree_owner *owner);

/* Takes the descriptor over. False where the thread was stopped by a failure. */
bool tree_writer_put(struct tree_writer *writer, int descriptor, const struct tree_status *status);

/* Waits until all is done that was put in. False where a failure stopped it. */
bool tree_writer_finish(struct tree_writer *writer);

#endif
