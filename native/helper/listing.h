/* Owns how a directory of /proc is listed: a part of it, or all of it by one call of the kernel. */
#ifndef DYNUSER_HELPER_LISTING_H
#define DYNUSER_HELPER_LISTING_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Room that is kept from list to list. */
struct listing {
	char *bytes;
	size_t room;
	size_t length;
};

/*
 * Lists a directory from a position on to its end, by a single getdents64(2), with as much room as that takes. Returns false with
 * errno set: ENOMEM if there is no such room.
 */
bool list_at_once(struct listing *listing, int directory, off_t position);

/* Lists what comes next, as much as fits into the room there is. Returns the same; a length of 0 is the end. */
bool list_on(struct listing *listing, int directory);

/* An entry whose name is a PID. */
struct listed {
	pid_t pid;
	off_t position; /* from where the directory would list it again, or if it is gone, what comes after it */
};

/* Steps through a listing: next is 0 and position the one that it began at to begin with. Returns false at the end. */
struct listing_step {
	size_t next;
	off_t position;
};
bool list_next(const struct listing *listing, struct listing_step *step, struct listed *listed);

#endif
