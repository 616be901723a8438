/* Owns the search for processes that run with a UID or GID. Reads only; never signals a process. */
#ifndef DYNUSER_HELPER_PROCESSES_H
#define DYNUSER_HELPER_PROCESSES_H

#include "process_walk.h"

/*
 * Looks for a thread that has the number as real, effective, saved or file-system UID or GID, or as a supplementary group
 * (credentials(7)).
 *
 * What cannot be seen: processes of PID namespaces that are neither ours nor below ours, and what exists only as a
 * credential that something holds: an open file, a socket's SO_PEERCRED, a user namespace's owner.
 *
 * Returns whether the answer was written: the first process, or an error.
 */
bool find_process(uint32_t number, struct known_threads *known, struct answer *answer);

/* Is told of a thread that has a number. */
typedef enum visited visit_found(void *data, const struct found_thread *found, struct answer *answer);

/* The visitor of find_process: answers the process, and as what it has the number. */
visit_found answer_found;

/* One walk for the same threads as find_process. Returns whether the answer was written. */
bool walk_processes(uint32_t number, struct known_threads *known, visit_found *visit, void *data,
		    struct answer *answer);

#define NUMBERS_MAX 64
struct numbers {
	uint32_t number[NUMBERS_MAX];
	bool running[NUMBERS_MAX];
	size_t count;
};

/*
 * Finds out for many numbers at the cost of one walk whether find_process would find something; running is false to begin
 * with. Returns false if it cannot be told, with the error as the answer.
 */
bool find_numbers(struct numbers *numbers, struct known_threads *known, struct answer *answer);

#endif
