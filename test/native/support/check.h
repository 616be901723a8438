/* Owns how a C test fails: it says what and where, and ends with status 1. */
#ifndef TEST_CHECK_H
#define TEST_CHECK_H

#include <stdio.h>
#include <stdlib.h>

/* Ends the test unless the condition holds; the rest is what printf(3) takes, to say with which values. */
#define CHECK(condition, ...) \
	do { \
		if (!(condition)) { \
			(void)fprintf(stderr, "%s:%d: not so: %s: ", __FILE__, __LINE__, #condition); \
			(void)fprintf(stderr, __VA_ARGS__); \
			(void)fputc('\n', stderr); \
			exit(1); \
		} \
	} while (0)

#endif
