/* All users at one moment; see snapshot.h. */
#include "snapshot.h"

#include <errno.h>
#include <stdlib.h>

#include "environment.h"
#include "userdb.h"

#define FIRST_CAPACITY 64U

static struct snapshot *with_capacity(struct snapshot *old, size_t capacity)
{
	struct snapshot *snapshot = realloc(old, sizeof(*snapshot) + capacity * sizeof(snapshot->users[0]));

	if (snapshot == NULL)
		return NULL;
	if (old == NULL)
		snapshot->count = 0;
	snapshot->capacity = capacity;
	return snapshot;
}

/* userdb.h bounds how often this is called. */
static int append(const struct identity *who, void *context)
{
	struct snapshot **snapshot = context;

	if ((*snapshot)->count == (*snapshot)->capacity) {
		struct snapshot *larger = with_capacity(*snapshot, 2 * (*snapshot)->capacity);

		if (larger == NULL)
			return ENOMEM;
		*snapshot = larger;
	}
	(*snapshot)->users[(*snapshot)->count++] = *who;
	return 0;
}

int snapshot_take(enum record_kind kind, struct snapshot **snapshot)
{
	struct snapshot *taken = with_capacity(NULL, FIRST_CAPACITY);
	int error;

	if (taken == NULL)
		return ENOMEM;
	error = userdb_list(environment_runtime_directory(), kind, append, &taken);
	if (error != 0 && error != ENOENT) {
		free(taken);
		return error;
	}
	*snapshot = taken;
	return 0;
}
