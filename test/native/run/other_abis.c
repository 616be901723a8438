/*
 * Makes system calls by other ways into the kernel than the one of this program: "x86" by interrupt 0x80, "x32" by the bit of its
 * numbers. Each argument is ABI:NUMBER[:ARGUMENT[:ARGUMENT[:ARGUMENT]]], in decimal; for each it prints the error number, or 0. If a signal
 * ends it, what it printed tells by which call.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define X32_BIT 0x40000000L
#define ARGUMENTS 3

#if defined(__x86_64__)
static long x86(long number, const long arguments[ARGUMENTS])
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(number), "b"(arguments[0]), "c"(arguments[1]), "d"(arguments[2])
			 : "memory", "r8", "r9", "r10", "r11");
	return (int)result < 0 ? -(int)result : 0;
}
#endif

static long native(long number, const long arguments[ARGUMENTS])
{
	return syscall(number, arguments[0], arguments[1], arguments[2], 0L, 0L, 0L) < 0 ? errno : 0;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		char *rest = NULL, *abi = strtok_r(argv[i], ":", &rest), *text = strtok_r(NULL, ":", &rest);
		long arguments[ARGUMENTS] = { 0 }, number = text == NULL ? -1 : atol(text), error = -1;

		for (int j = 0; j < ARGUMENTS && (text = strtok_r(NULL, ":", &rest)) != NULL; j++)
			arguments[j] = atol(text);
#if defined(__x86_64__)
		if (strcmp(abi, "x86") == 0)
			error = x86(number, arguments);
		else if (strcmp(abi, "x32") == 0)
			error = native(number | X32_BIT, arguments);
#endif
		if (strcmp(abi, "native") == 0)
			error = native(number, arguments);
		(void)printf("%ld\n", error);
		(void)fflush(stdout);
	}
	return EXIT_SUCCESS;
}
