/* The place in the list of all users; see enumeration.h. */
#include "enumeration.h"

#include <stdlib.h>

#include "caller.h"
#include "environment.h"
#include "limits.h"

void enumeration_reset(struct enumeration *enumeration)
{
	struct caller caller = caller_enter();

	if (fork_lock_take(&enumeration->lock)) {
		struct snapshot *old = atomic_exchange(&enumeration->snapshot, NULL);

		fork_lock_give(&enumeration->lock);
		free(old);
	}
	caller_leave(&caller);
}

/*
 * Puts a list in, which is then owned, from its beginning. Where another thread was faster, its list stays: to start
 * again would give users twice. The list comes last, so that a child forked between two lines has none or all of it.
 */
static bool install(struct enumeration *enumeration, struct snapshot *snapshot)
{
	bool missing;

	if (!fork_lock_take(&enumeration->lock)) {
		free(snapshot);
		return false;
	}
	missing = atomic_load(&enumeration->snapshot) == NULL;
	if (missing) {
		atomic_store(&enumeration->position, 0);
		atomic_store(&enumeration->snapshot, snapshot);
	}
	fork_lock_give(&enumeration->lock);
	if (!missing)
		free(snapshot);
	return true;
}

/* Packs the user at the place and steps on, where a list is there. */
static int step(struct enumeration *enumeration, struct snapshot *snapshot, pack_function *pack, void *record,
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

static int next(struct enumeration *enumeration, enum record_kind kind, pack_function *pack, void *record, char *buffer,
		size_t size)
{
	for (unsigned int attempt = 0; attempt < LIST_ATTEMPTS; attempt++) {
		struct snapshot *snapshot;
		int error = 0;

		if (!fork_lock_take(&enumeration->lock))
			return EAGAIN;
		snapshot = atomic_load(&enumeration->snapshot);
		if (snapshot != NULL)
			error = step(enumeration, snapshot, pack, record, buffer, size);
		fork_lock_give(&enumeration->lock);
		if (snapshot != NULL)
			return error;
		error = snapshot_take(kind, &snapshot);
		if (error != 0)
			return error;
		if (!install(enumeration, snapshot))
			return EAGAIN;
	}
	return EAGAIN;
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
