/* See snapshot.h. */
#include "snapshot.h"

#include <errno.h>
#include <sys/mman.h>

#include "environment.h"
#include "sibling.h"
#include "userdb.h"

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

_Static_assert(LIST_BUFFER > SWITCH_FILE_MAX, "the buffer is lent to both");

/* userdb_list() calls this at most LIST_RECORDS_MAX times. */
static void append(const struct identity *who, void *context)
{
	struct snapshot *snapshot = context;

	snapshot->users[snapshot->count++] = *who;
}

int snapshot_take(const char *database, enum record_kind kind, struct snapshot **snapshot)
{
	const char *runtime = environment_runtime_directory();
	struct snapshot *taken = take_pages(sizeof(*taken));
	char *buffer = take_pages(LIST_BUFFER);
	int error = ENOMEM;

	if (taken != NULL && buffer != NULL)
		error = sibling_lists_us(runtime, database, buffer) ?
				0 :
				userdb_list(runtime, kind, buffer, LIST_BUFFER, append, taken);
	free_pages(buffer, LIST_BUFFER);
	if (error != 0 && error != ENOENT) {
		snapshot_free(taken);
		return error;
	}
	*snapshot = taken;
	return 0;
}

void snapshot_free(struct snapshot *snapshot)
{
	free_pages(snapshot, sizeof(*snapshot));
}
