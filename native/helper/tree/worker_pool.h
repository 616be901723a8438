/*
 * Owns the worker threads of a walk. The walking thread reads directories into chunks of entries, which the workers process;
 * the walking thread helps if it would have to wait. Chunks may end in any order: what must come after one waits for its number.
 */
#ifndef DYNUSER_HELPER_TREE_WORKER_POOL_H
#define DYNUSER_HELPER_TREE_WORKER_POOL_H

#include <dirent.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "limits.h"
#include "open.h"
#include "report.h"

#define TREE_CHUNK_ENTRIES (TREE_CHUNK_BYTES / TREE_ENTRY_SHORTEST)

/* A batch: the entries of one directory in a chunk. */
struct tree_batch {
	int directory;
	/* nobody but root can change the names in it */
	bool closed;
	size_t count;
};

struct tree_chunk {
	_Alignas(struct dirent64) char bytes[TREE_CHUNK_BYTES];
	size_t length;
	const struct dirent64 *entries[TREE_CHUNK_ENTRIES];
	size_t count;
	struct tree_batch batches[TREE_CHUNK_DIRECTORIES];
	size_t batch_count;
	bool done;
};

struct tree_pool;

/* One thread of the pool. */
struct tree_worker {
	struct tree_pool *pool;
	pthread_t thread;
	uint64_t changed;
	/* Whether the next inode is expected to need a change, like the last. */
	bool expects_change;
	struct tree_failure failure;
};

/* Works on one entry. Returns false to stop all, after tree_fail() or tree_changed(). */
typedef bool tree_work(struct tree_worker *worker, const struct tree_batch *batch, const char *name);

struct tree_pool {
	int top;
	/* the mount that the tree is on */
	uint64_t mount;
	struct tree_report *report;
	tree_work *work;
	void *context;
	/* the walking thread's is the first */
	struct tree_worker workers[TREE_THREADS_MAX];
	size_t threads;
	/* the chunk of number n is chunks[n % TREE_CHUNKS]; 0 … out-1 are done, … next-1 taken, … in-1 handed over */
	struct tree_chunk *chunks;
	uint64_t in, next, out;
	bool over, stopped;
	struct tree_failure failure;
	pthread_mutex_t mutex;
	pthread_cond_t available, done;
};

/*
 * Prepares a pool, of one thread if alone is set; the others start with the first chunk. pool->top, mount, report, work and
 * context are set before. False with errno.
 */
bool tree_pool_start(struct tree_pool *pool, bool alone);

/* The open chunk, with room for one more read of a directory. NULL if the work was stopped. */
struct tree_chunk *tree_pool_chunk(struct tree_pool *pool);

/* The number that is reached once all is done that was put into chunks until now. */
uint64_t tree_pool_now(const struct tree_pool *pool);

/* Whether that number is reached; and a wait until it is, false if the work was stopped. */
bool tree_pool_reached(struct tree_pool *pool, uint64_t number);
bool tree_pool_wait(struct tree_pool *pool, uint64_t number);

/* Ends the threads. False if the work was stopped: pool->failure says why. */
bool tree_pool_end(struct tree_pool *pool);

/* Notes what stopped a worker, and where; always false. An error that a change of the tree explains is told as that. */
bool tree_fail(struct tree_worker *worker, const char *call, int error, int directory, const char *name);
bool tree_changed(struct tree_worker *worker, int directory, const char *name);

/* Adds to the counts of the report. */
void tree_pool_report_count(struct tree_pool *pool, uint64_t inodes, uint64_t changed);

/* Tells of a mount point, and of an inode that was left alone, whichever thread finds it. */
void tree_pool_report_mount(struct tree_pool *pool, int directory, const char *name);
void tree_pool_report_left(struct tree_pool *pool, int directory, const char *name);

#endif
