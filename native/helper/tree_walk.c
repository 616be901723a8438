#include "tree_walk.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tree_limits.h"

#define ENTRIES_MAX (TREE_ENTRIES_BUFFER / TREE_ENTRY_SHORTEST)

void tree_where(const struct tree_walk *walk, const char *name, struct tree_path *path)
{
	size_t depth = walk->depth;

	if (name[0] == '\0' && depth > 1)
		name = walk->names.bytes + walk->frames[--depth].name;
	tree_path_start(path, name[0] == '\0' ? "." : name);
	/* The frame 0 is the top, which has no name. */
	while (depth-- > 1)
		tree_path_prepend(path, walk->names.bytes + walk->frames[depth].name);
}

bool tree_changed(struct tree_walk *walk, const char *name)
{
	walk->failure.call = NULL;
	tree_where(walk, name, &walk->failure.path);
	return false;
}

bool tree_fail(struct tree_walk *walk, const char *call, int error, const char *name)
{
	/* What was listed a moment ago is gone, is now a symlink, or is no directory any more. */
	if (error == ENOENT || error == ELOOP || error == ENOTDIR || error == ESTALE)
		return tree_changed(walk, name);
	walk->failure.call = call;
	walk->failure.error = error;
	tree_where(walk, name, &walk->failure.path);
	return false;
}

static bool push(struct tree_walk *walk, int descriptor, const struct tree_status *status, size_t name)
{
	if (walk->depth == walk->capacity) {
		size_t capacity = walk->capacity == 0 ? 64 : walk->capacity * 2;
		struct tree_frame *frames =
			capacity > TREE_DEPTH_MAX ? NULL : reallocarray(walk->frames, capacity, sizeof(*frames));

		if (frames == NULL)
			return tree_fail(walk, "realloc", ENOMEM, "");
		walk->frames = frames;
		walk->capacity = capacity;
	}
	walk->frames[walk->depth++] = (struct tree_frame){
		.descriptor = descriptor,
		.status = *status,
		.name = name,
		.below = walk->names.length,
	};
	tree_report_inode(walk->report);
	if (walk->depth > TREE_OPEN_DIRECTORIES) {
		struct tree_frame *far = &walk->frames[walk->depth - 1 - TREE_OPEN_DIRECTORIES];

		(void)close(far->descriptor);
		far->descriptor = -1;
	}
	return true;
}

/* On ext4 the order of readdir(3) is that of a hash: in the order of inodes, neighbours share a block of the table. */
static int by_inode(const void *one, const void *other)
{
	uint64_t a = (*(struct dirent64 *const *)one)->d_ino;
	uint64_t b = (*(struct dirent64 *const *)other)->d_ino;

	return a < b ? -1 : a > b;
}

static bool is_directory(int directory, const struct dirent64 *entry, bool *answer)
{
	struct tree_status status;

	*answer = entry->d_type == DT_DIR;
	if (entry->d_type != DT_UNKNOWN)
		return true;
	if (!tree_look(directory, entry->d_name, &status))
		return false;
	*answer = S_ISDIR(status.mode);
	return true;
}

static bool visit_entry(struct tree_walk *walk, const struct tree_visitor *visitor, void *context, int directory,
			const struct dirent64 *entry)
{
	const char *name = entry->d_name;
	bool below;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return true;
	if (!is_directory(directory, entry, &below))
		return tree_fail(walk, "statx", errno, name);
	if (!below)
		return visitor->entry(walk, context, directory, name);
	return tree_names_push(&walk->names, name) || tree_fail(walk, "realloc", errno, name);
}

/* Reads a directory once: visits what is no directory, and notes the names of those that are. */
static bool read_once(struct tree_walk *walk, const struct tree_visitor *visitor, void *context, int directory)
{
	struct dirent64 **order = (struct dirent64 **)(void *)(walk->entries + TREE_ENTRIES_BUFFER);
	ssize_t size;

	while ((size = getdents64(directory, walk->entries, TREE_ENTRIES_BUFFER)) > 0) {
		size_t count = 0;

		for (ssize_t at = 0; at < size && count < ENTRIES_MAX; count++) {
			order[count] = (struct dirent64 *)(void *)(walk->entries + at);
			at += order[count]->d_reclen;
		}
		qsort(order, count, sizeof(struct dirent64 *), by_inode);
		for (size_t i = 0; i < count; i++) {
			if (!visit_entry(walk, visitor, context, directory, order[i]))
				return false;
		}
	}
	return size == 0 || tree_fail(walk, "getdents64", errno, "");
}

static bool read_directory(struct tree_walk *walk, const struct tree_visitor *visitor, void *context)
{
	const struct tree_frame *frame = &walk->frames[walk->depth - 1];

	for (;;) {
		walk->removed = false;
		if (!read_once(walk, visitor, context, frame->descriptor))
			return false;
		if (!visitor->removes || !walk->removed)
			return true;
		tree_names_cut(&walk->names, frame->below);
		if (lseek(frame->descriptor, 0, SEEK_SET) < 0)
			return tree_fail(walk, "lseek", errno, "");
	}
}

/* Goes down into the last directory that was noted; one that is a mount point is left alone. */
static bool descend(struct tree_walk *walk, const struct tree_visitor *visitor, void *context)
{
	struct tree_status status;
	struct tree_path path;
	size_t place = tree_names_last(&walk->names);
	const char *name = walk->names.bytes + place;
	int opened = tree_open(walk->frames[walk->depth - 1].descriptor, name);

	if (opened < 0 && errno == EXDEV) {
		tree_where(walk, name, &path);
		tree_report_mount(walk->report, &path);
		tree_names_cut(&walk->names, place);
		return true;
	}
	if (opened < 0)
		return tree_fail(walk, "openat2", errno, name);
	bool looked = tree_look(opened, "", &status) || tree_fail(walk, "statx", errno, name);

	if (!looked || !push(walk, opened, &status, place)) {
		(void)close(opened);
		return false;
	}
	return read_directory(walk, visitor, context);
}

/*
 * Opens the parent of the directory on top where it is not held open. It must be the one that was left: a directory
 * that was moved away has another, and the walk would go on where it has no business.
 */
static bool reopen_parent(struct tree_walk *walk)
{
	struct tree_frame *frame = &walk->frames[walk->depth - 1];
	struct tree_frame *parent = frame - 1;
	struct tree_status status;

	if (parent->descriptor >= 0)
		return true;
	int opened = tree_open_parent(frame->descriptor);

	if (opened < 0)
		return tree_fail(walk, "openat", errno, "");
	parent->descriptor = opened;
	if (!tree_look(opened, "", &status))
		return tree_fail(walk, "statx", errno, "");
	return tree_same(&status, &parent->status) || tree_changed(walk, "");
}

static bool ascend(struct tree_walk *walk, const struct tree_visitor *visitor, void *context)
{
	struct tree_frame *frame = &walk->frames[walk->depth - 1];

	if (!reopen_parent(walk))
		return false;
	if (!visitor->leave(walk, context, frame, frame[-1].descriptor, walk->names.bytes + frame->name))
		return false;
	if (frame->descriptor >= 0)
		(void)close(frame->descriptor);
	tree_names_cut(&walk->names, frame->name);
	walk->depth--;
	return true;
}

bool tree_walk(struct tree_walk *walk, int top, struct tree_report *report, const struct tree_visitor *visitor,
	       void *context)
{
	struct tree_status status;

	*walk = (struct tree_walk){ .report = report };
	walk->entries = malloc(TREE_ENTRIES_BUFFER + ENTRIES_MAX * sizeof(struct dirent64 *));
	if (walk->entries == NULL)
		return tree_fail(walk, "malloc", ENOMEM, "");
	/* A description of its own, so that the place in it belongs to this walk alone. */
	int opened = tree_open(top, ".");

	if (opened < 0)
		return tree_fail(walk, "openat2", errno, "");
	if (!tree_look(opened, "", &status))
		return tree_fail(walk, "statx", errno, "");
	if (!push(walk, opened, &status, 0) || !read_directory(walk, visitor, context))
		return false;
	for (;;) {
		bool more = walk->names.length > walk->frames[walk->depth - 1].below;

		if (!more && walk->depth == 1)
			return true;
		if (more ? !descend(walk, visitor, context) : !ascend(walk, visitor, context))
			return false;
	}
}

void tree_walk_end(struct tree_walk *walk)
{
	while (walk->depth > 0) {
		if (walk->frames[--walk->depth].descriptor >= 0)
			(void)close(walk->frames[walk->depth].descriptor);
	}
	free(walk->frames);
	free(walk->entries);
	tree_names_free(&walk->names);
}
