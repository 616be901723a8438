/*
 * Owns the names of directories that are still to be visited, of the whole way down, in one growing block: the last
 * pushed is the first taken, as a walk in depth needs it.
 */
#ifndef DYNUSER_HELPER_TREE_NAMES_H
#define DYNUSER_HELPER_TREE_NAMES_H

#include <stdbool.h>
#include <stddef.h>

struct tree_names {
	char *bytes;
	size_t length;
	size_t capacity;
};

/* Copies a name to the end. False with ENOMEM, also beyond TREE_NAMES_MAX. */
bool tree_names_push(struct tree_names *names, const char *name);

/* Where the last name begins; there must be one. */
size_t tree_names_last(const struct tree_names *names);

/* Drops what begins at that place and all behind it. */
void tree_names_cut(struct tree_names *names, size_t place);

void tree_names_free(struct tree_names *names);

#endif
