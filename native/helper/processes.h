/* Owns the search for processes that run with a UID or GID. Reads only; never signals a process. */
#ifndef DYNUSER_HELPER_PROCESSES_H
#define DYNUSER_HELPER_PROCESSES_H

#include "credentials.h"
#include "known_threads.h"
#include "protocol.h"

/*
 * Looks for a thread that has the number as real, effective, saved or file-system UID or GID (credentials(7)).
 *
 * What cannot be seen: processes of PID namespaces that are neither ours nor below ours, and what exists only as a
 * credential that something holds: an open file, a socket's SO_PEERCRED, a user namespace's owner.
 *
 * Returns whether the answer was written: the first process, or an error.
 */
bool find_process(uint32_t number, struct known_threads *known, struct answer *answer);

/* A thread that has the number. */
struct found_thread {
	int proc;	/* an open /proc */
	pid_t process;
	int directory;	/* where credentials_read finds the thread: /proc, or the process's own task directory */
	pid_t thread;
};

/* Is told of each thread and what it has; returns whether the walk is to end, with the answer written. */
typedef bool visit_credentials(void *data, const struct found_thread *found, const struct credentials *credentials,
			       struct answer *answer);

/* One walk over all threads that can be seen. Returns whether the answer was written, by the visitor or with an error. */
bool walk_threads(struct known_threads *known, visit_credentials *visit, void *data, struct answer *answer);

/* Is told of a thread that has a number; returns whether the walk is to end, with the answer written. */
typedef bool visit_found(void *data, const struct found_thread *found, struct answer *answer);

/* The visitor of find_process: answers the process. */
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
 * with. Returns false where it cannot be told, with the error as the answer.
 */
bool find_numbers(struct numbers *numbers, struct known_threads *known, struct answer *answer);

#endif
