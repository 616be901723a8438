/* Owns the empty file and the empty directory that nobody may use, which are put over what a service shall not see. */
#ifndef RUN_HIDE_H
#define RUN_HIDE_H

#include <stdbool.h>

/* Mounts of the two. Begins as HIDDEN_NONE. */
struct hidden {
	int file;
	int directory;
	/* each is cloned from the one before, which has to be attached in this namespace for that */
	bool file_used;
	bool directory_used;
};

#define HIDDEN_NONE { .file = -1, .directory = -1 }

/* Makes both in a tmpfs that is attached somewhere. -1 with errno. */
int hide_prepare(struct hidden *hidden, int tmpfs);

/* Puts an empty one of its kind over what a descriptor is. They were prepared. -1 with errno. */
int hide(struct hidden *hidden, int target);

#endif
