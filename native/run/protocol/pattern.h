/*
 * Owns the search for names that match a pattern of glob(7). Why not glob(3): it looks at as many names as there are, and what
 * could bound it, functions of one's own for directories, is glibc's alone.
 */
#ifndef RUN_PATTERN_H
#define RUN_PATTERN_H

#include <stddef.h>

/* What to do with a path that matches; it is the search's own, and gone afterwards. */
typedef void pattern_found(void *context, const char *path);

/*
 * Finds the paths that match, in no order. *entries counts the names that are compared, in this search and those before it;
 * ends the launcher where they are more than the bound. A directory that may not be read has nothing that matches.
 */
void pattern_search(const char *pattern, size_t *entries, size_t bound, pattern_found *found, void *context);

#endif
