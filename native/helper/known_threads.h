/*
 * Owns what is kept of the threads that a walk has seen, for the next walk: a descriptor of each, from which its credentials
 * are read again. To open and close them each time would take as long again as to read them. Threads of the kernel's own
 * are not read again at all.
 */
#ifndef DYNUSER_HELPER_KNOWN_THREADS_H
#define DYNUSER_HELPER_KNOWN_THREADS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "credentials.h"

/* Threads that are kept; those past them are opened each time. A descriptor takes some 1.5 KiB of the kernel's memory. */
#define KNOWN_MAX 2048

struct known_thread {
	pid_t process;
	pid_t thread;
	/* -1: passed on, or closed */
	int descriptor;
	/* the descriptor is a pidfd: as long as the thread runs it has root's IDs and no groups */
	bool is_kernel;
};

/* In the order of a walk, in which the threads of a process stand together. */
struct known_list {
	struct known_thread threads[KNOWN_MAX];
	size_t count;
};

struct known_threads {
	/* of the walk before, and of the one that continues; NULL if nothing is to be kept */
	struct known_list *before, *now;
	/* those of the process that is visited: in before, from first up to end */
	size_t first, end;
	/* the one that was found last, of the same: the next to be asked for stands close behind it */
	size_t next;
};

/* Keeps threads from now on, as many as the limit of descriptors allows. The two lists are empty, and live as long as known does. */
void known_prepare(struct known_threads *known, struct known_list lists[2]);

void known_begin(struct known_threads *known);

/* Turns to a process. Returns how many of its threads are known. */
size_t known_turn_to(struct known_threads *known, pid_t process);

/* Whether the process that was turned to is a thread of the kernel, known and still there; it is kept then. */
bool known_is_kernel(struct known_threads *known);

/*
 * Reads the credentials of the known thread number index of the process. Returns false if that cannot be done any more: the
 * thread has most likely ended.
 */
bool known_again(struct known_threads *known, size_t index, pid_t *thread, struct credentials *credentials);

/* As credentials_read, for a thread of the process that was turned to; it is known from then on. */
int known_read(struct known_threads *known, int directory, pid_t process, pid_t thread,
	       struct credentials *credentials);

/* Keeps what is known of the present process as it is. */
void known_keep(struct known_threads *known);

/* Forgets what was not met, or if the walk ended early, keeps it. */
void known_end(struct known_threads *known, bool whole);

#endif
