/*
 * Finds the paths that match a pattern of glob(7). Not by glob(3): it reads as many names as there are, and the hooks that could bound
 * it are glibc's alone.
 */
#ifndef RUN_PATTERN_H
#define RUN_PATTERN_H

#include <stddef.h>

/* Called with a path that matches; it is valid during the call. */
typedef void pattern_found(void *context, const char *path);

/*
 * Finds the paths that match, in no order. *entries counts the names that are compared, in this search and those before it;
 * ends the launcher if they exceed the bound. Nothing matches in a directory that may not be read.
 */
void pattern_search(const char *pattern, size_t *entries, size_t bound, pattern_found *found, void *context);

#endif
