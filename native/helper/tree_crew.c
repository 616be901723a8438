#include "tree_crew.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

bool tree_changed(struct tree_hand *hand, int directory, const char *name)
{
	hand->failure.call = NULL;
	tree_path_find(&hand->failure.path, hand->crew->top, directory, name);
	return false;
}

bool tree_fail(struct tree_hand *hand, const char *call, int error, int directory, const char *name)
{
	/* What was listed a moment ago is gone, is now a symlink, or is no directory any more. */
	if (error == ENOENT || error == ELOOP || error == ENOTDIR || error == ESTALE)
		return tree_changed(hand, directory, name);
	hand->failure.call = call;
	hand->failure.error = error;
	tree_path_find(&hand->failure.path, hand->crew->top, directory, name);
	return false;
}

void tree_tell_count(struct tree_crew *crew, uint64_t inodes, uint64_t changed)
{
	(void)pthread_mutex_lock(&crew->mutex);
	tree_report_count(crew->report, inodes, changed);
	(void)pthread_mutex_unlock(&crew->mutex);
}

void tree_tell_mount(struct tree_crew *crew, int directory, const char *name)
{
	struct tree_path path;

	tree_path_find(&path, crew->top, directory, name);
	(void)pthread_mutex_lock(&crew->mutex);
	tree_report_mount(crew->report, &path);
	(void)pthread_mutex_unlock(&crew->mutex);
}

void tree_tell_left(struct tree_crew *crew, int directory, const char *name)
{
	struct tree_path path;

	tree_path_find(&path, crew->top, directory, name);
	(void)pthread_mutex_lock(&crew->mutex);
	tree_report_left(crew->report, &path);
	(void)pthread_mutex_unlock(&crew->mutex);
}

static bool work_on(struct tree_hand *hand, const struct tree_chunk *chunk)
{
	size_t at = 0;

	for (const struct tree_part *part = chunk->parts; part < chunk->parts + chunk->part_count; part++) {
		for (size_t end = at + part->count; at < end; at++) {
			if (!hand->crew->work(hand, part, chunk->entries[at]->d_name))
				return false;
		}
	}
	return true;
}

/* Takes the next chunk and works on it, with the mutex held before and after, and not meanwhile. */
static void work_on_next(struct tree_hand *hand)
{
	struct tree_crew *crew = hand->crew;
	struct tree_chunk *chunk = &crew->chunks[crew->next++ % TREE_CHUNKS];
	uint64_t changed = hand->changed;

	(void)pthread_mutex_unlock(&crew->mutex);
	bool good = work_on(hand, chunk);

	(void)pthread_mutex_lock(&crew->mutex);
	tree_report_count(crew->report, chunk->count, hand->changed - changed);
	if (!good && !crew->stopped) {
		crew->stopped = true;
		crew->failure = hand->failure;
		(void)pthread_cond_broadcast(&crew->handed_over);
	}
	chunk->done = true;
	while (crew->out < crew->next && crew->chunks[crew->out % TREE_CHUNKS].done) {
		crew->chunks[crew->out % TREE_CHUNKS].done = false;
		crew->out++;
	}
	(void)pthread_cond_signal(&crew->done);
}

static void *run(void *argument)
{
	struct tree_hand *hand = argument;
	struct tree_crew *crew = hand->crew;

	(void)pthread_mutex_lock(&crew->mutex);
	while (!crew->stopped) {
		if (crew->next < crew->in)
			work_on_next(hand);
		else if (crew->over)
			break;
		else
			(void)pthread_cond_wait(&crew->handed_over, &crew->mutex);
	}
	(void)pthread_mutex_unlock(&crew->mutex);
	return NULL;
}

bool tree_crew_start(struct tree_crew *crew, bool alone)
{
	cpu_set_t processors;
	int count = sched_getaffinity(0, sizeof(processors), &processors) == 0 ? CPU_COUNT(&processors) : 1;

	crew->threads = alone ? 1 : (size_t)count;
	if (crew->threads > TREE_THREADS_MAX)
		crew->threads = TREE_THREADS_MAX;
	for (size_t i = 0; i < TREE_THREADS_MAX; i++)
		crew->hands[i].crew = crew;
	(void)pthread_mutex_init(&crew->mutex, NULL);
	(void)pthread_cond_init(&crew->handed_over, NULL);
	(void)pthread_cond_init(&crew->done, NULL);
	crew->chunks = calloc(TREE_CHUNKS, sizeof(*crew->chunks));
	return crew->chunks != NULL;
}

/* A thread that cannot be had is none that is needed: the walking one works on what nobody takes. */
static void start_threads(struct tree_crew *crew)
{
	for (size_t i = 1; i < crew->threads; i++) {
		if (pthread_create(&crew->hands[i].thread, NULL, run, &crew->hands[i]) != 0)
			crew->threads = i;
	}
}

/* Waits for a number, and works meanwhile. */
static bool wait_locked(struct tree_crew *crew, uint64_t number)
{
	while (crew->out < number && !crew->stopped) {
		if (crew->next < crew->in)
			work_on_next(&crew->hands[0]);
		else
			(void)pthread_cond_wait(&crew->done, &crew->mutex);
	}
	return !crew->stopped;
}

/* Hands the open chunk over and makes sure that the one after it is empty. */
static bool hand_over(struct tree_crew *crew)
{
	if (crew->in == 0)
		start_threads(crew);
	(void)pthread_mutex_lock(&crew->mutex);
	crew->in++;
	(void)pthread_cond_signal(&crew->handed_over);
	bool good = wait_locked(crew, crew->in < TREE_CHUNKS ? 0 : crew->in - TREE_CHUNKS + 1);

	(void)pthread_mutex_unlock(&crew->mutex);
	struct tree_chunk *chunk = &crew->chunks[crew->in % TREE_CHUNKS];

	if (good)
		chunk->length = chunk->count = chunk->part_count = 0;
	return good;
}

struct tree_chunk *tree_crew_chunk(struct tree_crew *crew)
{
	const struct tree_chunk *open = &crew->chunks[crew->in % TREE_CHUNKS];
	bool full = TREE_CHUNK_BYTES - open->length < TREE_CHUNK_ROOM || open->part_count == TREE_CHUNK_DIRECTORIES;

	return full && !hand_over(crew) ? NULL : &crew->chunks[crew->in % TREE_CHUNKS];
}

uint64_t tree_crew_now(const struct tree_crew *crew)
{
	return crew->in + (crew->chunks[crew->in % TREE_CHUNKS].count > 0 ? 1 : 0);
}

bool tree_crew_reached(struct tree_crew *crew, uint64_t number)
{
	(void)pthread_mutex_lock(&crew->mutex);
	bool reached = crew->out >= number && !crew->stopped;

	(void)pthread_mutex_unlock(&crew->mutex);
	return reached;
}

bool tree_crew_wait(struct tree_crew *crew, uint64_t number)
{
	if (number > crew->in && !hand_over(crew))
		return false;
	(void)pthread_mutex_lock(&crew->mutex);
	bool good = wait_locked(crew, number);

	(void)pthread_mutex_unlock(&crew->mutex);
	return good;
}

bool tree_crew_end(struct tree_crew *crew)
{
	(void)pthread_mutex_lock(&crew->mutex);
	crew->over = true;
	(void)pthread_cond_broadcast(&crew->handed_over);
	(void)pthread_mutex_unlock(&crew->mutex);
	for (size_t i = 1; crew->in > 0 && i < crew->threads; i++)
		(void)pthread_join(crew->hands[i].thread, NULL);
	free(crew->chunks);
	crew->chunks = NULL;
	return !crew->stopped;
}
