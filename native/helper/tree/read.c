#include "read.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* On ext4 the order of readdir(3) is that of a hash: in the order of inodes, neighbours share a block of the table. */
static int by_inode(const void *one, const void *other)
{
	uint64_t a = (*(const struct dirent64 *const *)one)->d_ino;
	uint64_t b = (*(const struct dirent64 *const *)other)->d_ino;

	return a < b ? -1 : a > b;
}

static bool is_directory(int directory, const struct dirent64 *entry, bool *answer)
{
	struct tree_status status;

	*answer = entry->d_type == DT_DIR;
	if (entry->d_type != DT_UNKNOWN)
		return true;
	if (!tree_stat(directory, entry->d_name, &status))
		return false;
	*answer = S_ISDIR(status.mode);
	return true;
}

static bool sort_in(struct tree_walk *walk, struct tree_chunk *chunk, int directory, const struct dirent64 *entry)
{
	struct tree_worker *worker = &walk->pool.workers[0];
	const char *name = entry->d_name;
	bool below;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return true;
	if (!is_directory(directory, entry, &below))
		return tree_fail(worker, "statx", errno, directory, name);
	if (below && !tree_names_push(&walk->names, name))
		return tree_fail(worker, "realloc", errno, directory, name);
	if (!below)
		chunk->entries[chunk->count++] = entry;
	return true;
}

/* Reads once into the open chunk. Sets *more if there may be more to read. */
static bool read_part(struct tree_walk *walk, struct tree_frame *frame, bool *more)
{
	struct tree_chunk *chunk = tree_pool_chunk(&walk->pool);

	if (chunk == NULL)
		return false;
	char *start = chunk->bytes + chunk->length;
	size_t first = chunk->count;
	ssize_t size = getdents64(frame->descriptor, start, TREE_CHUNK_BYTES - chunk->length);

	if (size < 0)
		return tree_fail(&walk->pool.workers[0], "getdents64", errno, frame->descriptor, "");
	for (ssize_t at = 0; at < size;) {
		const struct dirent64 *entry = (const struct dirent64 *)(const void *)(start + at);

		if (!sort_in(walk, chunk, frame->descriptor, entry))
			return false;
		at += entry->d_reclen;
	}
	if (chunk->count > first) {
		qsort(chunk->entries + first, chunk->count - first, sizeof(chunk->entries[0]), by_inode);
		chunk->batches[chunk->batch_count++] = (struct tree_batch){
			.directory = frame->descriptor,
			.closed = frame->closed,
			.count = chunk->count - first,
		};
		chunk->length += (size_t)size;
	}
	frame->entries_done = tree_pool_now(&walk->pool);
	*more = size > 0;
	return true;
}

static bool read_all(struct tree_walk *walk, struct tree_frame *frame)
{
	bool more = true;

	while (more) {
		if (!read_part(walk, frame, &more))
			return false;
	}
	return true;
}

bool tree_read(struct tree_walk *walk)
{
	struct tree_frame *frame = &walk->frames[walk->depth - 1];

	for (;;) {
		uint64_t before = tree_pool_now(&walk->pool);

		if (!read_all(walk, frame))
			return false;
		if (walk->visitor->remove == NULL || frame->entries_done == before)
			return true;
		if (!tree_pool_wait(&walk->pool, frame->entries_done))
			return false;
		tree_names_cut(&walk->names, frame->below);
		if (lseek(frame->descriptor, 0, SEEK_SET) < 0)
			return tree_fail(&walk->pool.workers[0], "lseek", errno, frame->descriptor, "");
	}
}
