/*
 * The lock that a fork cannot leave locked: taken, given, awaited, inherited from a holder that is not there. No
 * arguments.
 */
#include "fork_lock.h"

#include <pthread.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

#define THREADS 8
#define ROUNDS 20000

static struct fork_lock lock;
static unsigned long counter;

static void *count(void *context)
{
	(void)context;
	for (unsigned int i = 0; i < ROUNDS; i++) {
		CHECK(fork_lock_take(&lock), "the lock is not available");
		/* Not atomic: the lock has to make it so. */
		counter = counter + 1;
		fork_lock_give(&lock);
	}
	return NULL;
}

static void test_threads(void)
{
	pthread_t threads[THREADS];

	for (size_t i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, count, NULL) == 0, "a thread");
	for (size_t i = 0; i < THREADS; i++)
		CHECK(pthread_join(threads[i], NULL) == 0, "a thread");
	CHECK(counter == (unsigned long)THREADS * ROUNDS, "%lu", counter);
}

/* The child has a lock that its parent holds, at once; the parent still holds its own. */
static void test_fork_while_held(void)
{
	pid_t child;
	int status;

	CHECK(fork_lock_take(&lock), "the lock is not available");
	child = fork();
	CHECK(child >= 0, "%m");
	if (child == 0) {
		struct timespec before, after;

		CHECK(clock_gettime(CLOCK_MONOTONIC, &before) == 0, "%m");
		CHECK(fork_lock_take(&lock), "the lock is not available");
		CHECK(clock_gettime(CLOCK_MONOTONIC, &after) == 0, "%m");
		CHECK(after.tv_sec - before.tv_sec <= 1, "the child waited");
		fork_lock_give(&lock);
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0, "the child: %#x", status);
	CHECK(atomic_load(&lock.holder) == getpid(), "the parent's lock");
	/* A holder of this process that never gives it back: the wait has an end. */
	CHECK(!fork_lock_take(&lock), "the lock was taken twice");
	fork_lock_give(&lock);
	/* Of no process: one that has the number that is left behind, 1 in a container, would wait for itself. */
	CHECK(atomic_load(&lock.holder) == 0, "%d still has the lock", (int)atomic_load(&lock.holder));
	CHECK(fork_lock_take(&lock), "the lock is not available");
	fork_lock_give(&lock);
}

int main(void)
{
	test_threads();
	test_fork_while_held();
	return 0;
}
