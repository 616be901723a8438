/* Owns the way through the threads of one process, and what the walks over processes and threads have in common. */
#ifndef DYNUSER_HELPER_TASK_WALK_H
#define DYNUSER_HELPER_TASK_WALK_H

#include "deadline.h"
#include "pid_set.h"
#include "process_walk.h"

struct walk {
	struct known_threads *known;
	visit_credentials *visit;
	void *data;
	struct answer *answer;
	struct deadline deadline;
	int proc; /* /proc and /proc/loadavg, open */
	int load;
};

enum walked {
	WALKED_SEEN,	 /* all that was there at one moment was read alive */
	WALKED_GONE,	 /* it ended before that */
	WALKED_ANSWERED, /* the answer is written, and the walk ends */
};

/* Reads one thread of a process; directory is as for credentials_read. */
typedef enum walked visit_task(const struct walk *walk, int directory, pid_t thread, pid_t process);

/* Visits the threads of a process until none escapes; some may be visited more than once. */
enum walked walk_tasks(const struct walk *walk, pid_t process, visit_task *visit);

#endif
