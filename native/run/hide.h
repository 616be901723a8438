/* Owns the empty file and the empty directory that nobody may use, which are put over what a service shall not see. */
#ifndef RUN_HIDE_H
#define RUN_HIDE_H

#include <stdbool.h>

/* Mounts of the two, made when the first is needed. Begins as HIDDEN_NONE. */
struct hidden {
	int file;
	int directory;
	/* each is cloned from the one before, which has to be attached in this namespace for that */
	bool file_used;
	bool directory_used;
};

#define HIDDEN_NONE { .file = -1, .directory = -1 }

/* Puts an empty one of its kind over what a descriptor is. -1 with errno. Changes the working directory to /. */
int hide(struct hidden *hidden, int root, int target);

#endif
