/* See deadline.h. */
#include "deadline.h"

#include <limits.h>
#include <time.h>

#define NS_PER_MS 1000000LL
#define NS_PER_S 1000000000LL

/* clock_gettime(2) cannot fail for CLOCK_MONOTONIC and an address of ours, and is not a system call (vdso(7)). */
static long long now(void)
{
	struct timespec time = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (long long)time.tv_sec * NS_PER_S + time.tv_nsec;
}

struct deadline deadline_after(unsigned int milliseconds)
{
	return (struct deadline){ .at = now() + milliseconds * NS_PER_MS };
}

bool deadline_is_past(const struct deadline *deadline)
{
	return deadline->at <= now();
}

int deadline_left(const struct deadline *deadline)
{
	long long left = deadline->at - now();

	if (left <= 0)
		return 0;
	left = (left + NS_PER_MS - 1) / NS_PER_MS;
	return left > INT_MAX ? INT_MAX : (int)left;
}
