/* Owns how the credentials of one thread are read: UIDs and GIDs, each real, effective, saved and of the file system. */
#ifndef DYNUSER_HELPER_CREDENTIALS_H
#define DYNUSER_HELPER_CREDENTIALS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct credentials {
	uint32_t uids[4];
	uint32_t gids[4];
};

/* Which way the running kernel offers; found out once, at the first thread. */
enum credentials_source { CREDENTIALS_UNKNOWN, CREDENTIALS_PIDFD, CREDENTIALS_STATUS };

/*
 * Reads the credentials of a thread of this PID namespace. directory is an open /proc/<pid>/task, or /proc, and the thread a
 * name in it.
 * Returns 0, ESRCH where the thread is gone, or another errno value.
 */
int credentials_read(int directory, pid_t thread, enum credentials_source *source, struct credentials *credentials);

/*
 * The same, and leaves *descriptor open, from which credentials_again reads what that thread has later; it is -1 where there
 * is nothing to keep. The thread's number may be another's by then: the descriptor never is.
 */
int credentials_take(int directory, pid_t thread, enum credentials_source *source, struct credentials *credentials,
		     int *descriptor);

/* source as it was after credentials_take. Returns 0, or an errno value, with which the descriptor is of no more use. */
int credentials_again(int descriptor, enum credentials_source source, struct credentials *credentials);

bool credentials_have(const struct credentials *credentials, uint32_t number);

#endif
