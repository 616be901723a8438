/*
 * Owns the walk over all threads that can be seen, in /proc (proc(5)), such that none escapes it by forking and ending. Reads
 * only; never signals a process.
 *
 * The kernel lists processes by rising PID, and a child has a higher one than its parent until PIDs begin anew. So whatever
 * forks and ends for ever always has a process ahead of the walk, unless that has ended between being listed and being read:
 * then the walk goes back to where it was listed, passes over what it has read, and follows, until all that it finds is read
 * while it lives. If PIDs begin anew meanwhile, it begins anew as well. The threads of a process are walked alike.
 */
#ifndef DYNUSER_HELPER_PROCESS_WALK_H
#define DYNUSER_HELPER_PROCESS_WALK_H

#include "credentials.h"
#include "known_threads.h"
#include "protocol.h"

/*
 * While others start and end processes or threads on all processors, new ones may always be there that were not read yet. What
 * has the number is then as likely to be read in each sweep as any of them: far more often than one time in a hundred. So that
 * they cannot keep every number reserved, a walk that has found nothing in that many sweeps takes it for free.
 */
#define SWEEPS_MAX 2000
/* How long it may take to make them, in milliseconds; a walk that has not come so far by then fails. */
#define WALK_WAIT_MS 3000
/* The word of the error with which such a walk answers, and EAGAIN. */
#define WALK_CALL "processes"

/* A thread that was found. */
struct found_thread {
	int proc; /* an open /proc */
	pid_t process;
	int directory; /* where credentials_read finds the thread: /proc, or the process's own task directory */
	pid_t thread;
	enum holding holds; /* set for visitors of one number (processes.h) */
};

enum visited {
	VISITED,	/* the walk continues */
	VISITED_EXITED, /* the same, for a process that has exited by now: what it started last may not be listed yet */
	VISITED_LAST,	/* the answer is written, and the walk ends */
};

/* Is told of each thread and what it has. */
typedef enum visited visit_credentials(void *data, struct found_thread *found, const struct credentials *credentials,
				       struct answer *answer);

/*
 * One walk over all threads; a thread may be visited more than once. Returns whether the answer was written: by the visitor, or
 * with an error. Not to be called by a visitor.
 */
bool walk_threads(struct known_threads *known, visit_credentials *visit, void *data, struct answer *answer);

#endif
