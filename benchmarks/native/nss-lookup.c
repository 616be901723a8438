/*
 * Times getpwuid_r(3) or getpwnam_r(3) through glibc and whatever nsswitch.conf says. It measures and prints one line
 * of JSON; under which nsswitch.conf, and against what, is its caller's affair.
 *
 * usage: nss-lookup getpwuid|getpwnam KEY ITERATIONS
 */
#include <errno.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define USAGE "usage: nss-lookup getpwuid|getpwnam KEY ITERATIONS (1 to 10000000)\n"
#define ITERATIONS_MAX 10000000UL
#define UID_MAX 4294967295UL
#define DECIMAL 10
/* Lookups before the measured ones: glibc loads its modules at the first, and the caches warm. */
#define WARM_UP 100U
#define BUFFER_BYTES 4096
#define NS_PER_S 1000000000L

struct question {
	bool by_uid;
	uid_t uid;
	const char *name;
};

/* Takes a whole decimal number up to a bound. */
static bool read_number(const char *text, unsigned long bound, unsigned long *number)
{
	char *end;

	errno = 0;
	*number = strtoul(text, &end, DECIMAL);
	return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && *number <= bound;
}

static bool read_question(const char *function, const char *key, struct question *question)
{
	unsigned long uid = 0;

	*question = (struct question){ .by_uid = strcmp(function, "getpwuid") == 0, .name = key };
	if (!question->by_uid)
		return strcmp(function, "getpwnam") == 0;
	if (!read_number(key, UID_MAX, &uid))
		return false;
	question->uid = (uid_t)uid;
	return true;
}

/* One lookup; true if the user was found. *error is the function's own answer. */
static bool look_up(const struct question *question, int *error)
{
	char buffer[BUFFER_BYTES];
	struct passwd record, *found = NULL;

	*error = question->by_uid ? getpwuid_r(question->uid, &record, buffer, sizeof(buffer), &found) :
				    getpwnam_r(question->name, &record, buffer, sizeof(buffer), &found);
	return found != NULL;
}

static long elapsed(const struct timespec *before, const struct timespec *after)
{
	return (after->tv_sec - before->tv_sec) * NS_PER_S + (after->tv_nsec - before->tv_nsec);
}

static long mean(const long *times, size_t count)
{
	long long sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += times[i];
	return (long)(sum / (long long)count);
}

static int compare(const void *left, const void *right)
{
	long a = *(const long *)left, b = *(const long *)right;

	return (a > b) - (a < b);
}

/* Fills times, sorted; false if the answers were not all the same: then the numbers would mean nothing. */
static bool measure(const struct question *question, long *times, size_t count, bool expected)
{
	for (size_t i = 0; i < count; i++) {
		struct timespec before, after;
		bool found;
		int error;

		(void)clock_gettime(CLOCK_MONOTONIC, &before);
		found = look_up(question, &error);
		(void)clock_gettime(CLOCK_MONOTONIC, &after);
		if (found != expected || error != 0)
			return false;
		times[i] = elapsed(&before, &after);
	}
	qsort(times, count, sizeof(times[0]), compare);
	return true;
}

int main(int argc, char **argv)
{
	struct question question;
	unsigned long count;
	bool found = false;
	int error = 0;
	long *times;

	if (argc != 4 || !read_question(argv[1], argv[2], &question) || !read_number(argv[3], ITERATIONS_MAX, &count) ||
	    count == 0) {
		(void)fputs(USAGE, stderr);
		return 2;
	}
	times = calloc(count, sizeof(times[0]));
	if (times == NULL) {
		(void)fprintf(stderr, "nss-lookup: no memory for %lu times\n", count);
		return 1;
	}
	for (unsigned int i = 0; i < WARM_UP; i++)
		found = look_up(&question, &error);
	if (!measure(&question, times, count, found)) {
		(void)fprintf(stderr, "nss-lookup: %s of %s did not always answer the same\n", argv[1], argv[2]);
		free(times);
		return 1;
	}
	(void)printf("{\"function\":\"%s\",\"found\":%s,\"iterations\":%lu,", argv[1], found ? "true" : "false", count);
	(void)printf("\"p10Ns\":%ld,\"medianNs\":%ld,\"p90Ns\":%ld,\"meanNs\":%ld}\n", times[count / 10],
		     times[count / 2], times[count * 9 / 10], mean(times, count));
	free(times);
	return 0;
}
