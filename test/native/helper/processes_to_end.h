/*
 * Processes for the tests of ending them. Each kind is a function that start() runs in a process of its own, and that never
 * returns. The caller is PID 1 of a PID namespace, or below one that waits for all that lose their parents.
 */
#ifndef DYNUSER_TEST_PROCESSES_TO_END_H
#define DYNUSER_TEST_PROCESSES_TO_END_H

#include <sys/types.h>

/* Who the processes to end belong to, and who the others do. */
#define OURS 64000U
#define OTHERS 64001U

void milliseconds(long count);

/* Changes all UIDs and GIDs of the process. */
void become(uid_t uid);

/* Starts a process that PID 1 of the namespace waits for, and returns when it says that it is ready. */
void start(void (*run)(int ready));

/* In which place the next in_part() and in_thread() hold the UID alone: real, effective, saved or filesystem. */
void processes_use(const char *name);

void plain(int descriptor);
/* Ignores SIGTERM. */
void stubborn(int descriptor);
/* Stops itself whenever it is woken. */
void stopped(int descriptor);
/* Forks without end: its process is never there for longer than a fork takes. */
void chain(int descriptor);
/* Kills and stops all that it may, as fast as it can. */
void rival(int descriptor);
/* The first process of a PID namespace below, and one more in it. */
void elsewhere(int descriptor);
void in_part(int descriptor);
/* As chain(), and holds the UID as in_part(). */
void chain_in_part(int descriptor);
/* As in_part(), in a second thread alone. */
void in_thread(int descriptor);
/* The GID is ours, the UID is not. */
void by_group(int descriptor);
/* The same, as a supplementary group alone. */
void by_supplementary(int descriptor);
void others(int descriptor);

#endif
