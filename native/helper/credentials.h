/*
 * Owns how the credentials of one thread are read: UIDs and GIDs, each real, effective, saved and of the file system, and its
 * supplementary groups. By /proc/<pid>/status (proc_pid_status(5)), which alone has the groups.
 */
#ifndef DYNUSER_HELPER_CREDENTIALS_H
#define DYNUSER_HELPER_CREDENTIALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* NGROUPS_MAX of the kernel: the supplementary groups that a thread can have (setgroups(2)). */
#define GROUPS_MAX 65536

struct credentials {
	uint32_t uids[4];
	uint32_t gids[4];
	/* a thread of the kernel's own, as far as the kernel tells (Linux 6.8): it never becomes another's */
	bool is_kernel;
	/* of its process, at a moment after the credentials were read; 0 if it had ended by then */
	uint32_t threads;
	size_t group_count;
	uint32_t groups[GROUPS_MAX];
};

/* How a thread has a number; if it has it in several ways, the first of these. */
enum holding { HOLDS_NOT, HOLDS_AS_USER, HOLDS_AS_GROUP, HOLDS_AS_SUPPLEMENTARY };

enum holding credentials_hold(const struct credentials *credentials, uint32_t number);

/*
 * Opens the status of a thread. directory is an open /proc/<pid>/task, or /proc, and the thread a name in it. The number may later
 * be another thread's, the descriptor never. Returns -1 with errno, ESRCH if the thread is gone.
 */
int credentials_open(int directory, pid_t thread);

/* Reads what a thread has now. Returns 0, ESRCH if the thread is gone, or another errno value. */
int credentials_of(int descriptor, struct credentials *credentials);

/* Opens, reads and closes it. */
int credentials_read(int directory, pid_t thread, struct credentials *credentials);

#endif
