/* See enumeration.h. */
#include "enumeration.h"

#include <errno.h>
#include <sys/mman.h>

#include "bounds.h"
#include "caller.h"
#include "fleet.h"
#include "sibling.h"
#include "userdb.h"

/* Has room for the longest list from the start: memory that is not written to costs nothing. */
struct snapshot {
	size_t count;
	struct identity users[LIST_RECORDS_MAX];
};

_Static_assert(LIST_BUFFER > SWITCH_FILE_MAX, "the buffer is lent to both");

/*
 * Not by malloc(3): after a fork(2) of a program with threads, the child may only use what is async-signal-safe (fork(2), NOTES), and
 * the program's allocator, which need not be glibc's, may be locked for ever.
 */
static void *take_pages(size_t bytes)
{
	void *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return pages == MAP_FAILED ? NULL : pages;
}

static void free_pages(void *pages, size_t bytes)
{
	if (pages != NULL)
		(void)munmap(pages, bytes);
}

/* Called at most LIST_RECORDS_MAX times. */
static void append(const struct identity *who, void *context)
{
	struct snapshot *snapshot = context;

	snapshot->users[snapshot->count++] = *who;
}

static void append_reply(const struct reply *reply, void *context)
{
	append(&reply->who, context);
}

static int take_snapshot(const struct enumeration *enumeration, struct snapshot **snapshot)
{
	const char *runtime = caller_runtime_directory();
	struct snapshot *taken = take_pages(sizeof(*taken));
	char *buffer = take_pages(LIST_BUFFER);
	int error = ENOMEM;

	if (taken != NULL && buffer != NULL)
		error = sibling_lists_us(runtime, enumeration->database, buffer) ?
				0 :
				userdb_list(runtime, enumeration->kind, buffer, LIST_BUFFER, append_reply, taken);
	/* A daemon that answers has listed the users of other hosts, too. */
	if (error == ENOENT && taken != NULL)
		fleet_list(runtime, buffer, LIST_BUFFER, append, taken);
	free_pages(buffer, LIST_BUFFER);
	if (error != 0 && error != ENOENT) {
		free_pages(taken, sizeof(*taken));
		return error;
	}
	*snapshot = taken;
	return 0;
}

bool enumeration_reset(struct enumeration *enumeration)
{
	struct caller caller = caller_enter();
	bool locked = fork_lock_take(&enumeration->lock);

	if (locked) {
		struct snapshot *old = atomic_exchange(&enumeration->snapshot, NULL);

		fork_lock_give(&enumeration->lock);
		free_pages(old, sizeof(*old));
	}
	caller_leave(&caller);
	return locked;
}

/* Packs the user at the position, and advances it. */
static int step(struct enumeration *enumeration, const struct snapshot *snapshot, const struct destination *destination)
{
	size_t position = atomic_load(&enumeration->position);
	int error;

	if (position == snapshot->count)
		return ENOENT;
	error = destination->pack(&snapshot->users[position], destination);
	if (error == 0)
		atomic_store(&enumeration->position, position + 1);
	return error;
}

/*
 * Advances in the present list. If there is none, the list in *fresh becomes it, and *fresh is NULL afterwards; ENODATA if both are
 * missing. A list that another thread put in meanwhile stays: to start again would list users twice.
 */
static int step_in(struct enumeration *enumeration, struct snapshot **fresh, const struct destination *destination)
{
	struct snapshot *snapshot;
	int error = ENODATA;

	if (!fork_lock_take(&enumeration->lock))
		return EAGAIN;
	snapshot = atomic_load(&enumeration->snapshot);
	if (snapshot == NULL && *fresh != NULL) {
		/* The list last, so that a child that is forked in between has no list, or one at its beginning. */
		atomic_store(&enumeration->position, 0);
		atomic_store(&enumeration->snapshot, *fresh);
		snapshot = *fresh;
		*fresh = NULL;
	}
	if (snapshot != NULL)
		error = step(enumeration, snapshot, destination);
	fork_lock_give(&enumeration->lock);
	return error;
}

static int next(struct enumeration *enumeration, const struct destination *destination)
{
	struct snapshot *fresh = NULL;
	int error = step_in(enumeration, &fresh, destination);

	if (error != ENODATA)
		return error;
	error = take_snapshot(enumeration, &fresh);
	if (error == 0) {
		error = step_in(enumeration, &fresh, destination);
		free_pages(fresh, sizeof(*fresh));
	}
	return error;
}

int enumeration_next(struct enumeration *enumeration, const struct destination *destination)
{
	if (caller_bypasses())
		return ENOENT;
	struct caller caller = caller_enter();
	int error = next(enumeration, destination);

	caller_leave(&caller);
	return error;
}
