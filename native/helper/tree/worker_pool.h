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

#include "report.h"

/* Bytes of entries of one chunk of work: some 2,000 short names, of one directory or of many small ones. */
#define TREE_CHUNK_BYTES (64U * 1024U)
/* The shortest record of getdents64(2): its header, one byte of name, the NUL, and padding to eight. */
#define TREE_ENTRY_SHORTEST 24U
/* Directories with entries in one chunk, and chunks under way. */
#define TREE_CHUNK_DIRECTORIES 32U
#define TREE_CHUNKS 8U
/* Threads at most, the walking one included; never more than processors. */
#define TREE_THREADS_MAX 4U
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
};

/* Works on one entry. Returns false to stop all, after tree_fail() or tree_changed() of the report. */
typedef bool tree_work(struct tree_worker *worker, const struct tree_batch *batch, const char *name);

struct tree_pool {
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
	pthread_mutex_t mutex;
	pthread_cond_t available, done;
};

/*
 * Prepares a pool, of one thread if alone is set; the others start with the first chunk. pool->mount, report, work and
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

/* Ends the threads. False if the work was stopped. */
bool tree_pool_end(struct tree_pool *pool);

#endif
