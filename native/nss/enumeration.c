/* See enumeration.h. */
#include "enumeration.h"

#include "caller.h"
#include "environment.h"

bool enumeration_reset(struct enumeration *enumeration)
{
	struct caller caller = caller_enter();
	bool locked = fork_lock_take(&enumeration->lock);

	if (locked) {
		struct snapshot *old = atomic_exchange(&enumeration->snapshot, NULL);

		fork_lock_give(&enumeration->lock);
		snapshot_free(old);
	}
	caller_leave(&caller);
	return locked;
}

/* Packs the user at the position, and advances it. */
static int step(struct enumeration *enumeration, const struct snapshot *snapshot, pack_function *pack, void *record,
		char *buffer, size_t size)
{
	size_t position = atomic_load(&enumeration->position);
	int error;

	if (position == snapshot->count)
		return ENOENT;
	error = pack(&snapshot->users[position], record, buffer, size);
	if (error == 0)
		atomic_store(&enumeration->position, position + 1);
	return error;
}

/*
 * Advances in the present list. If there is none, *fresh becomes it, and NULL afterwards; ENODATA if there is no fresh one either. A list
 * that another thread put in meanwhile stays: to start again would list users twice.
 */
static int step_in(struct enumeration *enumeration, struct snapshot **fresh, pack_function *pack, void *record,
		   char *buffer, size_t size)
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
		error = step(enumeration, snapshot, pack, record, buffer, size);
	fork_lock_give(&enumeration->lock);
	return error;
}

static int next(struct enumeration *enumeration, enum record_kind kind, pack_function *pack, void *record, char *buffer,
		size_t size)
{
	struct snapshot *fresh = NULL;
	int error = step_in(enumeration, &fresh, pack, record, buffer, size);

	if (error != ENODATA)
		return error;
	error = snapshot_take(enumeration->database, kind, &fresh);
	if (error == 0) {
		error = step_in(enumeration, &fresh, pack, record, buffer, size);
		snapshot_free(fresh);
	}
	return error;
}

int enumeration_next(struct enumeration *enumeration, enum record_kind kind, pack_function *pack, void *record,
		     char *buffer, size_t size)
{
	struct caller caller;
	int error;

	if (environment_bypass())
		return ENOENT;
	caller = caller_enter();
	error = next(enumeration, kind, pack, record, buffer, size);
	caller_leave(&caller);
	return error;
}
