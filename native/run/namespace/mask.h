/* An empty file and an empty directory that nobody may use, which are mounted over what the service must not see. */
#ifndef RUN_MASK_H
#define RUN_MASK_H

#include <stdbool.h>

/* Mounts of the two. Initialized with MASKS_NONE. */
struct masks {
	int file;
	int directory;
	/* the next one is a clone of this one, which must be attached in this namespace for that */
	bool file_used;
	bool directory_used;
};

#define MASKS_NONE { .file = -1, .directory = -1 }

/* Creates both in a tmpfs that is attached somewhere. -1 with errno. */
int mask_prepare(struct masks *masks, int tmpfs);

/* Mounts an empty file or directory over the file or directory of a descriptor, after mask_prepare(). -1 with errno. */
int mask_attach(struct masks *masks, int target);

#endif
