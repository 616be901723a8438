/* See deadline.h. */
#include "deadline.h"

#include <limits.h>

#define MS_PER_S 1000L
#define NS_PER_MS 1000000L
#define NS_PER_S 1000000000L

/* clock_gettime(2) cannot fail for CLOCK_MONOTONIC and an address of ours, and is no system call (vdso(7)). */
static struct timespec now(void)
{
	struct timespec time = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return time;
}

struct deadline deadline_after(unsigned int milliseconds)
{
	struct deadline deadline = { .at = now() };

	deadline.at.tv_sec += (time_t)(milliseconds / (unsigned int)MS_PER_S);
	deadline.at.tv_nsec += (long)(milliseconds % (unsigned int)MS_PER_S) * NS_PER_MS;
	if (deadline.at.tv_nsec >= NS_PER_S) {
		deadline.at.tv_sec += 1;
		deadline.at.tv_nsec -= NS_PER_S;
	}
	return deadline;
}

static long long left_of(const struct deadline *deadline)
{
	struct timespec time = now();

	return ((long long)deadline->at.tv_sec - (long long)time.tv_sec) * NS_PER_S +
	       ((long long)deadline->at.tv_nsec - (long long)time.tv_nsec);
}

bool deadline_is_past(const struct deadline *deadline)
{
	return left_of(deadline) <= 0;
}

int deadline_left(const struct deadline *deadline)
{
	long long left = left_of(deadline);

	if (left <= 0)
		return 0;
	left = (left + NS_PER_MS - 1) / NS_PER_MS;
	return left > INT_MAX ? INT_MAX : (int)left;
}
