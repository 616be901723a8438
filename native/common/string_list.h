/* Owns lists of strings that grow up to a bound, always with a null pointer behind the last, as execve(2) wants them. */
#ifndef DYNUSER_STRING_LIST_H
#define DYNUSER_STRING_LIST_H

#include <stdbool.h>
#include <stddef.h>

/* More than the kernel lets a program have of arguments and variables together (execve(2): 3/4 of 8 MiB). */
#define STRINGS_MAX 1048576U

/* Starts as all zeros: no strings, and items is null until the first. The strings themselves are the caller's. */
struct strings {
	char **items;
	size_t count;
	size_t room;
};

/* Appends one. False: too many, or no memory. */
bool strings_add(struct strings *list, char *item);

#endif
