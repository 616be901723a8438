/* See worker_pool.h. */
#include "worker_pool.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

/* A chunk with less room than this for another read is handed over. */
#define CHUNK_ROOM (8U * 1024U)

static bool work_on(struct tree_worker *worker, const struct tree_chunk *chunk)
{
	size_t at = 0;

	for (const struct tree_batch *batch = chunk->batches; batch < chunk->batches + chunk->batch_count; batch++) {
		for (size_t end = at + batch->count; at < end; at++) {
			if (!worker->pool->work(worker, batch, chunk->entries[at]->d_name))
				return false;
		}
	}
	return true;
}

/* Takes the next chunk and works on it, with the mutex held before and after, and not meanwhile. */
static void work_on_next(struct tree_worker *worker)
{
	struct tree_pool *pool = worker->pool;
	struct tree_chunk *chunk = &pool->chunks[pool->next++ % TREE_CHUNKS];
	uint64_t changed = worker->changed;

	(void)pthread_mutex_unlock(&pool->mutex);
	bool good = work_on(worker, chunk);

	tree_report_count(pool->report, chunk->count, worker->changed - changed);
	(void)pthread_mutex_lock(&pool->mutex);
	if (!good && !pool->stopped) {
		pool->stopped = true;
		(void)pthread_cond_broadcast(&pool->available);
	}
	chunk->done = true;
	while (pool->out < pool->next && pool->chunks[pool->out % TREE_CHUNKS].done) {
		pool->chunks[pool->out % TREE_CHUNKS].done = false;
		pool->out++;
	}
	(void)pthread_cond_signal(&pool->done);
}

static void *run(void *argument)
{
	struct tree_worker *worker = argument;
	struct tree_pool *pool = worker->pool;

	(void)pthread_mutex_lock(&pool->mutex);
	while (!pool->stopped) {
		if (pool->next < pool->in)
			work_on_next(worker);
		else if (pool->over)
			break;
		else
			(void)pthread_cond_wait(&pool->available, &pool->mutex);
	}
	(void)pthread_mutex_unlock(&pool->mutex);
	return NULL;
}

bool tree_pool_start(struct tree_pool *pool, bool alone)
{
	cpu_set_t processors;
	int count = sched_getaffinity(0, sizeof(processors), &processors) == 0 ? CPU_COUNT(&processors) : 1;

	pool->threads = alone ? 1 : (size_t)count;
	if (pool->threads > TREE_THREADS_MAX)
		pool->threads = TREE_THREADS_MAX;
	for (size_t i = 0; i < TREE_THREADS_MAX; i++)
		pool->workers[i].pool = pool;
	(void)pthread_mutex_init(&pool->mutex, NULL);
	(void)pthread_cond_init(&pool->available, NULL);
	(void)pthread_cond_init(&pool->done, NULL);
	pool->chunks = calloc(TREE_CHUNKS, sizeof(*pool->chunks));
	return pool->chunks != NULL;
}

/* No thread is needed: the walking one works on what nobody takes. */
static void start_threads(struct tree_pool *pool)
{
	for (size_t i = 1; i < pool->threads; i++) {
		if (pthread_create(&pool->workers[i].thread, NULL, run, &pool->workers[i]) != 0)
			pool->threads = i;
	}
}

/* Waits for a number, and works meanwhile. */
static bool wait_locked(struct tree_pool *pool, uint64_t number)
{
	while (pool->out < number && !pool->stopped) {
		if (pool->next < pool->in)
			work_on_next(&pool->workers[0]);
		else
			(void)pthread_cond_wait(&pool->done, &pool->mutex);
	}
	return !pool->stopped;
}

/* Hands the open chunk over and makes sure that the one after it is empty. */
static bool hand_over(struct tree_pool *pool)
{
	if (pool->in == 0)
		start_threads(pool);
	(void)pthread_mutex_lock(&pool->mutex);
	pool->in++;
	(void)pthread_cond_signal(&pool->available);
	bool good = wait_locked(pool, pool->in < TREE_CHUNKS ? 0 : pool->in - TREE_CHUNKS + 1);

	(void)pthread_mutex_unlock(&pool->mutex);
	struct tree_chunk *chunk = &pool->chunks[pool->in % TREE_CHUNKS];

	if (good)
		chunk->length = chunk->count = chunk->batch_count = 0;
	return good;
}

struct tree_chunk *tree_pool_chunk(struct tree_pool *pool)
{
	const struct tree_chunk *open = &pool->chunks[pool->in % TREE_CHUNKS];
	bool full = TREE_CHUNK_BYTES - open->length < CHUNK_ROOM || open->batch_count == TREE_CHUNK_DIRECTORIES;

	return full && !hand_over(pool) ? NULL : &pool->chunks[pool->in % TREE_CHUNKS];
}

uint64_t tree_pool_now(const struct tree_pool *pool)
{
	return pool->in + (pool->chunks[pool->in % TREE_CHUNKS].count > 0 ? 1 : 0);
}

bool tree_pool_reached(struct tree_pool *pool, uint64_t number)
{
	(void)pthread_mutex_lock(&pool->mutex);
	bool reached = pool->out >= number && !pool->stopped;

	(void)pthread_mutex_unlock(&pool->mutex);
	return reached;
}

bool tree_pool_wait(struct tree_pool *pool, uint64_t number)
{
	if (number > pool->in && !hand_over(pool))
		return false;
	(void)pthread_mutex_lock(&pool->mutex);
	bool good = wait_locked(pool, number);

	(void)pthread_mutex_unlock(&pool->mutex);
	return good;
}

bool tree_pool_end(struct tree_pool *pool)
{
	(void)pthread_mutex_lock(&pool->mutex);
	pool->over = true;
	(void)pthread_cond_broadcast(&pool->available);
	(void)pthread_mutex_unlock(&pool->mutex);
	for (size_t i = 1; pool->in > 0 && i < pool->threads; i++)
		(void)pthread_join(pool->workers[i].thread, NULL);
	free(pool->chunks);
	pool->chunks = NULL;
	return !pool->stopped;
}
