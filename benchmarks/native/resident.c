/*
 * Prints the greatest resident size that this process had so far, in KiB: getrusage(2) keeps it over execve(2), so it
 * tells what the program that became this one took at most.
 */
#include <stdio.h>
#include <sys/resource.h>

int main(void)
{
	struct rusage usage;

	if (getrusage(RUSAGE_SELF, &usage) != 0) {
		perror("resident: getrusage");
		return 1;
	}
	printf("%ld\n", usage.ru_maxrss);
	return 0;
}
