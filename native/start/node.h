/* Finds Node. */
#ifndef DYNUSER_START_NODE_H
#define DYNUSER_START_NODE_H

#include <stdbool.h>

/* Room for a path, with its NUL (PATH_MAX of limits.h). */
#define NODE_PATH_SIZE 4096

/*
 * Looks for the program `node` in the absolute directories of a PATH, or of the usual one for NULL. Relative directories are skipped, and
 * files that everybody may write to. Returns whether there is one.
 */
bool find_node(const char *path, char found[NODE_PATH_SIZE]);

#endif
