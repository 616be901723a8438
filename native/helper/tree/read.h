/* Owns the reading of a directory: what is below it is sorted into chunks of work and names of directories to visit. */
#ifndef DYNUSER_HELPER_TREE_READ_H
#define DYNUSER_HELPER_TREE_READ_H

#include <stdbool.h>

#include "walk.h"

/* Reads the directory on top of the walk. False if the walk is stopped. */
bool tree_read(struct tree_walk *walk);

#endif
