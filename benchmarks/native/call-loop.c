/*
 * How long a system call takes, in nanoseconds, the median of some rounds: getppid(2), which no filter has anything against, and
 * personality(2) as it is, of which LockPersonality= tests the argument. Prints both.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define CALLS 200000L
#define ROUNDS 15U

static double nanoseconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int ascending(const void *one, const void *other)
{
	double first = *(const double *)one, second = *(const double *)other;

	return (first > second) - (first < second);
}

static double median_of(long number)
{
	double rounds[ROUNDS];

	for (size_t i = 0; i < ROUNDS; i++) {
		double start = nanoseconds();

		for (long call = 0; call < CALLS; call++)
			(void)syscall(number, (unsigned long)PER_LINUX);
		rounds[i] = (nanoseconds() - start) / (double)CALLS;
	}
	qsort(rounds, ROUNDS, sizeof(rounds[0]), ascending);
	return rounds[ROUNDS / 2];
}

int main(void)
{
	(void)printf("%.1f %.1f\n", median_of(SYS_getppid), median_of(SYS_personality));
	return EXIT_SUCCESS;
}
